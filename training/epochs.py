"""How far a training that runs in another process has come."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Final

import pandas as pd

LOOK_EVERY: Final = 0.5
"""Seconds between two looks at how many epochs are done."""


def epochs_done(log: Path) -> int:
    """Return the number of epochs in a training's log, which need not be there."""
    try:
        return int(pd.read_csv(log)["epoch"].nunique())
    except (OSError, ValueError, KeyError):  # Not there yet, or just being written.
        return 0


@contextmanager
def watch_epochs(log: Path, on_epochs: Callable[[int], object]) -> Iterator[None]:
    """Call a function with the number of epochs that are done, now and then and once more at the end."""
    ended = Event()

    def watch() -> None:
        while not ended.wait(LOOK_EVERY):
            on_epochs(epochs_done(log))
        on_epochs(epochs_done(log))

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
