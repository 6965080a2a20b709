import cv2
import numpy as np
import pytest

from config import DetectorSettings
from entities import Box
from errors import ModelError
from vision.detection import FaceDetector
from vision.detectors.detector import Detection
from vision.detectors.haar import Cascade, strongest
from vision.geometry import Square
from vision.pixels import shrink, to_grey


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


def test_what_overlaps_is_one_face():
    """Of two detections of one face the one with more hits stays; another face stays as well."""
    weak, strong = Detection(Square(0, 0, 100), 3), Detection(Square(10, 10, 60), 9)
    apart = Detection(Square(90, 0, 100), 4)
    assert strongest([weak, strong, apart]) == [strong, apart]


@pytest.mark.parametrize("shape", [(480, 640), (1080, 1919), (7, 5000)])
@pytest.mark.parametrize("scale", [1, 0.7, 0.3, 0.11])
def test_shrinking_keeps_size_and_brightness(shape, scale):
    """The result has the size asked for, and the picture's mean."""
    grey = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    small = shrink(grey, scale)
    assert small.shape == tuple(max(1, round(side * scale)) for side in shape)
    assert small.mean() == pytest.approx(grey.mean(), abs=3)


def test_a_missing_cascade_says_what_to_install():
    """An OpenCV without cascades is an error that names the package to install."""
    with pytest.raises(ModelError, match="opencv-python-headless"):
        Cascade("no_such_thing")
