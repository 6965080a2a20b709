"""Valence is what speaks for happiness, less the most of what speaks against it."""

import pytest

from entities import EXPRESSIONS
from expressions.valence import valence


def row(**probabilities: float) -> list[float]:
    """Return probabilities in EXPRESSIONS order; 0 for those that are not named."""
    return [probabilities.get(name, 0.0) for name in EXPRESSIONS]


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        (row(Happy=1), 1),
        (row(Angry=0.2, Disgust=0.7, Fear=0.1), -0.7),
        (row(Happy=0.5, Sad=0.3, Fear=0.2), 0.2),
        (row(Surprise=0.6, Neutral=0.4), 0),
    ],
)
def test_valence(probabilities: list[float], expected: float) -> None:
    """Surprise and Neutral are neither pleasant nor unpleasant; of the unpleasant ones the largest counts."""
    assert valence(probabilities) == pytest.approx(expected)
