"""Intervals in which faces show expressions, as a table made of a table of frames."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from pandas import DataFrame, concat

from entities import EXPRESSIONS
from expressions.intervals import GAP, OFF, ON, SHORTEST, find_stretches

COLUMNS: Final = {
    "file": "str",
    "face": "int32",
    "name": "str",
    "expression": "str",
    "onset": "float64",
    "peak": "float64",
    "offset": "float64",
    "duration": "float64",
    "mean_probability": "float64",
    "peak_probability": "float64",
}
"""Of a table of intervals. Onset, peak and offset in seconds of the file, duration in seconds, probabilities 0-1; the
mean is over time. The onset is when the first frame is shown, the offset when the last one no longer is."""


def joined(tables: Sequence[DataFrame], types: Mapping[str, str]) -> DataFrame:
    """Return several tables below each other, with these columns of these types, also where there are no rows."""
    filled = [table for table in tables if len(table)]
    return (concat(filled, ignore_index=True) if filled else DataFrame(columns=list(types))).astype(dict(types))


def find_intervals(
    frames: DataFrame, *, on: float = ON, off: float = OFF, shortest: float = SHORTEST, gap: float = GAP
) -> DataFrame:
    """Return each stretch in which a face shows an expression; `expressions.intervals` says how they are found.

    A frame in which the face is uncertain or not usable counts as one without the face.

    Args:
        frames: A row a face and frame, in any order, with file, time, duration, face, name, uncertain, usable and the
            seven probabilities. Rows without a face are passed over.
        on: Probability (0-1) that begins an interval.
        off: Probability (0-1) below which it ends.
        shortest: Seconds that it lasts at least.
        gap: Seconds up to which two intervals are one.

    Returns:
        COLUMNS, by file, then onset, then face.

    """
    seen = frames[frames["face"].notna()].sort_values("time", kind="stable")
    found = [
        _intervals_of_face(rows, on=on, off=off, shortest=shortest, gap=gap)
        for _, rows in seen.groupby(["file", "face"], sort=False)
    ]
    return joined(found, COLUMNS).sort_values(["file", "onset", "face", "expression"], ignore_index=True)


def _intervals_of_face(rows: DataFrame, *, on: float, off: float, shortest: float, gap: float) -> DataFrame:
    starts = rows["time"].to_numpy(np.float64)
    durations = rows["duration"].to_numpy(np.float64)
    ends = starts + durations
    known = rows["usable"].to_numpy(bool) & ~rows["uncertain"].to_numpy(bool)
    found: list[dict[str, object]] = []
    for name in EXPRESSIONS:
        values = np.where(known, rows[name].to_numpy(np.float64), np.nan)
        for first, peak, last in find_stretches(values, starts, ends, on=on, off=off, shortest=shortest, gap=gap):
            within = slice(first, last + 1)
            weights = np.where(np.isnan(values[within]), 0, durations[within])
            found.append(
                {
                    "file": rows["file"].iloc[0],
                    "face": rows["face"].iloc[0],
                    "name": rows["name"].iloc[first],
                    "expression": name,
                    "onset": starts[first],
                    "peak": starts[peak],
                    "offset": ends[last],
                    "duration": ends[last] - starts[first],
                    "mean_probability": np.average(np.nan_to_num(values[within]), weights=weights),
                    "peak_probability": values[peak],
                }
            )
    return DataFrame(found, columns=list(COLUMNS))
