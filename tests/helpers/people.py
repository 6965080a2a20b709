"""People whose faces a made-up network misreads, each in a way of their own."""

import numpy as np
from numpy.typing import NDArray

from entities import EXPRESSIONS

NEUTRAL = EXPRESSIONS.index("Neutral")


def recorded(seed: int = 0, takes: int = 3, strength: float = 3.0) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return what one person showed, (n,) indices into EXPRESSIONS, and the (n, 7) probabilities that were seen.

    The person looks sad at rest, and shows all expressions faintly: most are called Neutral or Sad.
    """
    chance = np.random.default_rng(seed)
    rest = np.array([-4.0, -6, -8, -5, -1, -7, 0]) + chance.normal(0, 0.3, 7)
    shown = np.repeat(np.arange(7, dtype=np.int64), takes)
    logits = rest + strength * np.eye(7)[shown] + chance.normal(0, 0.2, (len(shown), 7))
    logits[shown == NEUTRAL] -= strength * np.eye(7)[NEUTRAL]
    powers = np.exp(logits)
    return shown, np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float64)
