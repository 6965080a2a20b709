import cv2
import numpy as np
import pytest

from config import DetectorSettings
from entities import Box
from errors import ModelError
from vision.detection import Cascade, FaceDetector, clip_box, to_grey


@pytest.fixture(scope="module")
def detector():
    """Return a detector as configured by default."""
    return FaceDetector(DetectorSettings())


def centre_inside(box: Box, region: Box) -> bool:
    """Return whether the middle of the box lies in the region."""
    x, y = box.x + box.width / 2, box.y + box.height / 2
    return region.x < x < region.x + region.width and region.y < y < region.y + region.height


def test_finds_the_face_of_a_photograph(detector, portrait):
    """One box, around the face that is there."""
    image, face = portrait
    boxes = detector.detect(image)
    assert len(boxes) == 1
    assert centre_inside(boxes[0], face)


def test_colour_grey_alpha_and_16_bits_give_the_same_box(detector, portrait):
    """How the pixels are stored does not change what is found."""
    image, _ = portrait
    expected = detector.detect(to_grey(image))
    assert detector.detect(image) == expected
    assert detector.detect(cv2.cvtColor(image, cv2.COLOR_BGR2BGRA)) == expected
    assert detector.detect(to_grey(image)[:, :, None]) == expected
    assert detector.detect(image.astype(np.uint16) * 257) == expected


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (2, 3000, 3), (480, 640, 3), (4320, 7680, 3)])
def test_a_picture_without_faces_gives_none(detector, shape):
    """From one pixel to 8K, an even grey has no faces and raises nothing."""
    assert detector.detect(np.full(shape, 127, np.uint8)) == []


def test_a_large_picture_is_searched_as_well_as_a_small_one(detector, portrait):
    """Enlarging a picture four times moves the box by no more than a tenth of its size."""
    image, _ = portrait
    (small,), (large,) = detector.detect(image), detector.detect(cv2.resize(image, None, fx=4, fy=4))
    for a, b in ((small.x, large.x), (small.y, large.y), (small.width, large.width)):
        assert b / 4 == pytest.approx(a, abs=small.width / 10)


def test_profiles_are_found_on_both_sides_when_asked_for(shared):
    """The second cascade finds a head seen from the side, and its mirror image."""
    _, frame = cv2.VideoCapture(str(shared / "samples" / "two_faces_turning.mp4")).read()
    woman = frame[:, :240]
    detector = FaceDetector(DetectorSettings(profile=True))
    assert detector.detect(woman)
    assert detector.detect(cv2.flip(woman, 1))


def test_boxes_are_clipped_to_the_picture():
    """A box never leaves its picture; what lies outside altogether is no box."""
    assert clip_box((-3.4, 2, 10, 10), (8, 6)) == Box(0, 2, 6, 6)
    assert clip_box((20, 2, 10, 10), (8, 6)) is None


def test_a_missing_cascade_says_what_to_install():
    """An OpenCV without cascades is an error that names the package to install."""
    with pytest.raises(ModelError, match="opencv-python-headless"):
        Cascade("no_such_thing")
