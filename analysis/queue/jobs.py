"""The queue of videos to analyse: its list in a database, and each video's files. Survives a restart."""

import json
import re
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict
from pathlib import Path
from secrets import token_hex
from typing import Final

from analysis.queue.admission import check_disk, check_network, check_number
from analysis.queue.database import Database
from analysis.queue.job import Job, JobState, Place, VideoOptions
from analysis.queue.turns import Waiting, turn_order
from errors import ResultsError

MOST_ATTEMPTS: Final = 3
"""A video whose analysis ended this often with a crash is not tried again."""
USUAL_SPEED: Final = 30e6
"""Pixels a second that are analysed, before this computer has shown how many it can."""
_LEFTOVER_SECONDS: Final = 3600
"""An upload of which nothing came for this long broke off."""
_ID: Final = re.compile(r"[0-9a-f]{32}")
"""What the folders of jobs are called; all others in the same place are somebody else's."""
_ALIVE: Final = "worker.alive"

_VERSION: Final = 5
_TABLES: Final = """
CREATE TABLE uploads (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    network TEXT NOT NULL,
    bytes INTEGER NOT NULL
);
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    network TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    created REAL NOT NULL,
    started REAL,
    finished REAL,
    done REAL NOT NULL DEFAULT 0,
    total REAL NOT NULL DEFAULT 0,
    work REAL NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    code TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT '',
    options TEXT NOT NULL
);
CREATE TABLE turns (
    party TEXT PRIMARY KEY,
    at REAL NOT NULL
)
"""


