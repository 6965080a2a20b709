"""The queue of videos to analyse: who sent which, how far each is, and where its files are. Survives a restart."""

import re
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from secrets import token_hex
from typing import Final, Literal

from errors import QueueFullError, ResultsError

MOST_ATTEMPTS: Final = 3
"""A video whose analysis ended this often with a crash is not tried again."""
ROOM: Final = 3
"""Free disk space that a video needs, in times its own size: itself, the annotated one, and both in a ZIP."""
_LEFTOVER_SECONDS: Final = 3600
"""An upload of which nothing came for this long broke off."""
_LOCK_SECONDS: Final = 10.0
_DATABASE: Final = "jobs.sqlite3"
_ID: Final = re.compile(r"[0-9a-f]{32}")
"""What the folders of jobs are called; all others in the same place are somebody else's."""

_UPLOADS: Final = """
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    bytes INTEGER NOT NULL
)
"""
_JOBS: Final = """
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
    """When the work on its frames began, in the attempt that counts."""
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

    What it makes is for this user of the computer only.

    Args:
        folder: Made when it is first needed.
        clock: Gives seconds since 1970.

    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self.root = folder
        self.clock = clock
        self._preparing = threading.Lock()
        self._prepared = False

    def folder(self, job_id: str) -> Path:
        """Return where a job's files are."""
        return self.root / job_id

    def original(self, job_id: str) -> Path:
        """Return the video that was sent."""
        return self.folder(job_id) / "original"

    def results(self, job_id: str) -> Path:
        """Return the folder of results, which is there once the job is done."""
        return self.folder(job_id) / "results"

    def reserve(self, owner: str, size: int, *, most: int, most_each: int) -> str:
        """Take a place for a video that is about to be received, and make its folder; return the job's random id.

        The place is taken until the job is deleted, or the upload given up.

        Args:
            owner: The visitor's id.
            size: Bytes that may come.
            most: How many videos may be kept at once.
            most_each: How many of them by one owner.

        Raises:
            QueueFullError: There are too many.
            ResultsError: The folder cannot be made, or the disk has too little room for all that is on its way.

        """
        job_id = token_hex(16)
        with self._database() as database:
            self._check_number(database, owner, most, most_each)
            self._check_disk(database, size)
            database.execute("INSERT INTO uploads VALUES (?, ?, ?)", (job_id, owner, size))
            try:
                self.folder(job_id).mkdir(mode=0o700)
            except OSError as error:
                raise ResultsError(f"Videos cannot be kept in {self.root}: {error.strerror}.") from error
        return job_id

    def give_up(self, job_id: str) -> None:
        """Delete what came of an upload that failed, and free its place."""
        self.discard(job_id)
        with self._database() as database:
            database.execute("DELETE FROM uploads WHERE id = ?", (job_id,))

    def add(self, job_id: str, owner: str, name: str, total: float) -> Job:
        """Queue the job whose video lies in its folder now.

        Args:
            job_id: From `reserve`.
            owner: The visitor's id.
            name: What the visitor calls the video.
            total: Its length in seconds, as far as known.

        """
        with self._database() as database:
            database.execute("DELETE FROM uploads WHERE id = ?", (job_id,))
            row = database.execute(
                "INSERT INTO jobs (id, owner, name, state, created, total) VALUES (?, ?, ?, ?, ?, ?) RETURNING *",
                (job_id, owner, name, JobState.QUEUED, self.clock(), total),
            ).fetchone()
            return _job(row)

    def jobs(self, owner: str) -> list[Job]:
        """Return a visitor's jobs, the oldest first."""
        with self._database("BEGIN") as database:
            return [
                _job(row) for row in database.execute("SELECT * FROM jobs WHERE owner = ? ORDER BY number", (owner,))
            ]

    def job(self, owner: str, job_id: str) -> Job | None:
        """Return a visitor's job; None where the visitor has none of this id."""
        with self._database("BEGIN") as database:
            row = database.execute("SELECT * FROM jobs WHERE owner = ? AND id = ?", (owner, job_id)).fetchone()
            return _job(row) if row else None

    def ahead(self, job: Job) -> int:
        """Return how many jobs, of all visitors, are worked on before this one."""
        with self._database("BEGIN") as database:
            query = "SELECT count(*) FROM jobs WHERE state IN ('queued', 'running') AND number < ?"
            return int(database.execute(query, (job.number,)).fetchone()[0])

    def unfinished(self) -> bool:
        """Whether a job waits or runs."""
        with self._database("BEGIN") as database:
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
            jobs = {row["id"] for row in database.execute("SELECT id FROM jobs")}
            uploads = {row["id"] for row in database.execute("SELECT id FROM uploads")}
        for job_id in expired:
            self.discard(job_id)
        folders = {path.name for path in self.root.iterdir() if _ID.fullmatch(path.name)}
        for job_id in (uploads | folders) - jobs:
            if self._last_written(job_id) < self.clock() - _LEFTOVER_SECONDS:
                self.give_up(job_id)

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
        lock = self._connect("worker.lock", timeout)
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
    def _check_number(database: sqlite3.Connection, owner: str, most: int, most_each: int) -> None:
        query = (
            "SELECT count(*), coalesce(sum(owner = ?), 0) "
            "FROM (SELECT owner FROM jobs UNION ALL SELECT owner FROM uploads)"
        )
        everyone, own = database.execute(query, (owner,)).fetchone()
        if own >= most_each:
            raise QueueFullError(f"You have {own} videos here, as many as are kept at once. Delete one, and retry.")
        if everyone >= most:
            raise QueueFullError("There are as many videos here as are kept at once. Try again later.")

    def _check_disk(self, database: sqlite3.Connection, size: int) -> None:
        on_their_way = database.execute("SELECT coalesce(sum(bytes), 0) FROM uploads").fetchone()[0]
        if shutil.disk_usage(self.root).free < ROOM * (on_their_way + size):
            raise ResultsError(f"The disk is full; videos need more room in {self.root}.")

    def _last_written(self, job_id: str) -> float:
        """Return when something last came of an upload, in seconds since 1970; 0 if nothing is there."""
        for path in (self.original(job_id), self.folder(job_id)):
            with suppress(OSError):
                return path.stat().st_mtime
        return 0.0

    def _connect(self, name: str, timeout: float) -> sqlite3.Connection:
        path = self.root / name
        path.touch(mode=0o600)
        return sqlite3.connect(path, timeout=timeout, isolation_level=None)

    def _prepare(self) -> None:
        """Make the database and its tables, once, and again where the folder was deleted.

        One thread at a time: a database that two make at once is locked for one of them, however long that waits.
        """
        with self._preparing:
            if self._prepared and (self.root / _DATABASE).exists():
                return
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            with closing(self._connect(_DATABASE, _LOCK_SECONDS)) as database:
                database.execute("PRAGMA journal_mode = WAL")
                database.execute(_JOBS)
                database.execute(_UPLOADS)
            self._prepared = True

    @contextmanager
    def _database(self, begin: Literal["BEGIN IMMEDIATE", "BEGIN"] = "BEGIN IMMEDIATE") -> Iterator[sqlite3.Connection]:
        """Give a connection within a transaction; one that only reads may `BEGIN` while another one writes.

        Raises:
            ResultsError: The database cannot be opened or written.

        """
        try:
            self._prepare()
            database = self._connect(_DATABASE, _LOCK_SECONDS)
        except (OSError, sqlite3.Error) as error:
            raise ResultsError(f"Videos cannot be kept in {self.root}: {error}.") from error
        try:
            database.row_factory = sqlite3.Row
            database.execute("PRAGMA synchronous = NORMAL")
            database.execute(begin)
            with database:
                yield database
        except sqlite3.Error as error:
            raise ResultsError(f"The list of videos in {self.root} cannot be written: {error}.") from error
        finally:
            database.close()


def _job(row: sqlite3.Row) -> Job:
    return Job(**{**dict(row), "state": JobState(row["state"])})
