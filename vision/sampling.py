"""Which frames of a video are looked at."""

from collections.abc import Callable
from dataclasses import dataclass
from math import floor, inf
from typing import Final

from errors import ConfigError

_EARLY: Final = 1e-3
"""By which share of a step a frame may come early: times are rounded."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """From when to when, and how many; all frames unless said otherwise."""

    fps: float | None = None
    """Frames a second at most, evenly spread."""
    every: int = 1
    """The first frame of the file, and then one of so many."""
    begin: float = 0.0
    """Seconds from the first frame of the file; what comes before is not looked at."""
    end: float = inf
    """Seconds from the first frame of the file; what begins then or later is not looked at."""

    def __post_init__(self) -> None:
        """Check what is asked for.

        Raises:
            ConfigError: It cannot be.

        """
        if self.fps is not None and not 0 < self.fps < inf:
            raise ConfigError(f"fps is {self.fps:g}. Give a number above 0, or None for all frames.")
        if self.every < 1 or self.every % 1:
            raise ConfigError(f"every is {self.every:g}. Give a whole number from 1, which means all frames.")
        if not 0 <= self.begin < self.end:
            raise ConfigError(f"begin is {self.begin:g} and end {self.end:g}. Give seconds from 0, begin before end.")

    @property
    def is_sparse(self) -> bool:
        """Whether frames between others are left out."""
        return self.fps is not None or self.every > 1

    def picker(self) -> Callable[[int, float], bool]:
        """Return what says whether the frame of an index and a time (seconds) is looked at; call it once a frame."""
        latest = -1

        def is_wanted(index: int, time: float) -> bool:
            nonlocal latest
            if not self.begin <= time < self.end or index % self.every:
                return False
            if self.fps is None:
                return True
            slot = floor((time - self.begin) * self.fps + _EARLY)
            latest, before = max(slot, latest), latest
            return slot > before

        return is_wanted


EVERY_FRAME: Final = Sampling()
