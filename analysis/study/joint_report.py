"""One report on several videos whose results are in folders of their own, as the page's are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.batch.dataset import file_row, video_values
from analysis.output.intervals import COLUMNS as INTERVAL_TYPES
from analysis.output.intervals import joined
from analysis.study.methods import methods
from analysis.study.report import report_page
from analysis.study.report_pictures import pictures_of, read_summary
from config import Settings
from files import unused


@dataclass(frozen=True, slots=True)
class Analysed:
    """A video whose analysis has ended."""

    name: str
    results: Path
    """The folder of its results."""
    reason: str = ""
    """Why it failed; empty where it did not."""
    part: str = ""
    """Which part of it was looked at, in words; empty where that is all."""


def joint_report(videos: Sequence[Analysed], settings: Settings, notes: Iterable[str] = ()) -> str:
    """Return the report on several videos as the text of an HTML file that needs no others.

    Their faces are named, merged and split as they are now. Videos whose results are gone are left out.

    Args:
        videos: Those that failed as well.
        settings: Of the analysis.
        notes: Sentences that the reader has to know.

    """
    rows, intervals, pictures, parts = [], [], {}, []
    for name, video in zip(_different([video.name for video in videos]), videos, strict=True):
        if video.reason:
            rows.append(file_row({"file": name, "state": "failed", "reason": video.reason}))
        elif summary := read_summary(video.results / "summary.json"):
            rows.append(file_row({"file": name, "state": "done"} | video_values(summary)))
            intervals.append(pd.DataFrame(summary["intervals"]).assign(file=name))
            pictures[name] = pictures_of(video.results)
            parts += [f"Of {name}, only a part was looked at: {video.part}."] if video.part else []
    number = len(pictures)
    files = pd.concat([*rows, file_row({}).iloc[:0]], ignore_index=True)
    return report_page(
        f"Facial expressions in {number} {'video' if number == 1 else 'videos'}",
        files,
        joined(intervals, INTERVAL_TYPES),
        pictures=pictures,
        notes=[*notes, *parts],
        methods=methods(settings, files),
    )


def _different(names: Sequence[str]) -> list[str]:
    """Return the names, those that came before with a number behind them."""
    found: list[str] = []
    for name in names:
        found.append(unused(name, found.__contains__, "{} ({})"))
    return found
