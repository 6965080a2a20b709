"""Whose turn it is to be classified, where all faces of a live frame would take too long."""

from collections.abc import Iterable
from typing import Final

BUDGET: Final = 0.02
"""Seconds that the faces of one frame may take: at 25 frames a second as much is left for everything else."""
_MEMORY: Final = 0.9
"""How much of what a face took so far counts against what it takes now."""


class FacePacer:
    """Chooses the faces of each frame that are classified, so many as are done in time, the longest waiting first.

    Ten faces of thirty, say, when one takes two milliseconds: at thirty frames a second, each has its turn ten times.
    """

    def __init__(self) -> None:
        self._seconds_each = 0.0
        self._waited: dict[int, int] = {}

    def choose(self, faces: Iterable[int]) -> set[int]:
        """Return the numbers of those faces of the next frame whose turn it is; at least one."""
        self._waited = {number: self._waited.get(number, _NEW) for number in faces}
        affordable = max(1, int(BUDGET / self._seconds_each)) if self._seconds_each else len(self._waited)
        turn = set(sorted(self._waited, key=lambda number: -self._waited[number])[:affordable])
        self._waited = {number: 0 if number in turn else waited + 1 for number, waited in self._waited.items()}
        return turn

    def took(self, seconds: float, faces: int) -> None:
        """Learn how long so many faces took."""
        if faces:
            known = self._seconds_each or seconds / faces
            self._seconds_each = _MEMORY * known + (1 - _MEMORY) * seconds / faces


_NEW: Final = 1_000_000
"""Frames that a new face counts as having waited: it comes first, since nothing is known of it."""
