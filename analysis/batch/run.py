"""A run over many files: which are to be analysed, in which folders, and what became of each."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any, Final

from filelock import FileLock, Timeout

from analysis.batch.dataset import LEFT_OUT, RESERVED, TABLES, Dataset
from analysis.batch.inputs import Source, sha256, unique_names
from analysis.batch.task import Options, Task
from analysis.output.result_folder import PARTIALS
from errors import ResultsError
from files import printable, short_name, unused

LOCK: Final = ".lock"
"""A file that is there while a run writes into a folder."""
KNOWN: Final = ("file", "path", "sha256", "fingerprint", "state", "stamp")
"""Columns of `files` by which a file is known again."""


def plan(addresses: Sequence[str], options: Options) -> list[Task]:
    """Return a task for each file, with a name and a folder of its own: those of an earlier run, if it was in one.

    Args:
        addresses: The files that `inputs.find_files` returned.
        options: The run's.

    Raises:
        SourceError: A file of weights cannot be read.
        ResultsError: The tables of an earlier run cannot be read.

    """
    rows = _rows_before(addresses, options)
    known_names = {
        address: row["file"]
        for address, row in rows.items()
        if address not in addresses or PurePosixPath(row["file"]).name == PurePosixPath(printable(address)).name
    }
    names = unique_names(addresses, known_names)
    taken = {*RESERVED, *(row["folder"] for row in rows.values())}
    fingerprint, weights = options.fingerprint(), options.weights()
    tasks = []
    for address, name in zip(addresses, names, strict=True):
        row = rows.get(address, {})
        key = row.get("folder") or _new_key(name, taken)
        taken.add(key)
        known = tuple((column, str(row[column])) for column in KNOWN if column in row)
        replace = options.overwrite or bool(known) or not (options.out / key).exists()
        tasks.append(Task(Source(address, name), key, fingerprint, replace, weights, known))
    return tasks


def unnamed(out: Path, tasks: Sequence[Task]) -> dict[str, str]:
    """Return what earlier runs into a folder analysed and this one does not name: names of files by their keys."""
    keys = {task.key for task in tasks}
    return {row["folder"]: row["file"] for row in _rows(out) if row["folder"] not in keys}


def forget(out: Path, names: Sequence[str]) -> None:
    """Delete all that a folder of results has of some files: their own folders, and their parts of the tables.

    Args:
        out: The folder.
        names: As the tables name the files, or their paths.

    Raises:
        ResultsError: A name means none of the files, or several.

    """
    rows = _rows(out)
    keys = []
    for name in names:
        meant = [row for row in rows if row["file"] == name] or [
            row for row in rows if row["path"] in {name, str(Path(name).absolute())}
        ]
        if len(meant) != 1:
            known = ", ".join(sorted(row["file"] for row in rows)) or "none"
            raise ResultsError(f"{name}: not a file of {out}. Write its name as the tables have it: {known}.")
        keys.append(meant[0]["folder"])
    dataset = Dataset(out)
    for key in keys:
        shutil.rmtree(out / key, ignore_errors=True)
        for parts in (dataset.aside, dataset):
            for table in TABLES:  # the row in files last, by which it is found again if this is stopped
                parts.part(table, key).unlink(missing_ok=True)


def _rows(out: Path) -> list[Mapping[str, Any]]:
    """Return what `files` has of files that were to be analysed, and had of what was put aside."""
    dataset = Dataset(out)
    rows = [row for files in (dataset.aside, dataset) for row in files.read("files").to_dict("records")]
    return [row for row in rows if row["state"] != LEFT_OUT]


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
    """Return what `files` has from earlier runs, by address, including moved and renamed files under their new one."""
    rows = {row["path"]: row for row in _rows(options.out)}
    gone = {path: row for path, row in rows.items() if "://" not in path and not Path(path).exists()}
    for is_same in (_has_name, _has_content):
        for address in (address for address in addresses if address not in rows and printable(address) not in rows):
            path = next((path for path, row in gone.items() if is_same(address, row)), None)
            if path is not None:
                rows[address] = rows.pop(path)
                del gone[path]
    found = {address: rows.pop(printable(address)) for address in addresses if printable(address) in rows}
    return found | rows


def _has_name(address: str, row: Mapping[str, Any]) -> bool:
    return bool(row["file"] == PurePosixPath(address).name)


def _has_content(address: str, row: Mapping[str, Any]) -> bool:
    """Whether a file is the one that a row is about; only one of the same size is read."""
    path, size = Path(address), row["stamp"].partition(" ")[0]
    if "://" in address or not row["sha256"] or not path.is_file() or str(path.stat().st_size) != size:
        return False
    return sha256(path) == row["sha256"]


def _new_key(name: str, taken: set[str]) -> str:
    """Return a folder name that is based on the file's name without its extension and not yet taken."""
    stem = short_name("-".join(part for part in PurePosixPath(name).with_suffix("").parts if part != os.sep))
    return unused(stem, taken.__contains__)
