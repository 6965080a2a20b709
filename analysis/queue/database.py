"""The SQLite database of the queue of videos: one that a full disk does not lock, and that mends itself."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final, Literal

from filelock import FileLock, Timeout

from analysis.queue.tables import TABLES, VERSION
from errors import ResultsError

log = logging.getLogger(__name__)

LOCK_SECONDS: Final = 10.0
_NAME: Final = "jobs.sqlite3"
_DAMAGED: Final = f"{_NAME}.damaged"
_BESIDE: Final = ("-journal", "-wal", "-shm")
_READY: Final = "ready"
_EMPTY: Final = "empty"
_BEYOND_REPAIR: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class Database:
    """A database in a folder; for any threads and processes.

    Its journal stays where it is between changes, so that a full disk has room for a change: otherwise nothing could
    be deleted from it. For the same reason it is looked at without writing. One with tables of another version is set
    aside, as one that is damaged is.

    Args:
        folder: Made when it is first needed, for this user of the computer only.

    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._prepared = False

    @contextmanager
    def transaction(self, kind: Literal["read", "write"] = "write") -> Iterator[sqlite3.Connection]:
        """Give a connection within a transaction; one that only reads does not wait for others that write.

        Raises:
            ResultsError: The database cannot be opened, read or written. Where that is because it is damaged, the next
                use finds a new one.

        """
        database = self._connected()
        try:
            database.execute("BEGIN" if kind == "read" else "BEGIN IMMEDIATE")
            with database:
                yield database
        except sqlite3.Error as error:
            self._prepared = False  # it is looked into with the next use
            raise ResultsError(f"The list of videos in {self._folder} cannot be used: {error}.") from error
        finally:
            database.close()

    def _connected(self) -> sqlite3.Connection:
        """Return a connection to a database that has its tables."""
        try:
            if not self._prepared or not (self._folder / _NAME).exists():
                self._prepare()
            return self._connect()
        except (OSError, sqlite3.Error) as error:
            raise ResultsError(
                f"Videos cannot be kept in {self._folder}: {error}. Set uploads.folder to one that can be written to."
            ) from error

    def _prepare(self) -> None:
        """Make the tables, where there are none; a damaged database is set aside before."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._state() != _READY:
            # One that two make at once is locked for one of them, however long that waits.
            with only_process(self._folder / "prepare.lock", LOCK_SECONDS):
                state = self._state()
                if state not in {_READY, _EMPTY}:
                    self._set_aside(state)
                if state != _READY:
                    with closing(self._connect()) as database:
                        database.executescript(f"BEGIN;{TABLES};PRAGMA user_version = {VERSION};COMMIT")
        self._prepared = True

    def _state(self) -> str:
        """Return _READY, _EMPTY where there are no tables yet, or why the database will never do.

        Raises:
            sqlite3.Error: It cannot be read now.

        """
        try:
            with closing(self._connect()) as database:
                fault = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
                version = database.execute("PRAGMA user_version").fetchone()[0]
                has_tables = database.execute("SELECT 1 FROM sqlite_schema").fetchone()
        except sqlite3.Error as error:
            if error.sqlite_errorcode not in _BEYOND_REPAIR:
                raise
            return str(error)
        if fault != "ok":
            return fault
        if version == VERSION:
            return _READY
        return "its tables are of another version" if has_tables else _EMPTY

    def _set_aside(self, fault: str) -> None:
        """Rename it; the files of the videos in it are deleted some time later as left over."""
        log.error(
            "The list of videos in %s is damaged (%s). It is now called %s, and a new, empty one is used.",
            self._folder,
            fault,
            _DAMAGED,
        )
        (self._folder / _NAME).replace(self._folder / _DAMAGED)
        for ending in _BESIDE:
            with suppress(OSError):
                (self._folder / f"{_NAME}{ending}").unlink(missing_ok=True)

    def _connect(self) -> sqlite3.Connection:
        path = self._folder / _NAME
        if not path.exists():
            path.touch(mode=0o600)
        database = sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None)
        database.row_factory = sqlite3.Row
        with suppress(sqlite3.DatabaseError):  # damaged, as the first use will tell
            database.execute("PRAGMA journal_mode = PERSIST")
        return database


@contextmanager
def only_process(lock_file: Path, timeout: float) -> Iterator[bool]:
    """Give True while no other process has the claim of this file; False if one has after `timeout` seconds.

    The operating system ends the claim with the process, however that ends.
    """
    lock = FileLock(lock_file, timeout, mode=0o600, fallback_to_soft=False)
    with suppress(Timeout):
        lock.acquire()
    try:
        yield lock.is_locked
    finally:
        lock.release()
