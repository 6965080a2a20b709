"""Measures how many frames are shown per second, and their latency."""

import time
from collections import deque
from statistics import median
from typing import Final

WINDOW: Final = 3.0
"""Seconds over which frame rate and latency are measured."""


class Meter:
    """Frame rate and latency over the last WINDOW seconds; one thread writes, any may read."""

    def __init__(self) -> None:
        self._frames: deque[tuple[float, float, int]] = deque(maxlen=1000)

    def add(self, latency_ms: float, index: int) -> None:
        """Count a frame finished now, `latency_ms` after its capture; `index` counts those that the source gave."""
        now = time.monotonic()
        while self._frames and self._frames[0][0] < now - WINDOW:
            self._frames.popleft()
        self._frames.append((now, latency_ms, index))

    @property
    def fps(self) -> float:
        """Frames per second."""
        recent = self._recent()
        return (len(recent) - 1) / (recent[-1][0] - recent[0][0]) if len(recent) > 1 else 0.0

    @property
    def source_fps(self) -> float:
        """Frames per second that the source gave meanwhile."""
        recent = self._recent()
        given = recent[-1][2] - recent[0][2] if len(recent) > 1 else 0
        return given / (recent[-1][0] - recent[0][0]) if given > 0 else 0.0

    @property
    def latency_ms(self) -> float:
        """Median latency in milliseconds."""
        recent = self._recent()
        return median(latency for _, latency, _ in recent) if recent else 0.0

    def _recent(self) -> list[tuple[float, float, int]]:
        now = time.monotonic()
        return [entry for entry in tuple(self._frames) if entry[0] >= now - WINDOW]
