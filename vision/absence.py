"""Where faces were that are not found any more: who turns away is still in the picture, and to be known."""

from collections.abc import Iterable
from typing import Final

from entities import Box, Face

HIDDEN_SECONDS: Final = 10.0
"""How long a place stays hidden: people who turn away usually turn back within seconds."""


class RecentlyLost:
    """The last places of one video's faces that have gone lately."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[Box, float]] = {}

    def update(self, faces: Iterable[Face], time: float) -> tuple[Box, ...]:
        """Take the faces of the next frame; return where others were last found, within HIDDEN_SECONDS.

        Args:
            faces: In this frame.
            time: Seconds, on any clock, when it was taken.

        """
        present = {face.track_id: (face.box, time) for face in faces}
        recent = {number: seen for number, seen in self._last.items() if time - seen[1] <= HIDDEN_SECONDS}
        self._last = recent | present
        return tuple(box for number, (box, _) in recent.items() if number not in present)
