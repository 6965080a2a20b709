"""Seven probabilities a row, and their logarithms."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from entities import EXPRESSIONS
from errors import ProbabilityError

Floats = NDArray[np.float64]

LEAST: Final = 1e-6
"""Smaller probabilities count as this one: their logarithms would say nothing."""
_TOLERANCE: Final = 0.05


def to_rows(probabilities: ArrayLike) -> Floats:
    """Return (n, 7) float64, each row summing to 1 exactly.

    Args:
        probabilities: (n, 7) or (7,) in EXPRESSIONS order, 0-1, each row summing to about 1; or nothing, for n = 0.

    Raises:
        ProbabilityError: They are something else.

    """
    try:
        rows = np.atleast_2d(np.asarray(probabilities, np.float64))
    except (TypeError, ValueError):
        raise ProbabilityError("Probabilities must be numbers, seven a row.") from None
    if rows.size == 0:
        return np.empty((0, len(EXPRESSIONS)))
    if rows.ndim != 2 or rows.shape[1] != len(EXPRESSIONS):
        raise ProbabilityError(f"Probabilities come seven a row, in the order {', '.join(EXPRESSIONS)}.")
    sums = rows.sum(axis=1, keepdims=True)
    if not (np.all(rows >= 0) and np.all(np.abs(sums - 1) < _TOLERANCE)):
        raise ProbabilityError("Probabilities lie between 0 and 1, and the seven of a row sum to 1.")
    return np.asarray(rows / sums, np.float64)


def logarithms(probabilities: Floats) -> Floats:
    """Return the natural logarithms, none below that of LEAST."""
    return np.asarray(np.log(np.maximum(probabilities, LEAST)), np.float64)


def softmax(logits: Floats) -> Floats:
    """Return the probabilities (along the last axis) that have these logarithms but for a constant."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float64)


def geometric_mean(probabilities: ArrayLike) -> tuple[float, ...]:
    """Return the seven probabilities whose logarithms are, but for a constant, the means over (n, 7) rows, n > 0.

    Raises:
        ProbabilityError: The rows are not probabilities.

    """
    return tuple(softmax(logarithms(to_rows(probabilities)).mean(axis=0)).tolist())
