"""Keeps a worker process going as long as there are jobs, and deletes what is out of date."""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from analysis.queue.job_files import JobFiles
from analysis.queue.jobs import JobStore
from config import ROOT, Settings
from errors import FacialExpressionError

log = logging.getLogger(__name__)

COMMAND: Final = (sys.executable, "-m", "analysis.queue.worker")
END_SECONDS: Final = 1.0
"""How long the process may take to put its job back when the application ends, which itself takes little longer."""
SWEEP_SECONDS: Final = 10.0
HANG_SECONDS: Final = 120.0
"""A process that gave no sign of life for so long is ended; loading the network, or one frame, takes far less."""
_FIRST_PAUSE: Final = 1.0
_MAX_PAUSE: Final = 60.0
"""Between attempts to start a process that fails at once."""


class JobRunner:
    """Runs `analysis.queue.worker` when there are jobs, watched by a thread that `wake` starts.

    Args:
        settings: Given to the worker; `uploads` says where the jobs are and how long they are kept.
        command: The worker's command line.

    """

    def __init__(self, settings: Settings, command: Sequence[str] = COMMAND) -> None:
        self.store = JobStore(settings.uploads.folder)
        self._settings = settings
        self._command = command
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[str] | None = None

    def wake(self) -> None:
        """See to it that the jobs in the queue are worked on."""
        with self._lock:
            if self._closed:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="jobs", daemon=True)
                self._thread.start()
            self._woken.set()
            self._tell("\n")

    def close(self) -> None:
        """End the worker, which puts its job back into the queue."""
        with self._lock:
            self._closed = True
            self._woken.set()
            process = self._process
        if process:
            _end(process)
        if self._thread:
            self._thread.join(END_SECONDS)

    def _watch(self) -> None:
        pause = 0.0
        while not self._closed:
            self._woken.clear()
            self._sweep()
            if self._has_work():
                pause = 0.0 if self._work() else min(max(_FIRST_PAUSE, 2 * pause), _MAX_PAUSE)
            if pause:
                self._woken.wait(pause)
            elif not self._has_work():
                self._woken.wait(SWEEP_SECONDS)

    def _work(self) -> bool:
        """Run the worker to its end; return whether that was a good one."""
        with self._lock:
            if self._closed:
                return True
            try:
                self._process = process = subprocess.Popen(  # noqa: S603 - our own command
                    self._command,
                    cwd=ROOT,
                    stdin=subprocess.PIPE,
                    text=True,
                    encoding="utf-8",
                    creationflags=getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0),  # Windows knows no niceness
                )
            except OSError:  # too little memory, or too many processes or open files
                log.exception("The process that analyses videos cannot be started")
                return False
            self._tell(self._settings.model_dump_json() + "\n")
        watchdog = _Watchdog(self.store.files)
        while True:
            try:
                status = process.wait(SWEEP_SECONDS)
            except subprocess.TimeoutExpired:
                self._sweep()
                watchdog.end_if_hanging(process)
            else:
                break
        with self._lock:
            self._process = None
        _end(process)
        if status and not self._closed:
            log.error("The process that analyses videos ended with status %s", status)
        return status == 0

    def _tell(self, line: str) -> None:
        if self._process and self._process.stdin:
            with suppress(OSError, ValueError):  # it has just ended
                self._process.stdin.write(line)
                self._process.stdin.flush()

    def _has_work(self) -> bool:
        if not self.store.files.root.is_dir():  # nobody has sent anything yet
            return False
        try:
            return self.store.unfinished()
        except FacialExpressionError as error:
            log.error("The list of videos cannot be read: %s", error)  # noqa: TRY400 - what to do, not where it was
            return False

    def _sweep(self) -> None:
        if not self.store.files.root.is_dir():
            return
        try:
            self.store.sweep(self._settings.uploads.keep_seconds)
        except (FacialExpressionError, OSError) as error:
            log.error("Old videos cannot be deleted: %s", error)  # noqa: TRY400 - as above


class _Watchdog:
    """Notices when the worker gives no sign of life; by a clock that stands still while the computer sleeps."""

    def __init__(self, files: JobFiles) -> None:
        self._files = files
        self._last_beat = files.last_beat()
        self._since = time.monotonic()

    def end_if_hanging(self, process: "subprocess.Popen[str]") -> None:
        """End the process if its last sign of life is too long ago."""
        beat = self._files.last_beat()
        if beat != self._last_beat:
            self._last_beat, self._since = beat, time.monotonic()
        if time.monotonic() - self._since > HANG_SECONDS:
            log.error("The process that analyses videos hangs, and is ended")
            process.kill()


def _end(process: subprocess.Popen[str]) -> None:
    if process.stdin:
        with suppress(OSError):
            process.stdin.close()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
