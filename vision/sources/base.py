"""What every source is, whatever kind of device or file is behind it."""

import time
from collections.abc import Generator
from dataclasses import replace
from itertools import count
from typing import Final, Protocol

from entities import Frame

STILL_SECONDS: Final = 0.2
"""How long a still picture stands before it is shown again."""

Frames = Generator[Frame, None, None]


class Source(Protocol):
    """Something that gives frames.

    A source only reads, as fast as it is asked; `capture` paces it by the clock, keeps its newest frame and opens it
    again when it fails.
    """

    @property
    def name(self) -> str:
        """What it is called in the page and in messages; never holds a password."""
        ...

    @property
    def live(self) -> bool:
        """Whether it shows the present, so that frames not fetched in time are lost."""
        ...

    @property
    def note(self) -> str:
        """What the user should know although frames come; mostly empty."""
        ...

    def frames(self) -> Frames:
        """Open the source and yield its frames; closing the iterator closes the source.

        Ends where the source has ended for good. Blocks for as long as the device or network does.

        Raises:
            SourceError: It cannot be opened, or no longer read; another call may succeed.

        """
        ...


def held(frame: Frame) -> Frames:
    """Yield one picture for ever, some times a second."""
    for index in count(frame.index + 1):
        frame = replace(frame, index=index, captured_at=time.monotonic(), time=(frame.time or 0) + STILL_SECONDS)
        yield frame
