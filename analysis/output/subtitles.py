"""Intervals as WebVTT: subtitles that players show over a video, and that the page shows as a track."""

from pathlib import Path
from typing import Any

from pandas import DataFrame

from files import write_text


def write_vtt(intervals: DataFrame, path: Path) -> None:
    """Write the intervals of one file as subtitles: who shows what, with its mean probability, while it is shown.

    Args:
        intervals: As `find_intervals` returns them.
        path: Ends in .vtt; what is there is replaced.

    Raises:
        ResultsError: It cannot be written.

    """
    several = intervals["face"].nunique() > 1
    cues = [_cue(row, several=several) for row in intervals.sort_values("onset").to_dict("records")]
    write_text(path, "\n".join(["WEBVTT\n", *cues]))


def _cue(interval: dict[str, Any], *, several: bool) -> str:
    """Return one subtitle; faces are told apart where there are several, or where somebody gave them a name."""
    who = interval["name"] or (f"Face {interval['face']}" if several else "")
    words = f"{who}: {interval['expression']}" if who else interval["expression"]
    times = f"{_clock(interval['onset'])} --> {_clock(interval['offset'])}"
    return f"{times}\n{_escaped(words)} {interval['mean_probability']:.0%}\n"


def _clock(seconds: float) -> str:
    """Return hh:mm:ss.ttt, as WebVTT writes times."""
    minutes, thousandths = divmod(round(seconds * 1000), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{thousandths // 1000:02}.{thousandths % 1000:03}"


def _escaped(text: str) -> str:
    """Return a line with the characters that WebVTT reads as markup written as references."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
