"""Steadies the probabilities of one face over time."""

import math

import numpy as np
from numpy.typing import NDArray


class Smoother:
    """An exponential average with a time constant in seconds, whatever the frame rate."""

    def __init__(self, time_constant: float) -> None:
        """Average over about `time_constant` seconds; 0 for none."""
        self._time_constant = time_constant
        self._average: NDArray[np.float64] | None = None
        self._time = 0.0

    def update(self, probabilities: NDArray[np.float32], time: float) -> tuple[float, ...]:
        """Return the average including these probabilities, seen at `time` in seconds."""
        elapsed = max(0.0, time - self._time)
        if self._average is None or not self._time_constant:
            self._average = probabilities.astype(np.float64)
        else:
            kept = math.exp(-elapsed / self._time_constant)
            self._average = kept * self._average + (1 - kept) * probabilities
        self._time = time
        return tuple(self._average.tolist())
