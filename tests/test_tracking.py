import cv2
import numpy as np
import pytest

from config import DetectorSettings
from entities import Box
from vision.detection import to_grey
from vision.tracking import FaceTracker, iou


@pytest.fixture
def tracker():
    """Return a tracker as configured by default."""
    return FaceTracker(DetectorSettings())


@pytest.fixture(scope="module")
def face(portrait):
    """Return a grey face with some room around it, 100 x 100 pixels."""
    image, _ = portrait
    return cv2.resize(to_grey(image)[60:380, 105:425], (100, 100), interpolation=cv2.INTER_AREA)


def scene(*faces: tuple[np.ndarray, int, int], width: int = 640, height: int = 480) -> np.ndarray:
    """Draw faces, each with its left top corner, on an even wall."""
    grey = np.full((height, width), 140, np.uint8)
    for picture, x, y in faces:
        grey[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
    return grey


def test_a_moving_face_keeps_its_number(tracker, face):
    """A face that crosses the picture is one track, and its box goes with it."""
    tracks = [tracker.update(scene((face, 50 + 6 * i, 200)), i / 30) for i in range(30)]
    assert [[track.id for track in found] for found in tracks] == [[1]] * 30


def test_two_faces_have_two_numbers(tracker, face):
    """Faces come from left to right, each with its own number, also when one of them goes."""
    both = tracker.update(scene((face, 50, 100), (face, 400, 300)), 0)
    assert len({track.id for track in both}) == 2
    assert both[0].box.x < both[1].box.x
    right = both[1].id
    for i in range(1, 20):
        found = tracker.update(scene((face, 400, 300)), i / 30)
    assert [track.id for track in found] == [right]


def test_a_change_of_size_does_no_harm(tracker, face):
    """A source may change its resolution in mid-stream, down to a single pixel."""
    tracker.update(scene((face, 300, 200)), 0)
    assert tracker.update(np.zeros((1, 1), np.uint8), 0.1) == []
    for i in range(10):
        found = tracker.update(scene((face, 10, 10), width=320, height=240), 0.2 + i / 30)
    assert len(found) == 1


def test_overlap_of_boxes():
    """Nothing shared is 0, the same box 1, a third of the union one third."""
    assert iou(Box(0, 0, 10, 10), Box(10, 0, 10, 10)) == 0
    assert iou(Box(3, 4, 10, 10), Box(3, 4, 10, 10)) == 1
    assert iou(Box(0, 0, 10, 10), Box(5, 0, 10, 10)) == pytest.approx(1 / 3)
