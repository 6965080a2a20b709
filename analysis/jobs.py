"""The queue of videos to analyse: who sent which, how far each is, and where its files are. Survives a restart."""

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from secrets import token_hex
from typing import Final

from errors import QueueFullError, ResultsError

MOST_ATTEMPTS: Final = 3
"""A video whose analysis ended this often with a crash is not tried again."""
_LEFTOVER_SECONDS: Final = 3600
"""A folder without a job is an upload under way, or, after this long, one that broke off."""
_LOCK_SECONDS: Final = 10.0

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    created REAL NOT NULL,
    started REAL,
    finished REAL,
    done REAL NOT NULL DEFAULT 0,
    total REAL NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    code TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT ''
)
"""


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """A video that a visitor sent. Times are in seconds since 1970, lengths in seconds of the video."""

    number: int
    """Rises from job to job; the queue is worked off in this order."""
    id: str
    owner: str
    """The visitor's random id."""
    name: str
    """What the visitor calls the video; never a path."""
    state: JobState
    created: float
    started: float | None
    """When its first frame was done, in the attempt that counts."""
    finished: float | None
    done: float
    total: float
    attempts: int
    code: str
    message: str
    """Why it failed."""

    def remaining(self, now: float) -> float | None:
        """Return the seconds that a running job still takes if it goes on as it did; None if unknown."""
        if self.state is not JobState.RUNNING or self.started is None or self.done <= 0:
            return None
        return max(0.0, (self.total - self.done) * (now - self.started) / self.done)


