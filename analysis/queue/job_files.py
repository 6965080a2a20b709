"""Where the files of each video in the queue are."""

import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

_DELETED: Final = ".deleted"
_ID: Final = re.compile(rf"[0-9a-f]{{32}}(?:{re.escape(_DELETED)})?")
"""What the folders of jobs are called; all others in the same place are somebody else's."""
_ALIVE: Final = "worker.alive"


class JobFiles:
    """A folder for each job, for this user of the computer only, and the worker's sign of life, below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, job_id: str) -> Path:
        """Return where a job's files are."""
        return self.root / job_id

    def original(self, job_id: str) -> Path:
        """Return the video that was sent."""
        return self.folder(job_id) / "original"

    def results(self, job_id: str) -> Path:
        """Return the folder of results, which is there once the job is done."""
        return self.folder(job_id) / "results"

    def discard(self, job_id: str) -> None:
        """Delete a job's folder, if it is there; all of it is gone at once."""
        folder = self.folder(job_id)
        deleted = folder.with_suffix(_DELETED)
        with suppress(OSError):  # a file is open, on Windows
            folder.rename(deleted)
        for path in (deleted, folder):
            shutil.rmtree(path, ignore_errors=True)

    def ids(self) -> set[str]:
        """Return the jobs that have a folder."""
        return {path.name for path in self.root.iterdir() if _ID.fullmatch(path.name)}

    def last_written(self, job_id: str) -> float:
        """Return when something last came of an upload, in seconds since 1970; 0 if nothing is there."""
        return _written(self.original(job_id)) or _written(self.folder(job_id))

    def beat(self) -> None:
        """Show that the worker is alive."""
        with suppress(OSError):
            (self.root / _ALIVE).touch(mode=0o600)

    def last_beat(self) -> float:
        """Return when the worker last showed that it is alive, in seconds since 1970; 0 if it never did."""
        return _written(self.root / _ALIVE)


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
