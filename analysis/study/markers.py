"""Markers: what happens in a recording from a moment on, and what faces show while it does."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from pandas import DataFrame, Series, concat

from analysis.study.study_tables import read_list, seconds, with_numbers
from entities import EXPRESSIONS
from errors import StudyError
from expressions.intervals import ON

COLUMNS: Final = ("file", "time", "label")
"""Of a list of markers: the file, the time from its start (as analysis/recording/times.py says), and what happens from
then on. It lasts until the file's next marker, or the file's end; an empty label ends what was before."""
EVENTS: Final = "_events.tsv"
"""How names of files with a recording's events end in BIDS; what comes before it, its recording's name begins with."""
TABLE: Final = {
    "file": "str",
    "face": "int32",
    "name": "str",
    "marker": "str",
    "start": "float64",
    "end": "float64",
    "seconds": "float64",
    "expression": "str",
    "mean": "float64",
    "share": "float64",
    "peak": "float64",
    "latency": "float64",
}
"""Of a table of markers: a row a stretch, face and expression. Start and end are seconds of the file; `seconds`, how
much of it shows the face well enough to be used; mean and peak, of the probability (0-1) in that time; share (0-1),
which part of it shows the expression; latency, seconds from the start until its probability first reaches a threshold,
and empty where it never does, or had when the stretch began. A frame that a marker cuts counts on each side for its
part."""
_MIN_MILLISECONDS: Final = 100
"""Of a marker whose time is taken for milliseconds."""
_ROUNDING: Final = 1e-3
"""Seconds by which frames' times are inexact, or less: so little of a frame is none of it."""


def read_markers(path: Path, *, others: bool = False) -> DataFrame:
    """Return a list of markers (COLUMNS, times as float64 seconds), sorted by file and time.

    Args:
        path: A list, one recording's events as BIDS has them (`..._events.tsv`), or a folder with such files.
        others: Whether to return a list's other columns, too; they are numbers where all that they have are.

    Raises:
        StudyError: It is no such list, has a time that is none, two labels for one moment, or events that overlap.

    """
    is_events = path.is_dir() or path.name.endswith(EVENTS)
    table = _events(path, others=others) if is_events else _listed(path, others=others)
    twice = table[table.duplicated(["file", "time"])]
    if len(twice):
        row = twice.iloc[0]
        raise StudyError(f"{path}: {row['file']} has two markers at {row['time']:g} s. Keep one of them.")
    return table.sort_values(["file", "time"], ignore_index=True)


def _listed(path: Path, *, others: bool) -> DataFrame:
    table = read_list(path, COLUMNS, others=others)
    table["time"] = [seconds(text, f"{path}: line {line}") for line, text in table["time"].items()]
    return with_numbers(table, COLUMNS)


def _events(path: Path, *, others: bool) -> DataFrame:
    """Return the events of one recording, or of those in a folder, as markers."""
    files = sorted(path.rglob(f"*{EVENTS}")) if path.is_dir() else [path]
    if not files:
        raise StudyError(f"{path}: there is no file whose name ends in {EVENTS} in it.")
    found = concat([_events_of_recording(file, others=others) for file in files], ignore_index=True)
    return with_numbers(found.fillna(""), COLUMNS)


def _events_of_recording(path: Path, *, others: bool) -> DataFrame:
    """Return events (BIDS 1.10, task events) as markers: one with a duration ends with an empty label."""
    table = read_list(path, ("onset", "duration", "trial_type"), others=others)
    more = table.columns.drop(["onset", "duration", "trial_type", *COLUMNS], errors="ignore")
    for name in ("onset", "duration"):
        table[name] = [seconds(text or "0", f"{path}: line {line}") for line, text in table[name].items()]
    name, rows, end = path.name.removesuffix(EVENTS), [], 0.0
    for line, event in table.sort_values("onset", kind="stable").iterrows():
        onset, duration = event["onset"], event["duration"]
        if onset < end - _ROUNDING:
            raise StudyError(f"{path}: line {line}: the event before it lasts to {end:g} s. Events may not overlap.")
        if end and onset - end > _ROUNDING:
            rows.append({"file": name, "time": end, "label": ""})
        rows.append({"file": name, "time": onset, "label": event["trial_type"]} | event[more].to_dict())
        end = onset + duration if duration else 0.0
    if end:
        rows.append({"file": name, "time": end, "label": ""})
    return DataFrame(rows, columns=[*COLUMNS, *more])


def apply_markers(frames: DataFrame, markers: DataFrame) -> DataFrame:
    """Return the frames with the marker that is in force in each as `marker`; empty before a file's first.

    Args:
        frames: With file and time (seconds).
        markers: As `read_markers` returns them, with files as the frames name them.

    """
    marked = frames.assign(marker="")
    for file, listed in markers.groupby("file"):
        rows = marked["file"] == file
        latest = np.searchsorted(listed["time"], marked.loc[rows, "time"], side="right")
        marked.loc[rows, "marker"] = np.array(["", *listed["label"]], object)[latest]
    return marked


def markers_in(frames: DataFrame) -> DataFrame:
    """Return the markers (COLUMNS) that are in force in frames, each from the first frame that has it."""
    once = frames.sort_values(["file", "time"]).drop_duplicates(["file", "time"])
    before = once.groupby("file")["marker"].shift(fill_value="")
    found = once.loc[once["marker"] != before, ["file", "time", "marker"]]
    return found.rename(columns={"marker": "label"}).reset_index(drop=True)


