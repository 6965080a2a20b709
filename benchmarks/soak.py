"""Lets viewers come and go for minutes, and watches what the real server keeps of them: memory, threads, handles."""

import random
import selectors
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import psutil
from tqdm import tqdm

from benchmarks.viewers import Viewer, read_for, server

SETTLED: Final = 60.0
"""Seconds until memory is expected to grow no more."""
TURN: Final = 2.0
"""Seconds between two changes of the crowd."""
REST: Final = 15.0
"""Seconds without viewers after which the source is closed and idle threads have ended."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The server at one moment."""

    second: float
    viewers: int
    memory_mb: float
    threads: int
    handles: int


@dataclass(frozen=True, slots=True)
class Soak:
    """What the server held while viewers came and went, and before and after."""

    before: Sample
    after: Sample
    during: tuple[Sample, ...]
    visits: int
    """How many viewers came in all."""
    frames: int
    """How many pictures they were sent in all."""

    @property
    def growth_mb(self) -> float:
        """How much higher memory rose after the first minute (or the first half) than within it."""
        settled = min(SETTLED, self.during[-1].second / 2)
        early = max(sample.memory_mb for sample in self.during if sample.second <= settled)
        return max(sample.memory_mb for sample in self.during if sample.second >= settled) - early

    def as_json(self) -> dict[str, Any]:
        """Return all figures."""
        return asdict(self) | {"growth_mb": self.growth_mb}


def measure(source: Path, crowd: int, minutes: float, *, rest: float = REST, seed: int = 0) -> Soak:
    """Let up to `crowd` viewers at a time watch the real server, another few every two seconds.

    Raises:
        ServerError: The server does not start, or recognises nothing.

    """
    with server(source) as (port, process), selectors.DefaultSelector() as selector:
        time.sleep(rest)
        began = time.monotonic()
        before = _sample(process, began, 0)
        during, viewers, dice = [], list[Viewer](), random.Random(seed)  # noqa: S311 - nothing to keep secret
        for _ in _turns(60 * minutes):
            viewers += _change(selector, port, dice.randint(0, crowd), dice)
            read_for(selector, TURN)
            during.append(_sample(process, began, len(selector.get_map())))
        _change(selector, port, 0, dice)
        time.sleep(rest)
        after = _sample(process, began, 0)
    return Soak(before, after, tuple(during), len(viewers), sum(viewer.frames for viewer in viewers))


def _turns(seconds: float) -> Iterator[None]:
    """Yield until the time is over, and show how much of it is."""
    began = time.monotonic()
    with tqdm(total=round(seconds), desc="Viewers come and go", unit=" s", leave=False) as progress:
        while (elapsed := time.monotonic() - began) < seconds:
            progress.n = round(elapsed)
            progress.refresh()
            yield


def _change(selector: selectors.BaseSelector, port: int, count: int, dice: random.Random) -> list[Viewer]:
    """Let viewers leave or come until there are `count`; return those who came. Who leaves does so in mid-frame."""
    present = [key.data for key in selector.get_map().values()]
    for viewer in dice.sample(present, max(0, len(present) - count)):
        selector.unregister(viewer.socket)
        viewer.socket.close()
    new = [Viewer(port) for _ in range(count - len(present))]
    for viewer in new:
        selector.register(viewer.socket, selectors.EVENT_READ, viewer)
    return new


def _sample(process: psutil.Process, began: float, viewers: int) -> Sample:
    handles = process.num_handles() if psutil.WINDOWS else process.num_fds()
    memory = process.memory_info().rss / 1e6
    return Sample(time.monotonic() - began, viewers, memory, process.num_threads(), handles)
