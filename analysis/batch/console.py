"""What a run over many files tells the terminal: one bar in seconds of video, and a line a file."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import av
from tqdm import tqdm

from analysis.batch.task import Options, Outcome, Task

_FORM: Final = "{desc} {bar} {n:.1f}/{total:.1f} s of video [{rate_noinv_fmt}, {elapsed} gone, {remaining} to go]"


class Console:
    """Shows how far a run is. Use it as a context manager; nothing is shown if it is quiet."""

    def __init__(self, tasks: Sequence[Task], options: Options, *, quiet: bool) -> None:
        self._tasks, self._options, self._quiet = tasks, options, quiet
        self._total: dict[str, float] = {}
        self._done: dict[str, float] = {}
        self._finished = 0
        self._bar = tqdm(total=1, unit=" s", bar_format=_FORM, leave=False, delay=0.1, disable=quiet)
        self._ended = threading.Event()
        self._prober = threading.Thread(target=self._probe, name="lengths", daemon=True)

    def progress(self, task: Task, done: float, total: float) -> None:
        """Show how many seconds of a file's video are done."""
        self._done[task.key], self._total[task.key] = done, total
        self._show()

    def finished(self, outcome: Outcome) -> None:
        """Show what became of a file."""
        key = outcome.task.key
        self._finished += 1
        self._done[key] = self._total[key] = outcome.seconds
        self._show()
        if not self._quiet:
            name = outcome.task.source.name
            result = "failed" if outcome.state == "failed" else f"{outcome.line} -> {self._options.out / key}"
            self._bar.write(f"{name}: {result}")

    def _show(self) -> None:
        if self._quiet:
            return
        self._bar.desc = f"{self._finished}/{len(self._tasks)} files"
        self._bar.total = sum(self._total.copy().values())
        self._bar.update(sum(self._done.values()) - self._bar.n)

    def _probe(self) -> None:
        """Learn how long the videos are that are still to come, as far as their headers tell."""
        sampling = self._options.sampling
        for task in self._tasks:
            if self._ended.is_set():
                return
            seconds = 0.0 if task.source.is_remote else _seconds(Path(task.source.address))
            self._total.setdefault(task.key, max(0.0, min(seconds, sampling.end) - sampling.begin))

    def __enter__(self) -> Self:
        if not self._quiet:
            self._prober.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._bar.close()


def _seconds(path: Path) -> float:
    """Return how long a video is by its header; 0 where that does not say, or is none."""
    with suppress(Exception), av.open(f"file:{path}") as container:
        return (container.duration or 0) / 1e6
    return 0.0
