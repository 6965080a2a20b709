"""Many faces in live video: the video goes on, and each face has its turn."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from config import Settings
from entities import Frame, Image
from pacing import BUDGET, FacePacer
from pipeline import ExpressionPipeline

FACES = 24
EACH = 0.003
"""Seconds that a face takes."""


class SlowClassifier:
    """Takes its time by the clock that it has."""

    def __init__(self) -> None:
        self.now = 0.0
        self.counts: list[int] = []

    def predict(self, faces: Sequence[Image] | Image) -> NDArray[np.float32]:
        """Call every face happy."""
        self.now += EACH * len(faces)
        self.counts.append(len(faces))
        return np.tile(np.eye(7, dtype=np.float32)[3], (len(faces), 1))


def crowd(portrait: Image) -> Image:
    """Return a picture of 1280x720 with many times one face."""
    face = cv2.resize(portrait[90:390, 105:405], (160, 180))
    rows = [np.hstack([face] * 8)] * 3
    return np.vstack([*rows, np.zeros((720 - 540, 1280, 3), np.uint8)])


@pytest.mark.parametrize("live", [True, False])
def test_faces_take_turns_in_live_video_alone(portrait, monkeypatch, live):
    """Each frame has every face's box; each face is named ten times a second, in no more time than a frame has."""
    classifier = SlowClassifier()
    monkeypatch.setattr("pipeline.perf_counter", lambda: classifier.now)
    pipeline = ExpressionPipeline(Settings(), classifier, live=live)
    picture = crowd(portrait[0])
    for index in range(20):
        faces, _ = pipeline.process(Frame(picture, index, index / 30))
        assert len(faces) == FACES
        assert {face.expression for face in faces} == {"Happy"}
    if live:
        assert all(EACH * count <= BUDGET for count in classifier.counts[1:])
        assert sum(classifier.counts) / FACES >= 5  # in two thirds of a second
    else:
        assert classifier.counts == [FACES] * 20


def test_who_waited_longest_is_first():
    """All have their turn equally often, and a new face at once."""
    pacer = FacePacer()
    pacer.took(BUDGET / 2, 1)  # two a frame
    assert pacer.choose([1, 2, 3, 4]) == {1, 2, 3, 4}
    turns = [pacer.choose([1, 2, 3, 4]) for _ in range(6)]
    assert sorted(number for turn in turns for number in turn) == sorted([1, 2, 3, 4] * 3)
    assert 5 in pacer.choose([1, 2, 3, 4, 5])


def test_one_face_is_never_left_out():
    """However slow the computer is, somebody is named in every frame."""
    pacer = FacePacer()
    pacer.took(100 * BUDGET, 1)
    assert pacer.choose([7]) == {7}
    assert pacer.choose([7]) == {7}
    assert pacer.choose([]) == set()


def test_a_new_face_is_never_without_an_answer():
    """Of several that come at once, all are named at once, however slow that is: nothing is known of them yet."""
    pacer = FacePacer()
    pacer.took(100 * BUDGET, 1)
    assert pacer.choose([1, 2, 3]) == {1, 2, 3}
    assert len(pacer.choose([1, 2, 3])) == 1
    assert {4, 5} <= pacer.choose([1, 2, 3, 4, 5])
