"""The same faces in worse pictures, each kind at one strength: how a network fares with what cameras really give."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from entities import Image
from training.data.degradation import blur, coarsen, compress, darken, move
from training.metrics.calibration import Floats
from training.metrics.report import Scores, score

SEED: Final = 0


def _as_haar_frames(face: Image, rng: np.random.Generator) -> Image:
    """Return the face as a box of the Haar cascades frames it, up to 6 % off centre and 18 % smaller or 15 % larger."""
    scale, across, down = rng.uniform(0.82, 1.15), *rng.uniform(-0.06, 0.06, 2)
    return move(face, scale, (across, down))


CONDITIONS: Final[dict[str, Callable[[Image, np.random.Generator], Image]]] = {
    "as they are": lambda face, _: face,
    "framed as by Haar's boxes": _as_haar_frames,
    "JPEG of quality 15": lambda face, _: compress(face, 15),
    "enlarged from 20 x 20 pixels": lambda face, _: coarsen(face, 20),
    "blurred by 1.5 pixels": lambda face, _: blur(face, 1.5),
    "a third of the light, noise of 8": lambda face, rng: darken(face, 1 / 3, 8, rng),
}


def score_conditions(
    predict: Callable[[NDArray[np.uint8]], Floats], images: NDArray[np.uint8], labels: NDArray[np.int64]
) -> dict[str, Scores]:
    """Return the scores by condition; chance plays the same part each time.

    Args:
        predict: Returns (n, 7) probabilities for (n, h, w) grey faces.
        images: (n, h, w) grey faces, n > 0.
        labels: (n,) indices into EXPRESSIONS.

    """
    found = {}
    for name, change in CONDITIONS.items():
        rng = np.random.default_rng(SEED)
        found[name] = score(predict(np.stack([change(face, rng) for face in images])), labels)
    return found
