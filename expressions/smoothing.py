"""Steadies over time what is said of one face, so that its label neither flickers nor lags."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

_MARGIN: Final = 0.1
_PATIENCE: Final = 1.0
"""What hovers around a limit does not make the label come and go. An uncertain face is named again when its confidence
is _MARGIN above the minimum, or has been above it for _PATIENCE seconds; and another expression takes the place of the
one that is shown when it is more probable by _MARGIN, or has been more probable for _PATIENCE seconds."""


class Smoother:
    """What a classifier says of one face, averaged over the last moments."""

    def __init__(self, time_constant: float, min_confidence: float = 0.0) -> None:
        """Start with nothing known.

        Args:
            time_constant: seconds over which probabilities are averaged (exponentially); 0 for none.
            min_confidence: 0-1, below which a face is uncertain.
        """
        self._time_constant = time_constant
        self._min_confidence = min_confidence
        self._average: NDArray[np.float64] | None = None
        self._time = 0.0
        self._above_since: float | None = None
        self._behind_since: float | None = None
        self.shown = 0
        """Index of the expression that is shown."""
        self.threshold = min_confidence
        """The confidence from which the face is named at this moment: `min_confidence`, or more if it was uncertain."""

    def update(self, probabilities: NDArray[np.floating], time: float) -> tuple[float, ...]:
        """Return the average including these probabilities, seen at `time` in seconds on any clock."""
        elapsed = max(0.0, time - self._time)
        first = self._average is None
        if self._average is None or not self._time_constant:
            self._average = probabilities.astype(np.float64)
        else:
            kept = math.exp(-elapsed / self._time_constant)
            self._average = kept * self._average + (1 - kept) * probabilities
        self._time = time
        self._choose(self._average, first=first)
        self._set_threshold(float(self._average[self.shown]), first=first)
        return tuple(self._average.tolist())

    def _choose(self, probabilities: NDArray[np.float64], *, first: bool) -> None:
        most = int(probabilities.argmax())
        lead = float(probabilities[most] - probabilities[self.shown])
        if lead == 0:
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since = self._time
        long_behind = self._behind_since is not None and self._time - self._behind_since >= _PATIENCE
        if first or long_behind or lead >= _MARGIN:
            self.shown, self._behind_since = most, None

    def _set_threshold(self, confidence: float, *, first: bool) -> None:
        if confidence < self._min_confidence:
            self.threshold = self._min_confidence + _MARGIN
            self._above_since = None
            return
        if self._above_since is None:
            self._above_since = self._time
        long_above = self._time - self._above_since >= _PATIENCE
        if first or long_above or confidence >= self.threshold:
            self.threshold = self._min_confidence