def marker_table(frames: DataFrame, markers: DataFrame | None = None, *, on: float = ON) -> DataFrame:
    """Return what each face shows while each marker is in force.

    Args:
        frames: A row a face and frame, with file, time, duration, face, name, expression, uncertain, usable, the seven
            probabilities and, without `markers`, marker.
        markers: As `read_markers` returns them, with files as the frames name them; by default those of the frames.
        on: Probability (0-1) that ends the latency.

    Returns:
        TABLE, by file, start and face.

    """
    listed = markers_in(frames) if markers is None else markers
    seen = frames[frames["face"].notna()].sort_values("time", kind="stable")
    seen = seen.assign(end=seen["time"] + seen["duration"])
    rows = [
        row
        for stretch in stretches(frames, listed).to_dict("records")
        for _, of_face in seen[seen["file"] == stretch["file"]].groupby("face")
        for row in _rows(of_face, stretch, on)
    ]
    return DataFrame(rows, columns=list(TABLE)).astype(TABLE)


def stretches(frames: DataFrame, markers: DataFrame) -> DataFrame:
    """Return from when to when each marker is in force: file, marker, start, end (seconds), without empty ones."""
    ends = (frames["time"] + frames["duration"]).groupby(frames["file"]).max()
    known = markers[markers["file"].isin(ends.index)]
    following = known.groupby("file")["time"].shift(-1)
    last = known["file"].map(ends)
    found = DataFrame(
        {
            "file": known["file"],
            "marker": known["label"],
            "start": known["time"],
            "end": following.fillna(last).clip(upper=last),
        }
    )
    return found[(found["marker"] != "") & (found["end"] > found["start"])].reset_index(drop=True)


def outside(markers: DataFrame, ends: Series) -> DataFrame:
    """Return the markers whose time is after the end of their file; `ends` has seconds by file."""
    return markers[markers["time"] >= markers["file"].map(ends).fillna(np.inf)]


def check_units(markers: DataFrame, ends: Mapping[str, float]) -> None:
    """Refuse markers whose times are probably no seconds: but for those at 0, all lie after the end of their files.

    Args:
        markers: As `read_markers` returns them, with files as the run names them.
        ends: Seconds at which videos end, by file.

    Raises:
        StudyError: They do, and would not if they were milliseconds, or if a spreadsheet had not changed them.

    """
    late = markers[(markers["time"] > 0) & markers["file"].isin(list(ends))]
    times, last = late["time"], late["file"].map(ends)
    if late.empty or (times < last).any():
        return
    causes = []
    if (times % 60 == 0).all() and (times / 60 < last).all():
        causes.append(
            "a spreadsheet took minutes and seconds for hours and minutes (01:30:00 for 1:30): format the column as "
            "text, and write them again"
        )
    if (times % 1 == 0).all() and (times >= _MIN_MILLISECONDS).all() and (times / 1000 < last).all():
        causes.append("the times are milliseconds: divide them by 1000")
    if causes:
        row = late.iloc[0]
        raise StudyError(
            f"All markers come after the end of their files: {row['label']} at {row['time']:g} s in {row['file']}, for "
            f"example, which ends at {last.iloc[0]:.4g} s. Probably {', or '.join(causes)}."
        )


def _rows(frames: DataFrame, stretch: dict[str, Any], on: float) -> list[dict[str, Any]]:
    """Return what one face shows of each expression in one stretch; nothing where no frame of the stretch has it."""
    begin, end = frames["time"].clip(lower=stretch["start"]), frames["end"].clip(upper=stretch["end"])
    within = frames.assign(part=end - begin)[end - begin > _ROUNDING]
    if within.empty:
        return []
    used = within[within["usable"].to_numpy(bool)]
    durations = used["part"].to_numpy(np.float64)
    shown = np.where(used["uncertain"].to_numpy(bool), "", used["expression"])
    seconds = durations.sum()
    rows = []
    for name in EXPRESSIONS:
        values = used[name].to_numpy(np.float64)
        rows.append(
            stretch
            | {
                "face": within["face"].iloc[0],
                "name": within["name"].iloc[0],
                "seconds": seconds,
                "expression": name,
                "mean": np.average(values, weights=durations) if seconds else np.nan,
                "share": durations[shown == name].sum() / seconds if seconds else np.nan,
                "peak": values.max() if seconds else np.nan,
                "latency": _latency(frames, name, stretch, on),
            }
        )
    return rows


def _latency(frames: DataFrame, expression: str, stretch: dict[str, Any], on: float) -> float:
    """Return the seconds of a stretch until a face first shows an expression; NaN where it does not, or did before."""
    named = frames[(frames["usable"] & ~frames["uncertain"] & (frames[expression] >= on)).to_numpy(bool)]
    start = stretch["start"]
    earlier = named["time"] < start - _ROUNDING
    if (earlier & (named["end"] > start - _ROUNDING)).any():
        return float("nan")
    times = named.loc[~earlier & (named["time"] < stretch["end"] - _ROUNDING), "time"]
    return max(0.0, float(times.iloc[0]) - start) if len(times) else float("nan")
