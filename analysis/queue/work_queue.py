"""The worker's side of the queue of videos: it takes the next one, says how far it is, and how it ended."""

from contextlib import AbstractContextManager
from typing import Final

from analysis.queue.database import only_process
from analysis.queue.job import Job, JobState
from analysis.queue.jobs import JobStore
from analysis.queue.tables import parties, queue_order, read_job

MAX_ATTEMPTS: Final = 3
"""A video whose analysis ended this often with a crash is not tried again."""


class WorkQueue:
    """What one worker does with the jobs of a store."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._database = store.database

    def claim(self) -> Job | None:
        """Take the next job from the queue, as running; None if there is none."""
        with self._database.transaction() as database:
            waiting = queue_order(database)
            if not waiting:
                return None
            row = database.execute(
                "UPDATE jobs SET state = 'running', started = NULL, done = 0, attempts = attempts + 1 "
                "WHERE number = ? RETURNING *",
                (waiting[0].number,),
            ).fetchone()
            job = read_job(row)
            latest = database.execute("SELECT max(at) FROM turns").fetchone()[0] or 0.0
            for party in parties(job):
                turn = party, max(self._store.clock(), latest + 1e-3)
                database.execute("INSERT OR REPLACE INTO turns VALUES (?, ?)", turn)
            return job

    def advance(self, job_id: str, done: float, total: float) -> bool:
        """Note how far a running job is, in seconds of the video; return False if it was deleted."""
        with self._database.transaction() as database:
            query = "UPDATE jobs SET done = ?, total = ?, started = coalesce(started, ?) WHERE id = ?"
            return database.execute(query, (done, total, self._store.clock(), job_id)).rowcount == 1

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
                (self._store.clock(), MAX_ATTEMPTS),
            )
            database.execute("UPDATE jobs SET state = 'queued', done = 0 WHERE state = 'running'")

    def only_worker(self, timeout: float) -> AbstractContextManager[bool]:
        """Give True while this is the only process that works on jobs; False if after these seconds another one is."""
        return only_process(self._store.files.root / "worker.lock", timeout)

    def _end(self, job_id: str, state: JobState, code: str, message: str) -> bool:
        with self._database.transaction() as database:
            query = "UPDATE jobs SET state = ?, finished = ?, code = ?, message = ? WHERE id = ?"
            return database.execute(query, (state, self._store.clock(), code, message, job_id)).rowcount == 1
