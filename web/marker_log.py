"""Markers that are set while the server's video runs: what is going on from a moment on, until the next one."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MOST_MARKERS: Final = 1000
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

    def __init__(self, most: int = MOST_MARKERS, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._markers: deque[Marker] = deque(maxlen=most)
        self._lock = threading.Lock()

    def add(self, label: str) -> Marker:
        """Note that something begins now; with an empty label, that nothing does."""
        with self._lock:
            marker = Marker(label, time.time(), self._clock())
            self._markers.append(marker)
            return marker

    def all(self) -> list[Marker]:
        """Return the markers, the oldest first."""
        with self._lock:
            return list(self._markers)

    def in_force(self, moment: float) -> str:
        """Return the label of the last marker up to a moment of the monotonic clock; empty where there is none."""
        with self._lock:
            return next((marker.label for marker in reversed(self._markers) if marker.moment <= moment), "")
