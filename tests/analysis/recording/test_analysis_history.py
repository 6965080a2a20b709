"""Shares, mean probabilities and strongest moments of a whole video."""

import numpy as np
import pytest

from analysis.recording.history import FaceHistory, History, shares
from entities import EXPRESSIONS, Box, Face, Frame

PICTURE = np.zeros((4, 4, 3), np.uint8)


def face(expression: str, confidence: float = 0.8, number: int = 1) -> Face:
    """Return a face that shows one expression, the rest shared out among the others."""
    rest = (1 - confidence) / 6
    row = tuple(confidence if name == expression else rest for name in EXPRESSIONS)
    return Face(Box(0, 0, 2, 2), row, number, min_confidence=0.4)


def history(*frames: tuple[float, list[Face]]) -> History:
    """Return the history of frames, each given by its time and faces."""
    told = History()
    for index, (time, faces) in enumerate(frames):
        told.append(Frame(PICTURE, index, time, time), faces, PICTURE, lambda: PICTURE)
    return told


def only_face(told: History, duration: float) -> FaceHistory:
    """Return the one face that there is."""
    (found,) = told.faces(duration)
    return found


def test_shares_count_time_not_frames() -> None:
    """A frame that is shown for three seconds weighs three times as much as one shown for one."""
    told = history((0, [face("Happy")]), (3, [face("Sad")]))
    assert shares(told.faces(4)) == {**dict.fromkeys((*EXPRESSIONS, "Uncertain"), 0), "Happy": 0.75, "Sad": 0.25}


def test_unsure_faces_have_a_share_of_their_own() -> None:
    """Below the least confidence no expression is credited."""
    told = history((0, [face("Happy")]), (1, [face("Happy", 0.3)]))
    assert shares(told.faces(2))["Uncertain"] == 0.5
    assert shares(told.faces(2))["Happy"] == 0.5


def test_without_faces_all_shares_are_zero() -> None:
    """A video without faces has shares all the same."""
    assert set(shares(history((0, []), (1, [])).faces(2)).values()) == {0}


def test_each_face_has_its_own_record() -> None:
    """When, how long and with what expressions a face was seen; the longest seen comes first."""
    told = history((0, [face("Happy", number=7)]), (1, [face("Sad", number=7), face("Fear", number=9)]), (2, []))
    first, second = (found.record() for found in told.faces(3))
    assert (first["id"], first["first_seen"], first["last_seen"], first["seconds"], first["frames"]) == (7, 0, 2, 2, 2)
    assert (first["shares"]["Happy"], first["shares"]["Sad"]) == (0.5, 0.5)
    assert first["mean_probabilities"]["Happy"] == pytest.approx((0.8 + 0.2 / 6) / 2, abs=1e-4)
    assert (second["id"], second["seconds"], second["shares"]["Fear"]) == (9, 1, 1)
    assert told.with_faces == 2


def test_means_over_steps_of_time() -> None:
    """A step holds the mean over the time in which the face was seen in it, and NaN where it was not."""
    found = only_face(history((0, [face("Happy")]), (1, [face("Sad")]), (2, []), (3, [face("Sad")])), 4)
    means = found.means(np.array([0.0, 2.0, 3.0, 4.0]))
    assert means.shape == (3, 7)
    happy = means[:, EXPRESSIONS.index("Happy")]
    assert happy[0] == pytest.approx((0.8 + 0.2 / 6) / 2)
    assert np.isnan(means[1]).all()
    assert happy[2] == pytest.approx(0.2 / 6)
    assert means[0].sum() == pytest.approx(1)


def test_moments_are_the_strongest_frames() -> None:
    """The most confident frame of each expression that was seen, with the face and the picture."""
    told = history(
        (0, [face("Happy", 0.6)]), (1, [face("Happy", 0.9, number=2)]), (2, [face("Happy", 0.7), face("Sad", 0.5)])
    )
    assert set(told.moments) == {"Happy", "Sad"}
    best = told.moments["Happy"].record()
    assert best == {
        "expression": "Happy",
        "confidence": 0.9,
        "frame": 1,
        "time": 1,
        "face": 2,
        "name": "",
        "box": [0, 0, 2, 2],
        "file": "moment-Happy.jpg",
    }


def test_unsure_faces_make_no_moment() -> None:
    """What cannot be named is no example of anything."""
    assert history((0, [face("Happy", 0.3)])).moments == {}
