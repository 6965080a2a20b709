"""Stretches of time in which an expression is shown, found by two thresholds so that noise does not break them up.

It is a Schmitt trigger: an interval begins where the probability reaches `on` and lasts until it falls below `off`.
Intervals that are close together are one, and what is very short is dropped.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

ON: Final = 0.5
"""Probability that begins an interval: the expression is more probable than all the others together."""
OFF: Final = 0.35
"""Probability below which it ends. The distance from ON is about what a steady face's probabilities vary by."""
SHORTEST: Final = 0.2
"""Seconds that an interval lasts at least: most facial expressions last half a second to four seconds, and the fastest
about 0.2 s from onset to offset (Yan et al., 2013, doi:10.1007/s10919-013-0159-8)."""
GAP: Final = 0.2
"""Seconds between two intervals of one expression up to which they are one: a blink is that long."""
_ROUNDING: Final = 1e-3
"""Seconds; times come from tables that are rounded."""


def find_stretches(
    probabilities: ArrayLike,
    starts: ArrayLike,
    ends: ArrayLike,
    *,
    on: float = ON,
    off: float = OFF,
    shortest: float = SHORTEST,
    gap: float = GAP,
) -> NDArray[np.intp]:
    """Return where one face shows one expression.

    Args:
        probabilities: (n,) 0-1 of the expression in each frame that shows the face; NaN where it cannot be relied on,
            which counts as a frame without the face.
        starts: (n,) seconds from which each frame is shown, rising.
        ends: (n,) seconds until which it is.
        on: Probability (0-1) that begins an interval.
        off: Probability (0-1) below which it ends; above `on` it counts as `on`.
        shortest: Seconds that it lasts at least.
        gap: Seconds up to which two intervals, or two frames with the face, are taken together.

    Returns:
        (m, 3) indices of the first frame of each interval, of its peak (the first, if there are several), and of its
        last frame.

    """
    values, begin, end = (np.asarray(numbers, np.float64) for numbers in (probabilities, starts, ends))
    alone = np.ones(len(values) + 1, bool)  # whether the face is out of view before each frame, and after the last
    alone[1:-1] = begin[1:] - end[:-1] > gap + _ROUNDING
    shown = _triggered(values, alone[:-1], on, min(off, on))
    firsts = np.flatnonzero(shown & (alone[:-1] | ~np.roll(shown, 1)))
    lasts = np.flatnonzero(shown & (alone[1:] | ~np.roll(shown, -1)))
    apart = begin[firsts[1:]] - end[lasts[:-1]] > gap + _ROUNDING
    firsts = firsts[np.concatenate([[True], apart])[: len(firsts)]]
    lasts = lasts[np.concatenate([apart, [True]])[: len(lasts)]]
    lasting = end[lasts] - begin[firsts] >= shortest - _ROUNDING
    found = [
        (first, first + int(np.nanargmax(values[first : last + 1])), last)
        for first, last in zip(firsts[lasting], lasts[lasting], strict=True)
    ]
    return np.reshape(np.asarray(found, np.intp), (-1, 3))


def _triggered(values: NDArray[np.float64], alone: NDArray[np.bool_], on: float, off: float) -> NDArray[np.bool_]:
    """Return (n,) whether the trigger is on in each frame; it is off where a face comes into view."""
    decided = (values >= on) | ~(values >= off) | alone
    latest = np.maximum.accumulate(np.where(decided, np.arange(len(values)), 0))
    return np.asarray(values >= on, np.bool_)[latest] if len(values) else np.empty(0, np.bool_)
