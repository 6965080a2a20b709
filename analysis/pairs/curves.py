"""A person's curve: valence and smile in even steps of the time that two recordings share."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from analysis.recording.history import integrals
from analysis.study.groups import ALL_FACES

Floats = NDArray[np.float64]

MEASURES: Final = ("valence", "smile")
"""Of a frame: the valence, and the probability of Happy."""
STEPS: Final = (0.1, 0.2, 0.5, 1.0)
"""Seconds that a step may last."""
MIN_COVERED: Final = 0.5
"""Part of a step that has to show the face well enough to be used."""
NOBODY: Final = -1
"""A number that no face has."""
_SLACK: Final = 1.02
"""By how much frames may be further apart than a step: recordings are not quite even."""
_ROUNDING: Final = 1e-6
"""Of steps."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """What one person shows, step by step from the common start on."""

    values: Floats
    """(steps, 2): MEASURES; NaN where too little is seen of the face."""
    begin: int
    """The first step that was looked at: later than 0 where only a part of the recording was, or none was made yet."""
    face: int
    """The number of the face, or ALL_FACES."""

    def __len__(self) -> int:
        return len(self.values)


def common_step(slowest: float) -> float | None:
    """Return the shortest of STEPS in which the slowest recording (frames a second) has a frame; None if none is."""
    return next((step for step in STEPS if step * slowest * _SLACK >= 1), None)


def face_seen_longest(frames: DataFrame) -> int:
    """Return the number of the face that is usable for the longest time in a file's frames, or NOBODY."""
    seconds = frames[_usable(frames)].groupby("face")["duration"].sum()
    return int(seconds.idxmax()) if len(seconds) else NOBODY


def person_curve(frames: DataFrame, face: int, late: float, step: float) -> Curve:
    """Return the curve of one face: the mean of each step over the time in it that shows the face.

    Args:
        frames: Of one file: a row a face and frame, with frame, time, duration, face, usable, valence and Happy.
        face: The number of the face, ALL_FACES or NOBODY.
        late: Seconds from the beginning of the file to the common start.
        step: Seconds.

    """
    starts = frames["time"].to_numpy(np.float64) - late
    ends = starts + frames["duration"].to_numpy(np.float64)
    steps = max(0, int(np.floor(ends.max() / step + _ROUNDING)))
    begin = min(steps, max(0, int(np.ceil(starts.min() / step - _ROUNDING))))
    wanted = _usable(frames) & ((frames["face"] == face).fillna(value=False).to_numpy(bool) | (face == ALL_FACES))
    used = wanted & ~frames["frame"].where(wanted, -1 - np.arange(len(frames))).duplicated().to_numpy(bool)
    values = np.full((steps, len(MEASURES)), np.nan)
    if used.any() and steps:
        shown = np.column_stack([np.ones(used.sum()), frames.loc[used, ["valence", "Happy"]].to_numpy(np.float64)])
        edges = np.asarray(step * np.arange(steps + 1), np.float64)
        begins, finishes = (np.clip(times[used], 0.0, edges[-1]) for times in (starts, ends))
        parts = integrals(edges, begins, finishes, shown)
        enough = parts[:, 0] >= MIN_COVERED * step - _ROUNDING
        values[enough] = parts[enough, 1:] / parts[enough, :1]
    return Curve(values, begin, face)


def shared(first: Curve, second: Curve) -> tuple[Floats, Floats, int]:
    """Return the values of two curves in the steps that both recordings have, and the first of these steps."""
    begin, end = max(first.begin, second.begin), min(len(first), len(second))
    return first.values[begin:end], second.values[begin:end], begin


def _usable(frames: DataFrame) -> NDArray[np.bool_]:
    return (frames["face"].notna() & frames["usable"]).fillna(value=False).to_numpy(bool)
