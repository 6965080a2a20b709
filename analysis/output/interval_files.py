"""The intervals of one video in its folder of results: a table, subtitles, a file for ELAN, and in its summary."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pandas import DataFrame, read_csv

from analysis.output.elan import write_eaf
from analysis.output.intervals import find_intervals
from analysis.output.result_folder import INTERVAL_FILES, revised
from analysis.output.subtitles import write_vtt
from files import write_text

_DIGITS: Final = 4


def add_intervals(folder: Path, summary: dict[str, Any], media: Path) -> None:
    """Find the intervals in a folder that has its `frames.csv`, and write their files.

    Args:
        folder: Of the video's results.
        summary: What `summary.json` is to say: with `interval_limits`, the arguments of `find_intervals`. Gets
            `intervals`.
        media: The video, as `write_eaf` takes it.

    Raises:
        OSError: A file cannot be written.
        ResultsError: Likewise.

    """
    frames = frame_table(folder)
    intervals = find_intervals(frames, **summary.get("interval_limits", {}))
    _write(folder, intervals, frames, media)
    summary["intervals"] = _records(intervals)


def replace_intervals(
    folder: Path, intervals: DataFrame, limits: Mapping[str, float], frames: DataFrame, media: Path
) -> None:
    """Write other intervals into a folder of results that is complete.

    Args:
        folder: Of the video's results.
        intervals: As `find_intervals` returns them.
        limits: What it was given.
        frames: Likewise.
        media: The video, as `write_eaf` takes it.

    Raises:
        OSError: A file cannot be written.
        ResultsError: Likewise.

    """
    _write(folder, intervals, frames, media)
    path = folder / "summary.json"
    before = json.loads(path.read_text("utf-8"))
    summary = before | {"interval_limits": dict(limits), "intervals": _records(intervals)}
    if summary != before:
        with revised(folder) as new:
            write_text(new / path.name, json.dumps(summary, indent=1) + "\n")


def frame_table(folder: Path) -> DataFrame:
    """Return a video's table of frames; from CSV, since a page does without the library that reads Parquet.

    Raises:
        OSError: The folder has none.

    """
    texts = {"file": "str", "name": "str"}
    frames = read_csv(folder / "frames.csv", dtype=texts, keep_default_na=False, na_values=[""])  # "NA" may be a name
    return frames.fillna(dict.fromkeys(texts, ""))


def _write(folder: Path, intervals: DataFrame, frames: DataFrame, media: Path) -> None:
    table, subtitles, elan = (folder / name for name in INTERVAL_FILES)
    intervals.round(_DIGITS).to_csv(table, index=False)
    write_vtt(intervals, subtitles)
    names = frames[frames["face"].notna()].groupby("face")["name"].last()
    write_eaf(intervals, elan, media, faces=names.to_dict())


def _records(intervals: DataFrame) -> list[dict[str, Any]]:
    """Return the intervals of one file as JSON writes them."""
    rows: list[dict[str, Any]] = intervals.drop(columns="file").round(_DIGITS).to_dict("records")
    return rows
