"""Markers that are set while the server's video runs: what is going on from a moment on, until the next one."""

import threading
import time
from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MAX_MARKERS: Final = 1000
"""The latest that are kept, in memory only."""


@dataclass(frozen=True, slots=True)
class Marker:
    """Something that began; what was before is over, whatever it was."""

    label: str
    """Empty where nothing began."""
    time: float
    """Seconds since 1970."""
    moment: float
    """The same on the monotonic clock, by which frames are captured."""


class MarkerLog:
    """The latest markers, in memory; for any threads.

    Args:
        most: How many are kept.
        clock: Gives seconds that only rise.

    """

    def __init__(self, most: int = MAX_MARKERS, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._most = clock, most
        self._markers: list[Marker] = []
        self._lock = threading.Lock()

    def add(self, label: str, moment: float | None = None) -> Marker:
        """Note that something begins; with an empty label, that nothing does.

        Args:
            label: What begins.
            moment: When, on the monotonic clock, which may be before the last marker; now if not given.

        """
        with self._lock:
            now = self._clock()
            moment = now if moment is None else moment
            marker = Marker(label, time.time() - now + moment, moment)
            insort(self._markers, marker, key=lambda marker: marker.moment)
            del self._markers[: -self._most]
            return marker

    def all(self) -> list[Marker]:
        """Return the markers, the oldest first."""
        with self._lock:
            return list(self._markers)

    def last(self, moment: float) -> Marker | None:
        """Return the last marker up to a moment of the monotonic clock; None where there is none."""
        with self._lock:
            return next((marker for marker in reversed(self._markers) if marker.moment <= moment), None)

    def in_force(self, moment: float) -> str:
        """Return the label of the last marker up to a moment; empty where there is none."""
        marker = self.last(moment)
        return marker.label if marker else ""
