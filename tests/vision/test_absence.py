"""Where faces were that are not found any more."""

from dataclasses import replace

from entities import Box, Face
from tests.helpers.fake_camera import probabilities
from vision.absence import HIDDEN_SECONDS, RecentlyLost

LEFT = Face(Box(10, 10, 50, 50), probabilities("Happy"), track_id=1)
RIGHT = Face(Box(200, 10, 50, 50), probabilities("Sad"), track_id=2)


def test_a_face_that_is_there_is_not_gone() -> None:
    """Only those that are missing count."""
    recently_lost = RecentlyLost()
    assert recently_lost.update([LEFT, RIGHT], 0) == ()
    assert recently_lost.update([LEFT], 0.1) == (RIGHT.box,)
    assert recently_lost.update([LEFT, RIGHT], 0.2) == ()


def test_the_last_place_counts_for_some_seconds() -> None:
    """It is forgotten once whoever was there has had time to leave."""
    recently_lost = RecentlyLost()
    recently_lost.update([LEFT], 0)
    moved = replace(LEFT, box=Box(30, 10, 50, 50))
    recently_lost.update([moved], 1)
    assert recently_lost.update([], 1 + HIDDEN_SECONDS) == (moved.box,)
    assert recently_lost.update([], 1.1 + HIDDEN_SECONDS) == ()