_ALL: Final = VideoOptions()


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
        self._database = Database(folder, _VERSION, _TABLES)

    def folder(self, job_id: str) -> Path:
        """Return where a job's files are."""
        return self.root / job_id

    def original(self, job_id: str) -> Path:
        """Return the video that was sent."""
        return self.folder(job_id) / "original"

    def results(self, job_id: str) -> Path:
        """Return the folder of results, which is there once the job is done."""
        return self.folder(job_id) / "results"

    def reserve(self, owner: str, size: int, *, most: int, most_each: int, network: str = "") -> str:
        """Take a place for a video that is about to be received, and make its folder; return the job's random id.

        The place is taken until the job is deleted, or the upload given up.

        Args:
            owner: The visitor's id.
            size: Bytes that may come.
            most: How many videos may be kept at once. One network may have half of them.
            most_each: How many of them by one owner.
            network: Stands for where it comes from; empty if unknown.

        Raises:
            QueueFullError: There are too many.
            ResultsError: The folder cannot be made, or the disk has too little room for all that is on its way.

        """
        job_id = token_hex(16)
        with self._database.transaction() as database:
            check_number(database, owner, most, most_each)
            check_network(database, network, max(most_each, most // 2))
            check_disk(database, self.root, size)
            database.execute("INSERT INTO uploads VALUES (?, ?, ?, ?)", (job_id, owner, network, size))
            try:
                self.folder(job_id).mkdir(mode=0o700)
            except OSError as error:
                raise ResultsError(f"Videos cannot be kept in {self.root}: {error.strerror}.") from error
        return job_id

    def give_up(self, job_id: str) -> None:
        """Delete what came of an upload that failed, and free its place."""
        self.discard(job_id)
        with self._database.transaction() as database:
            database.execute("DELETE FROM uploads WHERE id = ?", (job_id,))

    def add(
        self,
        job_id: str,
        owner: str,
        name: str,
        total: float,
        *,
        work: float = 0,
        network: str = "",
        options: VideoOptions = _ALL,
    ) -> Job:
        """Queue the job whose video lies in its folder now.

        Args:
            job_id: From `reserve`.
            owner: The visitor's id.
            name: What the visitor calls the video.
            total: Seconds of it that are to be analysed, as far as known.
            work: What its analysis costs, in pixels, as far as known.
            network: Stands for where it came from; empty if unknown.
            options: How it is to be analysed.

        """
        told = json.dumps(asdict(options))
        with self._database.transaction() as database:
            database.execute("DELETE FROM uploads WHERE id = ?", (job_id,))
            row = database.execute(
                "INSERT INTO jobs (id, owner, network, name, state, created, total, work, options) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *",
                (job_id, owner, network, name, JobState.QUEUED, self.clock(), total, work, told),
            ).fetchone()
            return _job(row)

    def jobs(self, owner: str) -> list[Job]:
        """Return a visitor's jobs, the oldest first."""
        with self._database.transaction("read") as database:
            return [
                _job(row) for row in database.execute("SELECT * FROM jobs WHERE owner = ? ORDER BY number", (owner,))
            ]

    def job(self, owner: str, job_id: str) -> Job | None:
        """Return a visitor's job; None where the visitor has none of this id."""
        with self._database.transaction("read") as database:
            row = database.execute("SELECT * FROM jobs WHERE owner = ? AND id = ?", (owner, job_id)).fetchone()
            return _job(row) if row else None

    def places(self) -> dict[str, Place]:
        """Return where each job that waits, of all visitors, stands in the queue, by its id."""
        with self._database.transaction("read") as database:
            running = [_job(row) for row in database.execute("SELECT * FROM jobs WHERE state = 'running'")]
            queued = {row["number"]: _job(row) for row in database.execute(_QUEUED)}
            order = _order(database)
            speed = _speed(database)
        now = self.clock()
        left = [(job.remaining(now), job.work / speed) for job in running]
        wait = sum(estimate if known is None else known for known, estimate in left)
        places = {}
        for ahead, number in enumerate(order, len(running)):
            job = queued[number]
            places[job.id] = Place(ahead, wait, job.work / speed)
            wait += job.work / speed
        return places

    def unfinished(self) -> bool:
        """Whether a job waits or runs."""
        with self._database.transaction("read") as database:
            return bool(database.execute("SELECT 1 FROM jobs WHERE state IN ('queued', 'running')").fetchone())

    def delete(self, job_id: str) -> None:
        """Delete a job with all its files; one that runs stops by itself.

        The files go first: on a full disk, they make room for the change to the list.
        """
        self.discard(job_id)
        with self._database.transaction() as database:
            database.execute("DELETE FROM jobs WHERE id = ?", (job_id,))
        self.discard(job_id)  # what the analysis wrote meanwhile

    def discard(self, job_id: str) -> None:
        """Delete the folder of a job that is not in the database."""
        shutil.rmtree(self.folder(job_id), ignore_errors=True)

    def sweep(self, keep_seconds: float) -> None:
        """Delete the jobs that were finished longer ago than this, and what broken uploads left behind."""
        before = self.clock() - keep_seconds
        with self._database.transaction("read") as database:
            expired = _ids(database, "SELECT id FROM jobs WHERE finished < ?", before)
            jobs = _ids(database, "SELECT id FROM jobs") - expired
            uploads = _ids(database, "SELECT id FROM uploads")
        for job_id in expired:
            self.delete(job_id)
        folders = {path.name for path in self.root.iterdir() if _ID.fullmatch(path.name)}
        for job_id in (uploads | folders) - jobs:
            if self._last_written(job_id) < self.clock() - _LEFTOVER_SECONDS:
                self.give_up(job_id)
        if expired:
            with self._database.transaction() as database:
                database.execute("DELETE FROM turns WHERE at < ?", (before,))

    def claim(self) -> Job | None:
        """Take the next job from the queue, as running; None if there is none."""
        with self._database.transaction() as database:
            number = next(iter(_order(database)), None)
            if number is None:
                return None
            row = database.execute(
                "UPDATE jobs SET state = 'running', started = NULL, done = 0, attempts = attempts + 1 "
                "WHERE number = ? RETURNING *",
                (number,),
            ).fetchone()
            job = _job(row)
            latest = database.execute("SELECT max(at) FROM turns").fetchone()[0] or 0.0
            for party in _parties(job.network, job.owner):
                turn = party, max(self.clock(), latest + 1e-3)
                database.execute("INSERT OR REPLACE INTO turns VALUES (?, ?)", turn)
            return job

    def advance(self, job_id: str, done: float, total: float) -> bool:
        """Note how far a running job is, in seconds of the video; return False if it was deleted."""
        with self._database.transaction() as database:
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
        with self._database.transaction() as database:
            database.execute("UPDATE jobs SET state = 'queued', attempts = attempts - 1 WHERE id = ?", (job_id,))

    def recover(self) -> None:
        """Put back the jobs that were running when their process ended; only for who knows that none runs."""
        with self._database.transaction() as database:
            database.execute(
                "UPDATE jobs SET state = 'failed', finished = ?, code = 'crashed', "
                "message = 'The analysis crashed several times. Convert the video to another format and try again.' "
                "WHERE state = 'running' AND attempts >= ?",
                (self.clock(), MOST_ATTEMPTS),
            )
            database.execute("UPDATE jobs SET state = 'queued', done = 0 WHERE state = 'running'")

    def only_worker(self, timeout: float) -> AbstractContextManager[bool]:
        """Give True while this is the only process that works on jobs; False if after these seconds another one is."""
        return self._database.only_process("worker.lock", timeout)

    def beat(self) -> None:
        """Show that the worker is alive."""
        with suppress(OSError):
            (self.root / _ALIVE).touch(mode=0o600)

    def last_beat(self) -> float:
        """Return when the worker last showed that it is alive, in seconds since 1970; 0 if it never did."""
        return _written(self.root / _ALIVE)

    def _end(self, job_id: str, state: JobState, code: str, message: str) -> bool:
        with self._database.transaction() as database:
            query = "UPDATE jobs SET state = ?, finished = ?, code = ?, message = ? WHERE id = ?"
            return database.execute(query, (state, self.clock(), code, message, job_id)).rowcount == 1

    def _last_written(self, job_id: str) -> float:
        """Return when something last came of an upload, in seconds since 1970; 0 if nothing is there."""
        return _written(self.original(job_id)) or _written(self.folder(job_id))


_QUEUED: Final = "SELECT * FROM jobs WHERE state = 'queued'"


def _order(database: sqlite3.Connection) -> list[int]:
    """Return the numbers of the jobs that wait, in the order of their turns."""
    turns = {row["party"]: row["at"] for row in database.execute("SELECT * FROM turns")}
    queued = [Waiting(row["number"], _parties(row["network"], row["owner"])) for row in database.execute(_QUEUED)]
    return turn_order(queued, turns)


def _parties(network: str, owner: str) -> tuple[str, str]:
    return f"network {network}", f"visitor {owner}"


def _speed(database: sqlite3.Connection) -> float:
    """Return how many pixels a second were analysed lately."""
    query = "SELECT sum(work) / sum(finished - started) FROM jobs WHERE state = 'done' AND work > 0"
    return float(database.execute(query).fetchone()[0] or USUAL_SPEED)


def _ids(database: sqlite3.Connection, query: str, *values: float) -> set[str]:
    return {row["id"] for row in database.execute(query, values)}


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _job(row: sqlite3.Row) -> Job:
    options = VideoOptions(**json.loads(row["options"]))
    return Job(**{**dict(row), "state": JobState(row["state"]), "options": options})
