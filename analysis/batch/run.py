"""A run over many files: which are to be analysed, in which folders, and what became of each."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any, Final

from filelock import FileLock, Timeout

from analysis.batch.dataset import RESERVED, TABLES, Dataset
from analysis.batch.inputs import Source, unique_names
from analysis.batch.task import Options, Task
from analysis.output.result_folder import PARTIALS
from errors import ResultsError
from files import printable, short_name

LOCK: Final = ".lock"
"""A file that is there while a run writes into a folder."""
_KNOWN: Final = ("sha256", "fingerprint", "state", "stamp")


def plan(addresses: Sequence[str], options: Options) -> list[Task]:
    """Return a task for each file, with a name and a folder of its own: those of an earlier run, if it was in one.

    Args:
        addresses: What `inputs.find_files` returned.
        options: The run's.

    Raises:
        SourceError: A file of weights cannot be read.
        ResultsError: The tables of an earlier run cannot be read.

    """
    rows = _rows_before(addresses, options)
    names = unique_names(addresses, {address: row["file"] for address, row in rows.items()})
    taken = {*RESERVED, *(row["folder"] for row in rows.values())}
    fingerprint = options.fingerprint()
    tasks = []
    for address, name in zip(addresses, names, strict=True):
        row = rows.get(address, {})
        key = row.get("folder") or _new_key(name, taken)
        taken.add(key)
        known = tuple((column, str(row[column])) for column in _KNOWN if column in row)
        replace = options.overwrite or bool(known) or not (options.out / key).exists()
        tasks.append(Task(Source(address, name), key, fingerprint, replace, known))
    return tasks


@contextmanager
def only_run(out: Path) -> Iterator[None]:
    """Keep other runs from writing into the same folder, and delete what an interrupted run left half written.

    Raises:
        ResultsError: Another run is writing to it, or nobody can.

    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = FileLock(out / LOCK, 0, fallback_to_soft=False)  # released when the process ends, even by a crash
        lock.acquire()
    except Timeout:
        raise ResultsError(f"Another run is writing to {out}. Wait until it ends, or choose another folder.") from None
    except OSError as error:
        raise ResultsError(f"Cannot write to {out}: {error}. Choose another folder with --out.") from None
    try:
        _sweep(out)
        yield
    finally:
        _sweep(out)
        with suppress(OSError):
            (out / LOCK).unlink()
        lock.release()
        with suppress(OSError):
            out.rmdir()  # which does nothing if there are results, or another run


def _sweep(out: Path) -> None:
    """Delete what is half written."""
    for pattern in PARTIALS:
        for path in out.glob(pattern):
            shutil.rmtree(path, ignore_errors=True)
    for table in TABLES:
        for path in (out / table).glob(".partial-*"):
            path.unlink(missing_ok=True)


def _rows_before(addresses: Sequence[str], options: Options) -> dict[str, Mapping[str, Any]]:
    """Return what `files` has from earlier runs, by address, including moved files under their new address."""
    rows = {row["path"]: row for row in Dataset(options.out).read("files").to_dict("records")}
    gone = {row["file"]: path for path, row in rows.items() if "://" not in path and not Path(path).exists()}
    for address in addresses:
        path = gone.get(PurePosixPath(address).name)
        if printable(address) not in rows and path in rows:
            rows[address] = rows.pop(path)
    found = {address: rows.pop(printable(address)) for address in addresses if printable(address) in rows}
    return found | rows


def _new_key(name: str, taken: set[str]) -> str:
    """Return a folder name that is based on the file's name without its extension and not yet taken."""
    stem = short_name("-".join(part for part in PurePosixPath(name).with_suffix("").parts if part != os.sep))
    key, number = stem, 1
    while key in taken:
        number += 1
        key = f"{stem}-{number}"
    return key