class JobStore:
    """The jobs in a folder: a database, and for each job a folder of its own. For any threads and processes.

    Args:
        folder: Made when it is first needed.
        clock: Gives seconds since 1970.

    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self.root = folder
        self.clock = clock

    def folder(self, job_id: str) -> Path:
        """Return where a job's files are."""
        return self.root / job_id

    def original(self, job_id: str) -> Path:
        """Return the video that was sent."""
        return self.folder(job_id) / "original"

    def results(self, job_id: str) -> Path:
        """Return the folder of results, which is there once the job is done."""
        return self.folder(job_id) / "results"

    def new_folder(self) -> str:
        """Make a folder for a job that is about to be added; return the job's random id.

        Raises:
            ResultsError: It cannot be made.

        """
        job_id = token_hex(16)
        try:
            self.folder(job_id).mkdir(parents=True)
        except OSError as error:
            raise ResultsError(f"Videos cannot be kept in {self.root}: {error.strerror}.") from error
        return job_id

    def add(self, job_id: str, owner: str, name: str, total: float, *, most: int, most_each: int) -> Job:
        """Queue the job whose video lies in its folder now.

        Args:
            job_id: From `new_folder`.
            owner: The visitor's id.
            name: What the visitor calls the video.
            total: Its length in seconds, as far as known.
            most: How many jobs may be kept at once.
            most_each: How many of them by one owner.

        Raises:
            QueueFullError: There are too many.

        """
        with self._database() as database:
            self._check_room(database, owner, most, most_each)
            row = database.execute(
                "INSERT INTO jobs (id, owner, name, state, created, total) VALUES (?, ?, ?, ?, ?, ?) RETURNING *",
                (job_id, owner, name, JobState.QUEUED, self.clock(), total),
            ).fetchone()
            return _job(row)

    def check_room(self, owner: str, *, most: int, most_each: int) -> None:
        """Raise QueueFullError if `add` would."""
        with self._database() as database:
            self._check_room(database, owner, most, most_each)

    def jobs(self, owner: str) -> list[Job]:
        """Return a visitor's jobs, the oldest first."""
        with self._database() as database:
            return [
                _job(row) for row in database.execute("SELECT * FROM jobs WHERE owner = ? ORDER BY number", (owner,))
            ]

    def job(self, owner: str, job_id: str) -> Job | None:
        """Return a visitor's job; None where the visitor has none of this id."""
        with self._database() as database:
            row = database.execute("SELECT * FROM jobs WHERE owner = ? AND id = ?", (owner, job_id)).fetchone()
            return _job(row) if row else None

    def ahead(self, job: Job) -> int:
        """Return how many jobs, of all visitors, are worked on before this one."""
        with self._database() as database:
            query = "SELECT count(*) FROM jobs WHERE state IN ('queued', 'running') AND number < ?"
            return int(database.execute(query, (job.number,)).fetchone()[0])

    def unfinished(self) -> bool:
        """Whether a job waits or runs."""
        with self._database() as database:
            return bool(database.execute("SELECT 1 FROM jobs WHERE state IN ('queued', 'running')").fetchone())

    def delete(self, job_id: str) -> None:
        """Delete a job with all its files; one that runs stops by itself."""
        with self._database() as database:
            database.execute("DELETE FROM jobs WHERE id = ?", (job_id,))
        self.discard(job_id)

    def discard(self, job_id: str) -> None:
        """Delete the folder of a job that is not in the database."""
        shutil.rmtree(self.folder(job_id), ignore_errors=True)

    def sweep(self, keep_seconds: float) -> None:
        """Delete the jobs that were finished longer ago than this, and what broken uploads left behind."""
        with self._database() as database:
            query = "DELETE FROM jobs WHERE finished < ? RETURNING id"
            expired = [row["id"] for row in database.execute(query, (self.clock() - keep_seconds,)).fetchall()]
            known = {row["id"] for row in database.execute("SELECT id FROM jobs")}
        for job_id in expired:
            self.discard(job_id)
        for folder in self.root.iterdir():
            if folder.is_dir() and folder.name not in known and self._is_leftover(folder):
                self.discard(folder.name)

    def claim(self) -> Job | None:
        """Take the next job from the queue, as running; None if there is none."""
        with self._database() as database:
            row = database.execute(
                "UPDATE jobs SET state = 'running', started = NULL, done = 0, attempts = attempts + 1 "
                "WHERE number = (SELECT min(number) FROM jobs WHERE state = 'queued') RETURNING *"
            ).fetchone()
            return _job(row) if row else None

    def advance(self, job_id: str, done: float, total: float) -> bool:
        """Note how far a running job is, in seconds of the video; return False if it was deleted."""
        with self._database() as database:
            query = "UPDATE jobs SET done = ?, total = ?, started = coalesce(started, ?) WHERE id = ?"
            return database.execute(query, (done, total, self.clock(), job_id)).rowcount == 1

    def finish(self, job_id: str) -> bool:
        """Note that a job is done and its results are in place; return False if it was deleted."""
        return self._end(job_id, JobState.DONE, "", "")

    def fail(self, job_id: str, code: str, message: str) -> bool:
        """Note why a job failed; return False if it was deleted."""
        return self._end(job_id, JobState.FAILED, code, message)

    def release(self, job_id: str) -> None:
        """Put a running job back to its place in the queue; this attempt does not count."""
        with self._database() as database:
            database.execute("UPDATE jobs SET state = 'queued', attempts = attempts - 1 WHERE id = ?", (job_id,))

    def recover(self) -> None:
        """Put back the jobs that were running when their process ended; only for who knows that none runs."""
        with self._database() as database:
            database.execute(
                "UPDATE jobs SET state = 'failed', finished = ?, code = 'crashed', "
                "message = 'The analysis broke off again and again. Convert the video to another format, and retry.' "
                "WHERE state = 'running' AND attempts >= ?",
                (self.clock(), MOST_ATTEMPTS),
            )
            database.execute("UPDATE jobs SET state = 'queued', done = 0 WHERE state = 'running'")

    @contextmanager
    def only_worker(self, timeout: float) -> Iterator[bool]:
        """Give True while this is the only process that works on jobs; False if another one is after `timeout` seconds.

        The operating system ends this claim with the process, however that ends: it is a lock on a database of its own.
        """
        lock = sqlite3.connect(self.root / "worker.lock", timeout=timeout, isolation_level=None)
        try:
            try:
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError:
                yield False
            else:
                yield True
        finally:
            lock.close()

    def _end(self, job_id: str, state: JobState, code: str, message: str) -> bool:
        with self._database() as database:
            query = "UPDATE jobs SET state = ?, finished = ?, code = ?, message = ? WHERE id = ?"
            return database.execute(query, (state, self.clock(), code, message, job_id)).rowcount == 1

    @staticmethod
    def _check_room(database: sqlite3.Connection, owner: str, most: int, most_each: int) -> None:
        query = "SELECT count(*), coalesce(sum(owner = ?), 0) FROM jobs"
        everyone, own = database.execute(query, (owner,)).fetchone()
        if own >= most_each:
            raise QueueFullError(f"You have {own} videos here, as many as are kept at once. Delete one, and retry.")
        if everyone >= most:
            raise QueueFullError("There are as many videos here as are kept at once. Try again later.")

    def _is_leftover(self, folder: Path) -> bool:
        try:
            return folder.stat().st_mtime < self.clock() - _LEFTOVER_SECONDS
        except OSError:  # someone else has just deleted it
            return False

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """Give a connection within a transaction.

        Raises:
            ResultsError: The database cannot be opened or written.

        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(self.root / "jobs.sqlite3", timeout=_LOCK_SECONDS, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise ResultsError(f"Videos cannot be kept in {self.root}: {error}.") from error
        try:
            database.row_factory = sqlite3.Row
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            database.execute(_SCHEMA)
            database.execute("BEGIN IMMEDIATE")
            with database:
                yield database
        except sqlite3.Error as error:
            raise ResultsError(f"The list of videos in {self.root} cannot be written: {error}.") from error
        finally:
            database.close()


def _job(row: sqlite3.Row) -> Job:
    return Job(**{**dict(row), "state": JobState(row["state"])})
