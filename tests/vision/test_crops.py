"""Faces are cut out upright, and what lies over a crop is laid back over the picture."""

import cv2
import numpy as np
import pytest

from entities import Box
from vision.crops import crop_face, turn_back
from vision.geometry import Square


def test_an_upright_box_is_cut_out_as_it_is():
    """Without corners, the crop is the box's own pixels."""
    image = np.random.default_rng(0).integers(0, 256, (48, 64), np.uint8)
    np.testing.assert_array_equal(crop_face(image, Box(10, 5, 20, 30)), image[5:35, 10:30])


@pytest.mark.parametrize("angle", [20, -40, 90])
def test_a_turned_square_is_cut_out_upright(portrait, angle):
    """The crop from a turned picture is nearly that from the picture as it was."""
    image, _ = portrait
    middle, size = (265.0, 225.0), 160
    turned = cv2.warpAffine(image, cv2.getRotationMatrix2D((middle[0] - 0.5, middle[1] - 0.5), -angle, 1), (512, 600))
    straight = crop_face(image, Box(0, 0, 1, 1), Square.around(*middle, size).corners())
    crop = crop_face(turned, Box(0, 0, 1, 1), Square.around(*middle, size, angle).corners())
    assert crop.shape == straight.shape == (size, size, 3)
    assert np.abs(crop.astype(int) - straight).mean() < 4


def test_beyond_the_edge_the_pixels_at_the_edge_go_on():
    """A face that is partly outside has no black corners."""
    crop = crop_face(np.full((50, 50), 200, np.uint8), Box(0, 0, 1, 1), Square(-20, -20, 60, 30).corners())
    assert (crop == 200).all()


def test_what_lies_over_a_crop_is_turned_back_over_its_box():
    """A mark at the forehead's middle of a head that lies on its side is at the side of the box."""
    crop = np.zeros((100, 100), np.uint8)
    crop[:20, 40:60] = 255
    back = turn_back(crop, Box(200, 100, 100, 100), Square(200, 100, 100, 90).corners())
    assert back.shape == (100, 100)
    assert back[45:55, 85:].mean() > 200
    assert back[:, :60].max() == 0
