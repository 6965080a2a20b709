"""The intervals of one video beside its other results: a table, subtitles, and a file for ELAN."""

from pathlib import Path
from typing import Any, Final

from pandas import DataFrame, read_parquet

from analysis.elan import write_eaf
from analysis.intervals import find_intervals
from analysis.subtitles import write_vtt

INTERVAL_FILES: Final = ("intervals.csv", "intervals.vtt", "intervals.eaf")
_DIGITS: Final = 4


def write_interval_files(folder: Path, intervals: DataFrame, media: Path) -> None:
    """Write the intervals of one video into its folder of results.

    Args:
        folder: It is there already.
        intervals: As `find_intervals` returns them.
        media: The video, as `analysis.elan.write_eaf` takes it.

    Raises:
        OSError: The table cannot be written.
        ResultsError: Another file cannot be written.

    """
    table, subtitles, elan = (folder / name for name in INTERVAL_FILES)
    intervals.round(_DIGITS).to_csv(table, index=False)
    write_vtt(intervals, subtitles)
    write_eaf(intervals, elan, media)


def add_intervals(folder: Path, summary: dict[str, Any]) -> None:
    """Find the intervals in a folder of results that has its tables of frames, write their files, and note them.

    Args:
        folder: With `frames.parquet`, and the annotated video where there is one.
        summary: As `summary.json` says it, with `interval_limits`, the arguments of `find_intervals`; gets `intervals`.

    Raises:
        OSError: As for `write_interval_files`.
        ResultsError: Likewise.

    """
    found = find_intervals(read_parquet(folder / "frames.parquet"), **summary["interval_limits"])
    annotated = folder / "annotated.mp4"
    write_interval_files(folder, found, Path(annotated.name if annotated.is_file() else summary["name"]))
    summary["intervals"] = interval_records(found)


def interval_records(intervals: DataFrame) -> list[dict[str, Any]]:
    """Return intervals of one file as JSON writes them."""
    return intervals.drop(columns="file").round(_DIGITS).to_dict("records")
