"""network.onnx: what server and browsers run of model.json and model_weights.h5, and how it is known to be of these."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Final

from entities import EXPRESSIONS, INPUT_SHAPE

NETWORK: Final = "network.onnx"
"""Its name, beside the weights that it was made of."""


def origin(architecture: Path, weights: Path) -> dict[str, str]:
    """Return what the file's metadata has to say, if it is the network of these two files: names and values.

    Raises:
        OSError: One of them cannot be read.

    """
    return {
        "architecture": sha256(architecture.read_bytes()).hexdigest(),
        "weights": sha256(weights.read_bytes()).hexdigest(),
        "expressions": json.dumps(EXPRESSIONS),
        "input_shape": json.dumps(INPUT_SHAPE),
    }


def belongs_to(content: bytes, architecture: Path, weights: Path) -> bool:
    """Whether a file's content says that it is the network of these two; ONNX stores metadata as they are written.

    Raises:
        OSError: One of the two cannot be read.

    """
    return all(value.encode() in content for value in origin(architecture, weights).values())
