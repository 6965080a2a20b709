"""A person's resting face: what the network says of it is no expression, so the other faces are compared with it.

Some faces look stern, sad or amused at rest, and a network that has never seen the person takes that for an expression.
Where it is known what the network says of the face at rest, that can be taken out: log-probabilities are compared, as
prior knowledge is in Bayesian decisions. It is the "participant calibration" of commercial software for researchers.

The constants were chosen on what two networks say of ten people who each posed all seven expressions (`evaluate.py
--rest-rows` measures on such figures), and on video of a smile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import ArrayLike

from entities import EXPRESSIONS
from errors import RestError
from expressions.probabilities import LEAST, Floats, geometric_mean, logarithms, softmax, to_rows

_NEUTRAL: Final = EXPRESSIONS.index("Neutral")
_SUBTRACTED: Final = 0.85
"""Which part of the log-probabilities at rest is taken out; not all, since a rest is known from a few moments only."""
_NEUTRAL_BONUS: Final = 1.75
"""Added to Neutral's logarithm: a face that looks as it does at rest is neutral."""
_SURE: Final = (0.8, 0.95)
"""From where to where on the way from its probability at rest to 1 an expression is more and more kept as it is."""
_FAR: Final = (5.0, 7.0)
"""How much greater than at rest an expression's log-odds are where it is more and more kept as it is."""
_LEADS: Final = (0.0, 0.3)
"""By how much it is more probable than Neutral then."""
_STILL: Final = (0.5, 0.7)
"""How probable Neutral is after the comparison where a face that is called Neutral is more and more kept as it is."""


@dataclass(frozen=True, slots=True)
class RestingFace:
    """What a network says of one person's face at rest; seven numbers, and no picture."""

    probabilities: tuple[float, ...]
    """Seven floats in EXPRESSIONS order, above 0, summing to 1: the geometric mean of what was seen."""

    @classmethod
    def of(cls, probabilities: ArrayLike) -> Self:
        """Return the resting face of a person who was seen at rest.

        Args:
            probabilities: (n, 7) or (7,), 0-1, each row summing to about 1, from one picture or many; not smoothed.

        Raises:
            RestError: There is no row.
            ProbabilityError: The rows are not probabilities.

        """
        rows = to_rows(probabilities)
        if not len(rows):
            raise RestError("A resting face needs at least one picture of the face at rest.")
        return cls(geometric_mean(rows))

    @classmethod
    def from_record(cls, record: object) -> Self:
        """Return the resting face that `record` told of: a probability (0-1) for each of EXPRESSIONS by name.

        Raises:
            RestError: A name is missing or unknown.
            ProbabilityError: The values are not probabilities.

        """
        if not isinstance(record, Mapping) or set(record) != set(EXPRESSIONS):
            raise RestError(f"A resting face has a probability for each of {', '.join(EXPRESSIONS)}, and no more.")
        return cls.of([[record[name] for name in EXPRESSIONS]])

    def record(self) -> dict[str, float]:
        """Return the seven numbers by name, as JSON keeps them."""
        return {name: round(value, 7) for name, value in zip(EXPRESSIONS, self.probabilities, strict=True)}

    def correct(self, probabilities: ArrayLike) -> Floats:
        """Compare what a network says of the same person's other faces with what it says of the face at rest.

        The greater part of the logarithms at rest is subtracted, Neutral's is raised, and the results are made
        probabilities again. That finds faint expressions, and does harm to strong ones, whose other log-probabilities
        mean nothing. So an answer is kept as it is, more and more, where the network is sure of an expression that the
        rest does not itself show, where that is much more likely than at rest, and where the face is Neutral before and
        after.

        Subtracting logarithms is dividing by a prior (Menon et al., 2021, arXiv:2007.07314, do so for a network's
        training set); that it takes expressions from 46 to 70 % right is this project's own measurement.

        Args:
            probabilities: (m, 7), or (7,) for one; 0-1, each row summing to about 1.

        Returns:
            Float64 of the same shape; each row sums to 1.

        Raises:
            ProbabilityError: The rows are not probabilities.

        """
        seen = to_rows(probabilities)
        rest = np.asarray(self.probabilities)
        bonus = np.where(np.arange(len(EXPRESSIONS)) == _NEUTRAL, _NEUTRAL_BONUS, 0)
        compared = softmax(logarithms(seen) - _SUBTRACTED * logarithms(rest) + bonus)
        kept = self._kept(seen, compared)[:, None]
        return np.reshape(kept * seen + (1 - kept) * compared, np.shape(probabilities))

    def _kept(self, seen: Floats, compared: Floats) -> Floats:
        """Return (m,) which part (0-1) of each answer is kept as it is."""
        neutral = seen[:, _NEUTRAL]
        others = np.where(np.arange(len(EXPRESSIONS)) == _NEUTRAL, -1, seen)
        top = others.argmax(axis=1)
        strength = others.max(axis=1)
        rest = np.asarray(self.probabilities)[top]
        sure = _ramp((strength - rest) / np.maximum(1 - rest, LEAST), _SURE)
        far = _ramp(_log_odds(strength) - _log_odds(rest), _FAR) * _ramp(strength - neutral, _LEADS)
        still = _ramp(compared[:, _NEUTRAL], _STILL) * (neutral >= strength)
        return np.asarray(np.maximum(np.maximum(sure, far), still), np.float64)


def _log_odds(probabilities: Floats) -> Floats:
    within = np.clip(probabilities, LEAST, 1 - LEAST)
    return np.asarray(np.log(within / (1 - within)), np.float64)


def _ramp(values: Floats, limits: tuple[float, float]) -> Floats:
    """Return how far (0-1) each value is on the way between two limits."""
    return np.asarray(np.clip((values - limits[0]) / (limits[1] - limits[0]), 0, 1), np.float64)
