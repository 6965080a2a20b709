"""Analyses the files of a run: one after another in this process, or in several processes of this computer."""

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection, wait
from typing import Final, cast

import cv2

from analysis.batch.task import Options, Outcome, Task, analyze_file, give_up, throttled
from classifier import load_classifier
from config import Settings
from entities import Classifier
from errors import FacialExpressionError
from process import return_memory, trim_memory

Listener = Callable[[Task, float, float], None]
"""Told of a task how many seconds of its video are done, and how many there are."""
Load = Callable[[Settings], Classifier]

ATTEMPTS: Final = 4
"""How often a file is begun, at most, whose process dies: it is done again three times."""
_LARGE_BLOCK: Final = 200_000
"""Bytes; less than most pictures have. What pictures took and is kept for later adds up to 150 MB a process."""
_REPORT_SECONDS: Final = 0.2
_LOOK_SECONDS: Final = 1.0
"""How often to look for Ctrl-C, at least: one that comes just before the wait for a process does not end it."""
_JOIN_SECONDS: Final = 5.0


def load_network(settings: Settings) -> Classifier:
    """Load the network that the settings name, on one thread, as all libraries are in a process that is one of many.

    The same number of threads in every process, however many there are, also means the same numbers.

    Raises:
        ModelError: It cannot be loaded.

    """
    cv2.setNumThreads(1)
    return_memory(_LARGE_BLOCK)
    return load_classifier(settings.model, threads=1)


def run_here(tasks: Sequence[Task], options: Options, classifier: Classifier, listener: Listener) -> Iterator[Outcome]:
    """Analyse the files one after another; yield what became of each."""
    for task in tasks:
        yield analyze_file(task, options, classifier, partial(listener, task))


def run_in_processes(
    tasks: Sequence[Task], options: Options, count: int, listener: Listener, load: Load = load_network
) -> Iterator[Outcome]:
    """Analyse the files in so many processes; yield what became of each as it is done.

    A file whose process dies is begun again in another. When this ends, however it does, so do the processes.

    Raises:
        ModelError: The network cannot be loaded.

    """
    queue = deque((task, 1) for task in tasks)
    workers = [_Worker(options, load) for _ in range(min(count, len(tasks)))]
    try:
        while queue or any(worker.task for worker in workers):
            for worker in workers:
                if worker.task is None and queue:
                    worker.give(*queue.popleft())
            for ready in wait([worker.connection for worker in workers if worker.task], _LOOK_SECONDS):
                worker = next(worker for worker in workers if worker.connection is ready)
                try:
                    said = worker.connection.recv()
                except (EOFError, OSError):
                    workers[workers.index(worker)] = _Worker(options, load)
                    if (outcome := _died(worker, options, queue)) is not None:
                        yield outcome
                    continue
                if isinstance(said, Exception):
                    raise said
                if isinstance(said, Outcome):
                    worker.task = None
                    yield said
                else:
                    listener(worker.busy_with, *said)
    finally:
        for worker in workers:
            worker.end()


def _died(worker: "_Worker", options: Options, queue: "deque[tuple[Task, int]]") -> Outcome | None:
    """Let the file of a process that died be begun again; if that was often enough, return that it failed."""
    task, attempt = worker.busy_with, worker.attempt
    worker.end()
    if attempt < ATTEMPTS:
        queue.appendleft((task, attempt + 1))
        return None
    return give_up(task, options, ATTEMPTS)


class _Worker:
    """A process that analyses one file after another."""

    def __init__(self, options: Options, load: Load) -> None:
        context = multiprocessing.get_context("spawn")
        self.task: Task | None = None
        self.attempt = 0
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, options, load), daemon=True)
        self._process.start()
        theirs.close()

    @property
    def busy_with(self) -> Task:
        """The file that it analyses."""
        return cast("Task", self.task)

    def give(self, task: Task, attempt: int) -> None:
        """Let it analyse a file."""
        self.task, self.attempt = task, attempt
        with suppress(OSError):  # it died meanwhile, as the next look at it tells
            self.connection.send(task)

    def end(self) -> None:
        """End the process at once; what it was writing is of no use."""
        self._process.kill()
        self._process.join(_JOIN_SECONDS)
        self.connection.close()


def _work(connection: Connection, options: Options, load: Load) -> None:
    """Analyse the files that come until there are no more; say how far each is, and what became of it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the parent decides
    try:
        classifier = load(options.settings)
        while True:
            report = throttled(lambda done, total: connection.send((done, total)), _REPORT_SECONDS)
            connection.send(analyze_file(connection.recv(), options, classifier, report))
            trim_memory()  # a file leaves about 25 MB, and each further one would add some
    except FacialExpressionError as error:
        connection.send(error)
    except (EOFError, BrokenPipeError, ConnectionResetError):  # the parent is gone
        return
