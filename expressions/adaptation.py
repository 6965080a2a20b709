"""A small correction of the network's answers, fitted to what one person showed when asked for expressions.

It is multinomial logistic regression on the seven log-probabilities, shrunk towards changing nothing: with a dozen
answers it moves where all of them point, and little else. The page fits and applies the same in the browser
(static/js/faces/adaptation.js), and the same recorded answers test both.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from entities import EXPRESSIONS
from expressions.probabilities import Floats, logarithms, softmax, to_rows

_SHRINKAGE: Final = 0.3
"""What being unlike the identity costs, against the mean log-likelihood; a third or three times of it do as well."""
_STEPS: Final = 400
"""Steps of gradient descent; the loss is convex."""


@dataclass(frozen=True, slots=True, eq=False)
class Adaptation:
    """A linear map of the seven log-probabilities that are asked of one person; see `apply`."""

    weights: Floats
    """(7, 7); the identity changes nothing."""
    offsets: Floats
    """(7,)."""
    asked: NDArray[np.bool_]
    """(7,) the expressions that the person showed; the others are left as they are."""

    @classmethod
    def fit(cls, probabilities: ArrayLike, shown: ArrayLike) -> Self:
        """Return the adaptation to one person's answers.

        Args:
            probabilities: (n, 7), 0-1, what the network said.
            shown: (n,) int, indices into EXPRESSIONS of what was asked for.

        Raises:
            ProbabilityError: The rows are not probabilities.

        """
        rows = to_rows(probabilities)
        truth = np.asarray(shown, np.int64)
        features = logarithms(rows)
        asked = np.isin(np.arange(len(EXPRESSIONS)), truth)
        targets = np.eye(len(EXPRESSIONS))[truth]
        identity = np.eye(len(EXPRESSIONS))
        weights, offsets = identity, np.zeros(len(EXPRESSIONS))
        step = 1 / ((np.square(features).sum(axis=1).mean() + 1) / 2 + _SHRINKAGE) if len(rows) else 0.0
        for _ in range(_STEPS if len(rows) else 0):
            errors = (_among(features @ weights.T + offsets, asked) - targets) / len(rows)
            weights = weights - step * (errors.T @ features + _SHRINKAGE * (weights - identity))
            offsets = offsets - step * (errors.sum(axis=0) + _SHRINKAGE * offsets)
        return cls(weights, offsets, asked)

    def apply(self, probabilities: ArrayLike) -> Floats:
        """Return what the network's answers become for this person.

        Expressions that were not asked for keep their probabilities. The asked ones share what is left as they do after
        the map; the less, the nearer an expression that was not asked for is to being the most probable, and not at all
        where it is.

        Args:
            probabilities: (m, 7), or (7,) for one, 0-1, each row summing to about 1.

        Returns:
            Float64 of the same shape; each row sums to 1.

        Raises:
            ProbabilityError: The rows are not probabilities.

        """
        seen = to_rows(probabilities)
        if not self.asked.any():
            return np.reshape(seen, np.shape(probabilities))
        mapped = _among(logarithms(seen) @ self.weights.T + self.offsets, self.asked)
        share = np.where(self.asked, seen, 0).sum(axis=1, keepdims=True)
        strongest = np.where(self.asked, seen, 0).max(axis=1, keepdims=True)
        other = np.where(self.asked, 0, seen).max(axis=1, keepdims=True)
        part = np.clip(1 - other / np.maximum(strongest, np.finfo(np.float64).tiny), 0, 1)
        adapted = np.where(self.asked, (1 - part) * seen + part * share * mapped, seen)
        return np.reshape(adapted, np.shape(probabilities))


def adapted_to_others(probabilities: ArrayLike, shown: ArrayLike) -> Floats:
    """Return each answer after an adaptation to all the others (leave one out): what adapting is worth to this person.

    Args:
        probabilities: (n, 7), 0-1.
        shown: (n,) int, indices into EXPRESSIONS.

    Returns:
        (n, 7) float64.

    Raises:
        ProbabilityError: The rows are not probabilities.

    """
    rows, truth = to_rows(probabilities), np.asarray(shown, np.int64)
    others = ~np.eye(len(rows), dtype=bool)
    adapted = [Adaptation.fit(rows[rest], truth[rest]).apply(row) for row, rest in zip(rows, others, strict=True)]
    return np.reshape(adapted, (-1, len(EXPRESSIONS)))


def _among(logits: Floats, asked: NDArray[np.bool_]) -> Floats:
    """Return the softmax over the asked expressions; 0 for the others."""
    return softmax(np.where(asked, logits, -np.inf))
