"""The queue of videos to analyse: its list in a database, and each video's files. Survives a restart."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from secrets import token_hex
from typing import Final

from analysis.queue.admission import check_disk, check_number
from analysis.queue.database import Database
from analysis.queue.job import Job, JobState, Place, VideoOptions
from analysis.queue.job_files import JobFiles
from analysis.queue.tables import ids, queue_order, read_job, recent_speed
from errors import ResultsError

_LEFTOVER_SECONDS: Final = 3600
"""An upload of which nothing came for this long broke off."""
_ALL: Final = VideoOptions()


class JobStore:
    """The jobs in a folder: a database, and for each job a folder of its own. For any threads and processes.

    What it makes is for this user of the computer only.

    Args:
        folder: Made when it is first needed.
        clock: Gives seconds since 1970.

    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self.files = JobFiles(folder)
        self.clock = clock
        self.database = Database(folder)

    def reserve(self, owner: str, size: int, *, most: int, most_each: int, network: str = "") -> str:
        """Take a place for a video that is about to be received, and make its folder; return the job's random id.

        The place is taken until the job is deleted, or the upload aborted.

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
        with self.database.transaction() as database:
            check_number(database, owner, network, most=most, most_each=most_each)
            check_disk(database, self.files.root, size)
            database.execute("INSERT INTO uploads VALUES (?, ?, ?, ?)", (job_id, owner, network, size))
            try:
                self.files.folder(job_id).mkdir(mode=0o700)
            except OSError as error:
                raise ResultsError(f"Videos cannot be kept in {self.files.root}: {error.strerror}.") from error
        return job_id

    def abort_upload(self, job_id: str) -> None:
        """Delete what came of an upload that failed, and free its place."""
        self.files.discard(job_id)
        with self.database.transaction() as database:
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
        described = json.dumps(asdict(options))
        with self.database.transaction() as database:
            database.execute("DELETE FROM uploads WHERE id = ?", (job_id,))
            row = database.execute(
                "INSERT INTO jobs (id, owner, network, name, state, created, total, work, options) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *",
                (job_id, owner, network, name, JobState.QUEUED, self.clock(), total, work, described),
            ).fetchone()
            return read_job(row)

    def jobs(self, owner: str) -> list[Job]:
        """Return a visitor's jobs, the oldest first; without those that are being deleted, whose files go first."""
        with self.database.transaction("read") as database:
            jobs = [
                read_job(row)
                for row in database.execute("SELECT * FROM jobs WHERE owner = ? ORDER BY number", (owner,))
            ]
        return [job for job in jobs if self.files.folder(job.id).is_dir()]

    def job(self, owner: str, job_id: str) -> Job | None:
        """Return a visitor's job; None where the visitor has none of this id."""
        with self.database.transaction("read") as database:
            row = database.execute("SELECT * FROM jobs WHERE owner = ? AND id = ?", (owner, job_id)).fetchone()
            return read_job(row) if row else None

    def places(self) -> dict[str, Place]:
        """Return where each job that waits, of all visitors, stands in the queue, by its id."""
        with self.database.transaction("read") as database:
            running = [read_job(row) for row in database.execute("SELECT * FROM jobs WHERE state = 'running'")]
            waiting = queue_order(database)
            speed = recent_speed(database)
        now = self.clock()
        left = [(job.remaining(now), job.work / speed) for job in running]
        wait = sum(estimate if known is None else known for known, estimate in left)
        places = {}
        for ahead, job in enumerate(waiting, len(running)):
            places[job.id] = Place(ahead, wait, job.work / speed)
            wait += job.work / speed
        return places

    def unfinished(self) -> bool:
        """Whether a job waits or runs."""
        with self.database.transaction("read") as database:
            return bool(database.execute("SELECT 1 FROM jobs WHERE state IN ('queued', 'running')").fetchone())

    def delete(self, job_id: str) -> None:
        """Delete a job with all its files; one that runs stops by itself.

        The files go first: on a full disk, they make room for the change to the list.
        """
        self.files.discard(job_id)
        with self.database.transaction() as database:
            database.execute("DELETE FROM jobs WHERE id = ?", (job_id,))
        self.files.discard(job_id)  # what the analysis wrote meanwhile

    def sweep(self, keep_seconds: float) -> None:
        """Delete the jobs that were finished longer ago than this, and what broken uploads left behind."""
        before = self.clock() - keep_seconds
        with self.database.transaction("read") as database:
            expired = ids(database, "SELECT id FROM jobs WHERE finished < ?", before)
            jobs = ids(database, "SELECT id FROM jobs") - expired
            uploads = ids(database, "SELECT id FROM uploads")
        for job_id in expired:
            self.delete(job_id)
        for job_id in (uploads | self.files.ids()) - jobs:
            if self.files.last_written(job_id) < self.clock() - _LEFTOVER_SECONDS:
                self.abort_upload(job_id)
        if expired:
            with self.database.transaction() as database:
                database.execute("DELETE FROM turns WHERE at < ?", (before,))
