"""How pleasant a face looks: the difference between what speaks for happiness and what speaks against it.

Arousal, the other axis that emotions are often placed on (Russell, 1980, A circumplex model of affect), cannot be had
from probabilities of these seven expressions: a calm and an excited smile are both Happy.
"""

from collections.abc import Sequence
from typing import Final

from entities import EXPRESSIONS

_PLEASANT: Final = EXPRESSIONS.index("Happy")
_UNPLEASANT: Final = tuple(EXPRESSIONS.index(name) for name in ("Angry", "Disgust", "Fear", "Sad"))


def valence(probabilities: Sequence[float]) -> float:
    """Return the probability of Happy minus the largest of Angry, Disgust, Fear and Sad: -1 to 1.

    It is the definition that commercial software for researchers uses (FaceReader's reference manual).

    Args:
        probabilities: seven, 0-1, in EXPRESSIONS order.

    """
    return probabilities[_PLEASANT] - max(probabilities[index] for index in _UNPLEASANT)
