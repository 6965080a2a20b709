"""run.json: what each run into a folder was asked, and what it worked with; the column `run` of `files` names it."""

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePath
from typing import Any, Final

from analysis.batch.dataset import Dataset
from analysis.batch.inputs import sha256
from analysis.batch.task import Options
from config import VERSION
from errors import ResultsError
from files import write_text
from vision.detection import load_detector

RECORD: Final = "run.json"
_LIBRARIES: Final = ("numpy", "opencv-python-headless", "av", "openvino", "keras", "pandas", "scipy", "pyarrow")
_FORGOTTEN: Final = "(forgotten)"

Run = dict[str, Any]


def begin_run(options: Options, command: Sequence[str], asked: Mapping[str, Any]) -> int:
    """Note a run that begins; return its number.

    Args:
        options: Of the run.
        command: The arguments of the command line.
        asked: What these say, by name, with the defaults of what was not given.

    Raises:
        ResultsError: run.json cannot be read or written.

    """
    runs = _read(options.out)
    number = 1 + max((run["number"] for run in runs), default=0)
    settings = options.settings
    run = {
        "number": number,
        "began": _now(),
        "ended": None,
        "command": list(command),
        "options": {name: str(value) for name, value in asked.items() if value is not None and name != "inputs"},
        "settings": settings.model_dump(mode="json", include={"model", "detector", "intervals"}),
        "detector": load_detector(settings.detector).title,
        "rest": {"kind": options.rest.kind, "span": options.rest.span} if options.rest else None,
        "network": {"weights": options.weights(), "precision": None},
        "files_read": {str(path): sha256(path) for path in _files_in(asked)},
        "versions": {"facial-expressions": VERSION, "python": sys.version.split()[0], "system": platform.platform()}
        | {name: found for name in _LIBRARIES if (found := _version(name))},
    }
    _write(options.out, [*runs, run])
    return number


def end_run(options: Options) -> None:
    """Note that a run has ended, and what became of its files.

    Raises:
        ResultsError: run.json or the table of files cannot be read or written.

    """
    files, runs = Dataset(options.out).read("files"), _read(options.out)
    mine = files[files["run"] == options.run]
    for run in runs:
        if run["number"] == options.run:
            run["ended"] = _now()
            run["files"] = {state: int(count) for state, count in mine["state"].value_counts().items()}
            run["network"]["precision"] = " and ".join(sorted(set(mine["precision"]) - {""})) or None
    _write(options.out, runs)


def forget_names(out: Path, names: Sequence[str]) -> None:
    """Take the names of files out of what earlier runs were asked.

    Raises:
        ResultsError: run.json cannot be read or written.

    """
    runs = _read(out)
    gone = {PurePath(name).name for name in names}
    for run in runs:
        run["command"] = [_FORGOTTEN if PurePath(text).name in gone else text for text in run["command"]]
    if runs:
        _write(out, runs)


def _read(out: Path) -> list[Run]:
    path = out / RECORD
    try:
        return list(json.loads(path.read_text("utf-8"))["runs"])
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultsError(f"{path} cannot be read ({error}). Restore it, or move it elsewhere.") from error


def _write(out: Path, runs: Sequence[Run]) -> None:
    write_text(out / RECORD, json.dumps({"runs": list(runs)}, indent=1) + "\n")


def _files_in(asked: Mapping[str, Any]) -> list[Path]:
    """Return the files that options name: lists, settings, a resting face."""
    paths = [Path(value) for name, value in asked.items() if isinstance(value, Path | str) and name != "out"]
    folders = [path for path in paths if path.is_dir()]
    return [path for path in paths if path.is_file()] + [
        file for path in folders for file in path.rglob("*_events.tsv")
    ]


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None
