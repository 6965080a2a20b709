"""The course of a face's expressions in even steps of time: what tables of frames become before files meet."""

from typing import Final

import numpy as np
from pandas import DataFrame

from analysis.output.intervals import joined
from analysis.recording.history import integrals
from analysis.study.markers import stretches
from entities import EXPRESSIONS

SHOWN: Final = tuple(f"shown_{name}" for name in EXPRESSIONS)
TYPES: Final = {
    "file": "str",
    "face": "Int32",
    "marker": "str",
    **dict.fromkeys(("time", "seconds", *EXPRESSIONS, *SHOWN), "float64"),
}
"""A row a face and step, for the whole file (`marker` is empty) and for each marker, then from its beginning on. Time
is the step's beginning in seconds; `seconds`, how much of the step shows the face well enough to be used; the seven
mean probabilities (0-1) are over that, and `shown_...` are the seconds in which an expression is named, not
uncertain."""
_STEPS: Final = 200
"""Steps of time at most; enough for any picture."""
_SHORTEST_STEP: Final = 0.2
_MIN_SECONDS: Final = 1e-6
_DIGITS: Final = 9
"""Of times that are shown: a step's number times its length, so that the same step has the same time in each file."""


def step_for(duration: float) -> float:
    """Return a round number of seconds that divides the longest file's duration into 200 steps at most."""
    least = max(_SHORTEST_STEP, duration / _STEPS)
    power = 10.0 ** np.floor(np.log10(least))
    return float(next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * (1 - 1e-9)))


def courses(frames: DataFrame, step: float, markers: DataFrame | None = None) -> DataFrame:
    """Return the course of each face in one file or several.

    Args:
        frames: A row a face and frame, with file, time, duration, face, expression, uncertain, usable and the seven
            probabilities.
        step: Seconds.
        markers: As `read_markers` returns them, with files as the frames name them.

    Returns:
        TYPES. Stretches of one marker in one file are separate rows of the same marker and times. A picture, which
        has no duration, is one step.

    """
    used = frames[frames["face"].notna() & frames["usable"]].sort_values("time", kind="stable")
    used = used.assign(duration=used["duration"].where(used["duration"] > 0, step))
    parts = [(file, "", 0.0, np.inf) for file in used["file"].unique()]
    if markers is not None:
        parts += stretches(frames, markers).itertuples(index=False)
    ends = used["time"] + used["duration"]
    found = [
        _course(rows, step, marker, start, end)
        for file, marker, start, end in parts
        for _, rows in used[(used["file"] == file) & (used["time"] < end) & (ends > start)].groupby("face")
    ]
    return joined(found, TYPES)


def _course(frames: DataFrame, step: float, marker: str, start: float, end: float) -> DataFrame:
    """Return one face's course between two times; each step takes its part of the frames that overlap it."""
    begin = np.clip(frames["time"].to_numpy(np.float64), start, end)
    finish = np.clip((frames["time"] + frames["duration"]).to_numpy(np.float64), start, end)
    steps = max(1, int(np.ceil((finish.max() - start) / step - 1e-6)))
    edges = np.asarray(start + step * np.arange(steps + 1), np.float64)
    probabilities = frames[list(EXPRESSIONS)].to_numpy(np.float64)
    named = np.where(frames["uncertain"].to_numpy(bool), "", frames["expression"])[:, None] == np.array(EXPRESSIONS)
    sums = integrals(edges, begin, finish, np.column_stack([np.ones(len(frames)), probabilities, named]))
    kept = sums[:, 0] > _MIN_SECONDS
    seconds, within, shown = np.split(sums[kept], [1, 1 + len(EXPRESSIONS)], axis=1)
    table = DataFrame(np.hstack([seconds, within / seconds, shown]), columns=["seconds", *EXPRESSIONS, *SHOWN])
    table.insert(0, "time", (step * np.arange(steps)[kept]).round(_DIGITS))
    return table.assign(file=frames["file"].iloc[0], face=frames["face"].iloc[0], marker=marker)[list(TYPES)]
