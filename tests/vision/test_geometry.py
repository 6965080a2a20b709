import numpy as np
import pytest

from entities import Box
from vision.geometry import Square
from vision.pyramid import Pyramid


def test_boxes_are_clipped_to_the_picture():
    """A box never leaves its picture; what lies outside altogether is no box."""
    assert Square(-3.4, 2, 10).box((8, 6)) == Box(0, 2, 6, 6)
    assert Square(20, 2, 10).box((8, 6)) is None


def test_scaling_and_moving_come_back():
    """A face found in a shrunk part of a picture has its place in the whole picture."""
    face = Square(10, 20, 30)
    assert face.scaled(0.5) == Square(5, 10, 15)
    assert face.moved(-10, 7) == Square(0, 27, 30)
    assert face.scaled(0.25).scaled(4) == face


def test_overlap_is_of_the_smaller_one():
    """Nothing shared is 0, a face inside a larger one 1, half a face beside it one half."""
    assert Square(0, 0, 10).overlap(Square(10, 0, 10)) == 0
    assert Square(0, 0, 100).overlap(Square(3, 4, 10)) == 1
    assert Square(0, 0, 10).overlap(Square(5, 0, 40)) == pytest.approx(0.5)


def test_distance_is_between_centres_in_widths():
    """Sizes do not matter where the centres are the same."""
    assert Square(0, 0, 10).distance(Square(-5, -5, 20)) == 0
    assert Square(0, 0, 10).distance(Square(3, 4, 10)) == pytest.approx(0.5)


def test_going_part_of_the_way():
    """Half the way is in the middle, in place and size."""
    assert Square(0, 10, 20).towards(Square(10, 0, 40), 0.5) == Square(5, 5, 30)


def test_levels_of_a_pyramid_are_halves():
    """Each level is half of the one before; the level for a face is the smallest on which it is large enough."""
    pyramid = Pyramid(np.full((241, 101), 9, np.uint8))
    assert [pyramid[level].shape for level in range(3)] == [(241, 101), (120, 50), (60, 25)]
    assert (pyramid[2] == 9).all()
    assert [pyramid.level_for(size, 24) for size in (10, 47, 48, 95, 96)] == [0, 0, 1, 1, 2]


def test_a_pyramid_ends_with_a_pixel():
    """No level is empty, however large the face is said to be."""
    pyramid = Pyramid(np.zeros((1, 5), np.uint8))
    assert pyramid[pyramid.level_for(1e6, 1)].size > 0
