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
        """Return the numbers of those faces of the next frame whose turn it is: new ones in any case, at least one."""
        present = list(faces)
        affordable = max(1, int(BUDGET / self._seconds_each)) if self._seconds_each else len(present)
        new = [number for number in present if number not in self._waited]
        waiting = sorted(self._waited.keys() & set(present), key=lambda number: -self._waited[number])
        turn = {*new, *waiting[: max(0, affordable - len(new))]}
        self._waited = {number: 0 if number in turn else self._waited[number] + 1 for number in present}
        return turn

    def forget(self) -> None:
        """Take all faces of the next frame for new ones."""
        self._waited.clear()

    def took(self, seconds: float, faces: int) -> None:
        """Learn how long so many faces took."""
        if faces:
            known = self._seconds_each or seconds / faces
            self._seconds_each = _MEMORY * known + (1 - _MEMORY) * seconds / faces
