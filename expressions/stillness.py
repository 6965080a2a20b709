"""Where in a recording a face is at rest: it hardly changes for a second, and shows no expression with confidence."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from entities import EXPRESSIONS
from expressions.probabilities import Floats, to_rows

MIN_RECORDING: Final = 60.0
"""Seconds that a recording must last: in shorter ones, what somebody does most need not be rest."""
MIN_REST: Final = 3.0
"""Seconds of rest that there must be, all together."""
_STILL: Final = 1.0
"""Seconds in which the face hardly changes."""
_CHANGE: Final = 0.1
"""How far probabilities may lie from their mean in these."""
_CONFIDENT: Final = 0.5
"""From this probability on, an expression other than Neutral may be meant."""
_GAP: Final = 0.3
"""Seconds without the face that end a still time."""
MIN_RATE: Final = 1 / _GAP
"""Frames a second that there must be: with fewer, every frame ends the still time."""

Spans = list[tuple[float, float]]
"""Times from when to when, in seconds, rising."""


def resting_spans(times: ArrayLike, probabilities: ArrayLike) -> Spans:
    """Return when a face is at rest; nothing where that is for less than MIN_REST seconds in all.

    Args:
        times: (n,) seconds, rising, of the frames that show the face.
        probabilities: (n, 7), 0-1, what a network says in each; not smoothed.

    Raises:
        ProbabilityError: The rows are not probabilities.

    """
    clock, rows = np.asarray(times, np.float64), to_rows(probabilities)
    others = np.array([name != "Neutral" for name in EXPRESSIONS])
    calm = np.all(rows[:, others] < _CONFIDENT, axis=1)
    resting = np.zeros(len(clock), bool)
    for first, last in _windows(clock):
        if calm[first:last].all() and _steady(rows[first:last]):
            resting[first:last] = True
    spans = _spans(clock, resting)
    return spans if sum(end - begin for begin, end in spans) >= MIN_REST else []


def _windows(clock: Floats) -> list[tuple[int, int]]:
    """Return the frames (from, to) of each stretch of _STILL seconds in which the face is always there."""
    lasts = np.searchsorted(clock, clock + _STILL - 1e-6)
    holes = np.concatenate([[0], np.cumsum(np.diff(clock) > _GAP)])
    return [
        (first, int(last) + 1)
        for first, last in enumerate(lasts)
        if last < len(clock) and holes[last] == holes[first] and clock[last] - clock[first] <= _STILL + _GAP
    ]


def _steady(rows: Floats) -> bool:
    return bool(np.abs(rows - rows.mean(axis=0)).max() <= _CHANGE)


def _spans(clock: Floats, resting: NDArray[np.bool_]) -> Spans:
    """Return the runs of frames at rest as times."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], resting, [False]]).astype(int)))
    return [(float(clock[first]), float(clock[last - 1])) for first, last in edges.reshape(-1, 2)]
