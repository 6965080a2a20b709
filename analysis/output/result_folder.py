"""Folders of results that are there as a whole or not at all."""

import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from errno import ENOSPC
from pathlib import Path
from secrets import token_hex
from typing import Final

from entities import EXPRESSIONS
from errors import ResultsError

ARCHIVE: Final = "all.zip"
SUMMARIES: Final = ("summary.json", "faces.json")
"""A folder of results has one of these: of a video, or of a picture."""
_PARTIAL: Final = ".partial"
PARTIALS: Final = (".*.partial", ".*.old")
"""What folders are called that are not there as a whole, or are being replaced."""
_COMPRESSED: Final = (".mp4", ".jpg", ".png", ".xlsx", ".parquet")


def moment_name(expression: str) -> str:
    """Return the file name of an expression's strongest moment."""
    return f"moment-{expression}.jpg"


INTERVAL_FILES: Final = ("intervals.csv", "intervals.vtt", "intervals.eaf")
VIDEO_FILES: Final = (
    "annotated.mp4",
    "frames.csv",
    "frames.xlsx",
    "frames.json",
    "frames.parquet",
    "summary.json",
    "timeline.png",
    *INTERVAL_FILES,
    ARCHIVE,
    *(moment_name(expression) for expression in EXPRESSIONS),
)
"""All that a folder of a video's results can hold; moments only of expressions that were seen."""


@contextmanager
def results_folder(target: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a new folder beside `target` to write into, which becomes `target` when the block ends well.

    When it ends with an error, nothing of the new results remains and what was at `target` stays.

    Raises:
        ResultsError: `target` exists and must not be overwritten, or is something else than results; or writing
            failed, because the disk is full, for example.

    """
    _check_target(target, overwrite=overwrite)
    partial = target.with_name(f".{token_hex(8)}{_PARTIAL}")
    try:
        partial.mkdir(parents=True)
        yield partial
        _replace(partial, target)
    except OSError as error:
        if error.errno == ENOSPC:
            raise ResultsError(f"The disk is full; the results need more room in {target.parent}.") from error
        raise ResultsError(
            f"The results cannot be written to {target.parent}: {error.strerror or error}. Choose another folder."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check_target(target: Path, *, overwrite: bool) -> None:
    if not target.exists():
        return
    if not any((target / name).is_file() for name in SUMMARIES):
        raise ResultsError(f"{target} already exists and holds no results. Choose another folder.")
    if not overwrite:
        raise ResultsError(f"{target} already exists. Choose another folder, or replace it with --overwrite.")


def pack(*folders: Path) -> None:
    """Put all files of the folders into one ZIP file in the last one, whose files count where names are the same."""
    files = {path.name: path for folder in folders for path in folder.iterdir() if path.is_file()}
    files.pop(ARCHIVE, None)
    with zipfile.ZipFile(folders[-1] / ARCHIVE, "w", compresslevel=6) as archive:
        for name, path in sorted(files.items()):
            kind = zipfile.ZIP_STORED if path.suffix in _COMPRESSED else zipfile.ZIP_DEFLATED
            archive.write(path, name, compress_type=kind)


@contextmanager
def revised(folder: Path) -> Iterator[Path]:
    """Give an empty folder; when the block ends well, what is in it replaces files of these results, as does a new ZIP.

    Each file is replaced as a whole, the summary last: where the process is killed before that, it tells that the
    others have to be made again.

    Raises:
        ResultsError: A file cannot be written.

    """
    new = folder / ".new"
    shutil.rmtree(new, ignore_errors=True)
    try:
        new.mkdir()
        yield new
        pack(folder, new)
        for path in sorted(new.iterdir(), key=lambda path: path.name in SUMMARIES):
            path.replace(folder / path.name)
    except OSError as error:
        raise ResultsError(f"The results in {folder} cannot be changed: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _replace(partial: Path, target: Path) -> None:
    """Move the new folder into place; an old one goes only when the new one is there, and not what is coded in it."""
    if coded := sorted(target.glob("*.eaf")):
        from analysis.output.elan import keep_codes  # and with it pandas, which the page does without

        for path in coded:
            keep_codes(path, partial)
    old = partial.with_suffix(".old")
    if target.exists():
        target.rename(old)
    try:
        partial.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
