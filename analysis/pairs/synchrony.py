"""Windowed cross-correlation of two curves: how alike they are at each time and lag, and what that is on the whole.

Boker, Xu, Rotondo and King (2002, doi:10.1037/1082-989X.7.3.338) defined it. Correlations become Fisher's Z, which is
averaged over windows and lags, as an absolute value, as Ramseyer and Tschacher (2011, doi:10.1037/a0023419) do.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from pandas import DataFrame

from analysis.pairs.curves import Floats
from errors import StudyError

MIN_SHARE: Final = 0.5
"""Part of a window that has to show both people."""
MIN_DEVIATION: Final = 1e-6
"""Of a curve that varies at all: probabilities are rounded to so many digits."""
MAX_Z: Final = 10.0
"""Of a correlation of 1, which has none: as the R package rMEA has it."""
DIGITS: Final = 9
"""Of times: a step's number times its length, so that the same step has the same time in each table."""
_FEWEST: Final = 10
"""Steps in a window, at least."""


@dataclass(frozen=True, slots=True)
class Windows:
    """How the time that two people share is cut up."""

    seconds: float = 30.0
    """Of a window; the next one begins half a window later."""
    max_lag: float = 5.0
    """Seconds by which either person may follow the other, at most."""

    def in_steps(self, step: float) -> "Steps":
        """Return the same in steps of so many seconds.

        Raises:
            StudyError: A window is too short.

        """
        width = round(self.seconds / step)
        if width < _FEWEST:
            raise StudyError(
                f"--pair-window {self.seconds:g}: with the frames that were looked at, a window has {_FEWEST} steps of "
                f"{step:g} s at least. Choose {_FEWEST * step:g} or more."
            )
        return Steps(width, width // 2, round(self.max_lag / step))


@dataclass(frozen=True, slots=True)
class Steps:
    """Windows in steps of the curves."""

    width: int
    increment: int
    """From the beginning of a window to that of the next."""
    max_lag: int

    @property
    def fewest(self) -> int:
        """Return how many steps two people have to share."""
        return self.width + self.max_lag

    @property
    def lags(self) -> range:
        """Return all lags, from the last by which A follows B to the last by which B follows A."""
        return range(-self.max_lag, self.max_lag + 1)


def windowed_correlations(first: Floats, second: Floats, steps: Steps) -> Floats:
    """Return (windows, lags) correlations of what two people show, NaN where they cannot be told.

    A window at s with a lag of 0 is the steps from s on in both curves. With a positive lag, it is that many steps
    later in the second curve: a high correlation means that the second person follows the first, who leads. With a
    negative lag, it is later in the first curve. Steps that one of the two lacks do not count; less than MIN_SHARE of a
    window, or a curve that does not vary in it, is NaN.

    Args:
        first: (n,) of person A, NaN where there is nothing.
        second: (n,) of person B, likewise.
        steps: The windows.

    """
    begins = np.arange(0, len(first) - steps.fewest + 1, steps.increment)
    if not len(begins):
        return np.empty((0, len(steps.lags)))
    of_first, of_second = (sliding_window_view(curve, steps.width) for curve in (first, second))
    by_lag = [
        _correlations(of_first[begins + max(0, -lag)], of_second[begins + max(0, lag)], MIN_SHARE * steps.width)
        for lag in steps.lags
    ]
    return np.stack(by_lag, axis=1)


def fisher_z(correlations: Floats) -> Floats:
    """Return Fisher's Z of correlations, no further from 0 than MAX_Z."""
    with np.errstate(divide="ignore"):
        return np.clip(np.arctanh(np.clip(correlations, -1, 1)), -MAX_Z, MAX_Z)


def summary(correlations: Floats, step: float) -> dict[str, Any]:
    """Return what the correlations of a pair are on the whole.

    Args:
        correlations: As `windowed_correlations` returns them.
        step: Seconds, of the lags.

    Returns:
        windows (that have a correlation), empty_windows (that have none), synchrony (mean of |Z| over windows and
        lags), mean_z (of Z, which has a sign), r_zero (without a lag: the mean Z over windows as a correlation),
        peak_lag (s, at which the mean Z over windows is highest; above 0 where B follows A), peak_r (the correlation
        there), lead_a and lead_b (mean of |Z| over the lags above and below 0: A leads, B leads). NaN where there is
        no correlation.

    """
    z = fisher_z(correlations)
    known = np.isfinite(z)
    windows = int(known.any(axis=1).sum())
    found: dict[str, Any] = {"windows": windows, "empty_windows": len(z) - windows}
    if not windows:
        names = ("synchrony", "mean_z", "r_zero", "peak_lag", "peak_r", "lead_a", "lead_b")
        return found | dict.fromkeys(names, float("nan"))
    zero = z.shape[1] // 2
    by_lag = DataFrame(z).mean().to_numpy(np.float64)  # NaN, without a warning, where no window has the lag
    peak = int(np.nanargmax(by_lag))
    return found | {
        "synchrony": mean(np.abs(z)),
        "mean_z": mean(z),
        "r_zero": float(np.tanh(by_lag[zero])),
        "peak_lag": round(step * (peak - zero), DIGITS),
        "peak_r": float(np.tanh(by_lag[peak])),
        "lead_a": mean(np.abs(z[:, zero + 1 :])),
        "lead_b": mean(np.abs(z[:, :zero])),
    }


def mean(values: Floats) -> float:
    """Return the mean of what is known; NaN where nothing is."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _correlations(first: Floats, second: Floats, fewest: float) -> Floats:
    """Return Pearson's correlation of each two rows, over the places that both have: `fewest` of these at least."""
    both = np.isfinite(first) & np.isfinite(second)
    count = both.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        x, y = (np.where(both, rows, 0.0) for rows in (first, second))
        x, y = (np.where(both, rows - rows.sum(axis=1, keepdims=True) / count, 0.0) for rows in (x, y))
        deviations = [np.sqrt((rows**2).sum(axis=1) / count[:, 0]) for rows in (x, y)]
        found = (x * y).sum(axis=1) / count[:, 0] / (deviations[0] * deviations[1])
    known = (count[:, 0] >= fewest) & (np.minimum(*deviations) > MIN_DEVIATION)
    return np.where(known, found, np.nan)
