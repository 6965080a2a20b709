"""Works off the queue of videos in a process of its own: `python -m analysis.queue.worker`, started by `runner`.

It is told everything on its standard input: the settings as a line of JSON, then an empty line for every new job.
The input's end, which comes however the parent ends, ends this process too; the job goes back to the queue.
"""

import logging
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TextIO

from analysis.queue.job import Job
from analysis.queue.job_files import JobFiles
from analysis.queue.jobs import JobStore
from analysis.queue.tables import USUAL_SPEED
from analysis.queue.work_queue import WorkQueue
from analysis.recording.baseline import parse_rest
from analysis.recording.video import analyze_video
from classifier import load_classifier
from config import ModelSettings, Settings
from entities import Classifier
from errors import (
    AnalysisCancelledError,
    FacialExpressionError,
    ModelError,
    RestError,
    ResultsError,
    SourceError,
    VideoSizeError,
)

log = logging.getLogger(__name__)

IDLE_SECONDS: Final = 60.0
"""The process ends, and its memory is free, this long after its last job."""
LOCK_SECONDS: Final = 5.0
NICENESS: Final = 15
"""Live video goes first."""
_REPORT_SECONDS: Final = 0.25
_SLOWEST: Final = 20
"""How many times as long as usual an analysis may take, besides ten minutes that any may."""
_MINUTES: Final = 600.0

_CODES: Final[dict[type[FacialExpressionError], str]] = {
    VideoSizeError: "video_too_large",
    SourceError: "broken_video",
    ModelError: "model_unavailable",
    RestError: "no_rest",
    FacialExpressionError: "failed",
}
"""What programs are told; the first that fits."""

_NOT_WRITTEN: Final = "The server’s disk is full or not writable. Delete other videos, or tell whoever runs the app."


class Inbox:
    """What the parent says, read on a thread of its own."""

    def __init__(self, lines: TextIO) -> None:
        self._lines = lines
        self._news = threading.Event()
        self._ended = threading.Event()
        threading.Thread(target=self._read, name="inbox", daemon=True).start()

    def ended(self) -> bool:
        """Whether the parent is gone, or wants this process to end."""
        return self._ended.is_set()

    def wait(self, seconds: float) -> bool:
        """Return whether something was said within this time."""
        said = self._news.wait(seconds)
        self._news.clear()
        return said

    def _read(self) -> None:
        for _ in self._lines:
            self._news.set()
        self._ended.set()
        self._news.set()


class Worker:
    """Takes one job after the other from the queue.

    Args:
        settings: `uploads` says where the queue is.
        load_classifier: Loads the network, when the first job needs it.
        inbox: What the parent says.

    """

    def __init__(self, settings: Settings, load_classifier: Callable[[], Classifier], inbox: Inbox) -> None:
        self._settings = settings
        self._load = load_classifier
        self._inbox = inbox
        self._store = JobStore(settings.uploads.folder)
        self._queue = WorkQueue(self._store)
        self._classifier: Classifier | None = None

    def run(self, idle_seconds: float = IDLE_SECONDS) -> None:
        """Work until the parent ends it, or there was nothing to do for `idle_seconds`."""
        while not self._inbox.ended():
            self._store.files.beat()
            with self._queue.only_worker(LOCK_SECONDS) as alone:
                if alone:
                    self._queue.recover()
                    self._work(idle_seconds)
                    return

    def _work(self, idle_seconds: float) -> None:
        while not self._inbox.ended():
            self._store.files.beat()
            self._prepare()
            job = self._queue.claim()
            if job:
                self._do(job)
            elif not self._inbox.wait(idle_seconds):
                return

    def _prepare(self) -> None:
        """Load the network before a job is taken: being ended meanwhile does not count as an attempt."""
        if self._classifier is None and self._store.unfinished():
            with suppress(ModelError):  # each job will say so
                self._classifier = self._load()

    def _do(self, job: Job) -> None:
        log.info("Video %s: started", job.id)
        try:
            self._analyze(job)
        except AnalysisCancelledError:
            if self._inbox.ended():
                self._queue.release(job.id)
                return
            kept = False
        except ResultsError:
            log.exception("Video %s: its results cannot be written", job.id)
            kept = self._queue.fail(job.id, "not_written", _NOT_WRITTEN)
        except FacialExpressionError as error:
            code = next(code for kind, code in _CODES.items() if isinstance(error, kind))
            kept = self._queue.fail(job.id, code, str(error))
        except Exception:
            log.exception("Video %s: failed", job.id)
            kept = self._queue.fail(job.id, "failed", "The analysis failed. The app’s log has the details.")
        else:
            kept = self._queue.finish(job.id)
        if not kept:
            self._store.files.discard(job.id)

    def _analyze(self, job: Job) -> None:
        self._clear(job)
        progress = _JobProgress(job, self._store.files, self._queue, self._inbox)
        self._classifier, options = self._classifier or self._load(), job.options
        analyze_video(
            self._store.files.original(job.id),
            self._store.files.results(job.id),
            self._settings,
            self._classifier,
            name=job.name,
            rest=parse_rest(options.rest) if options.rest else None,
            blur=options.blur,
            sampling=options.sampling,
            progress=progress.report,
            cancelled=progress.cancelled,
        )

    def _clear(self, job: Job) -> None:
        """Remove what an earlier attempt left when its process was killed."""
        for path in list(self._store.files.folder(job.id).glob("*")):
            if path != self._store.files.original(job.id):
                shutil.rmtree(path)


class _JobProgress:
    """Reports how far a job is, a few times a second, and learns whether it was deleted."""

    def __init__(self, job: Job, files: JobFiles, queue: WorkQueue, inbox: Inbox) -> None:
        self._job = job
        self._files = files
        self._queue = queue
        self._inbox = inbox
        self._progress = (0.0, job.total)
        self._reported = 0.0
        self._deleted = False
        self._until = time.monotonic() + _MINUTES + _SLOWEST * job.work / USUAL_SPEED

    def report(self, done: float, total: float) -> None:
        self._progress = (done, total)

    def cancelled(self) -> bool:
        """Say whether to stop.

        Raises:
            VideoSizeError: It takes far too long.

        """
        if time.monotonic() > self._until:
            raise VideoSizeError(
                "Its analysis takes far longer than its size justifies. Convert the video to another format, and retry."
            )
        if time.monotonic() - self._reported >= _REPORT_SECONDS:
            self._files.beat()
            self._deleted = not self._queue.advance(self._job.id, *self._progress)
            self._reported = time.monotonic()
        return self._deleted or self._inbox.ended()


def main(load: Callable[[ModelSettings], Classifier] = load_classifier) -> None:
    """Work as the standard input says."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches this process too; the parent's end is what counts
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    settings = Settings.model_validate_json(sys.stdin.readline())
    Worker(settings, lambda: load(settings.model), Inbox(sys.stdin)).run()


if __name__ == "__main__":
    main()
    logging.shutdown()
    os._exit(0)  # nothing is left to lose, and taking the network's libraries down takes longer than the parent waits
