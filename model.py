"""FacialExpressionModel: model.json and model_weights.h5 to calibrated probabilities of seven expressions.

OpenVINO runs network.onnx beside them, which is the same network in 8 bits (training/quantization.py); where that is
missing or was made of other files, Keras reads the two and OpenVINO runs them in float32. Why not Keras alone:
TensorFlow takes 660 MB of memory and five seconds to import, and its `tf.function` needs half as much time again for
one face. Importing this module imports neither, so that a server can answer at once; making a FacialExpressionModel
does.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from entities import EXPRESSIONS, INPUT_SHAPE, Image
from errors import ModelError, NotExplainedError
from network.keras_network import RETRAIN, check_files, load_network, with_evidence
from network.network_file import NETWORK, belongs_to
from process import FairLock

if TYPE_CHECKING:
    from network import runtime

log = logging.getLogger(__name__)

MAX_BATCH: Final = 8
"""More faces go through the network in several passes: each batch size that occurs keeps memory of its own."""


class FacialExpressionModel:
    """Names the expression of faces. Any number of threads may share one."""

    input_size: Final = INPUT_SHAPE[:2]
    """Height and width in pixels to which faces are resized."""
    precision: Final[str]
    """What it computes in: int8, or float32."""
    parameters: Final[int]
    """Number of weights of the network."""
    multiply_adds: Final[int]
    """Multiplications with additions that one face costs, in convolutions and dense layers."""

    def __init__(
        self,
        architecture: str | Path = "model.json",
        weights: str | Path = "model_weights.h5",
        *,
        threads: int | None = None,
    ) -> None:
        """Load, compile and try the network; takes half a second, in float32 about three.

        It computes on so many threads; on one a processor, four at most, if not given.

        Raises:
            ModelError: a file is missing or broken, they do not belong together, or do not fit this application.
        """
        architecture, weights = Path(architecture), Path(weights)
        check_files(architecture, weights)
        from network.runtime import compile_graph

        network = _read(architecture, weights) or _convert(architecture, weights)
        self.precision, self.parameters = network.precision, network.parameters
        self.multiply_adds = network.count_multiply_adds()
        self._request = compile_graph(network.graph, threads)
        self._lock = FairLock()  # several cameras use it, and none is to wait longer than the others
        self._check(weights)

    def predict(self, faces: Sequence[Image] | Image) -> NDArray[np.float32]:
        """Return (n, 7) probabilities in EXPRESSIONS order, each row summing to 1.

        `faces` is a sequence of n grey uint8 crops (h, w) of any size, or one (n, h, w) uint8 array.
        Raises ValueError where a face is anything else.
        """
        batch = _batch(faces)
        rows = [self._run(batch[start : start + MAX_BATCH])[0] for start in range(0, len(batch), MAX_BATCH)]
        return np.concatenate(rows) if rows else np.empty((0, len(EXPRESSIONS)), np.float32)

    def predict_emotion(self, image: Image) -> str:
        """Return the most probable of EXPRESSIONS for one grey uint8 face: (h, w), (h, w, 1) or (1, h, w, 1)."""
        shape = np.shape(image)
        if len(shape) == 4 and shape[0] == 1:
            image = image[0]
        if np.ndim(image) == 3 and np.shape(image)[2] == 1:
            image = image[..., 0]
        return EXPRESSIONS[int(self.predict([image])[0].argmax())]

    def explain(self, face: Image, expression: str | None = None) -> NDArray[np.float32]:
        """Return an (h, w) heat map, 0-1, of what in an (h, w) grey uint8 face speaks for an expression.

        The expression is the most probable one unless given. It is Grad-CAM: `network/keras_network.py` says
        how. What a network remembers beside that is not explained.

        Raises:
            ValueError: the face or the expression is none.
            NotExplainedError: the network has another ending.
        """
        if expression is not None and expression not in EXPRESSIONS:
            raise ValueError(f"There is no expression {expression!r}: name one of {', '.join(EXPRESSIONS)}.")
        probabilities, *others = self._run(_batch([face]))
        if not others:
            raise NotExplainedError("This model cannot be explained: its last layers are of an unknown kind.")
        label = int(probabilities[0].argmax()) if expression is None else EXPRESSIONS.index(expression)
        evidence = others[0][..., label]
        # A network that also looks at the mirror image has evidence in both.
        mirrored = evidence[-1][:, ::-1] if len(evidence) == 2 else evidence[0]
        heat = np.maximum(evidence[0] + mirrored, 0)
        heat /= max(float(heat.max()), np.finfo(np.float32).tiny)
        height, width = face.shape
        return cv2.resize(heat, (width, height), interpolation=cv2.INTER_LINEAR)

    def _run(self, batch: Image) -> list[NDArray[np.float32]]:
        """Return copies of the network's outputs for an (n, 48, 48) batch."""
        faces = batch if self.precision == "int8" else batch[..., None].astype(np.float32)
        with self._lock:
            outputs = self._request.infer([faces])
            return [outputs[index].copy() for index in range(len(outputs))]

    def _check(self, weights: Path) -> None:
        """See that it works, which also compiles what depends on a batch's size: later ones cost 15 ms once."""
        rows = self._run(np.full((1, *INPUT_SHAPE[:2]), 128, np.uint8))[0]
        if not np.allclose(rows.sum(axis=1), 1, atol=1e-3) or not np.all(rows >= 0):
            raise ModelError(f"The network with the weights {weights} does not give probabilities. {RETRAIN}")


def prepare(face: Image) -> Image:
    """Return a grey (h, w) uint8 face resized to (48, 48), as the network takes it.

    Raises ValueError where the face has another shape or type.
    """
    shape, dtype = np.shape(face), getattr(face, "dtype", type(face).__name__)
    if dtype != np.uint8 or len(shape) != 2 or 0 in shape:
        raise ValueError(f"A face must be a grey picture, a (height, width) array of uint8; this is {dtype} {shape}.")
    height, width = INPUT_SHAPE[:2]
    if face.shape == (height, width):
        return face
    # Averaging keeps what shrinking would skip; enlarging has nothing to average.
    shrinks = face.shape[0] >= height and face.shape[1] >= width
    return cv2.resize(face, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _read(architecture: Path, weights: Path) -> "runtime.Network | None":
    """Return network.onnx beside the weights; or None, and log why, where it is not the network of the two files."""
    from network import runtime

    path = weights.with_name(NETWORK)
    try:
        content = path.read_bytes()
        network = runtime.read(content)
        if belongs_to(content, architecture, weights):
            return network
        why = "was made of other files"
    except FileNotFoundError:
        why = "is missing"
    except ModelError as error:
        why = f"cannot be read ({error})"
    log.warning(
        "%s %s: the network runs in float32, converted from %s and %s, which takes longer. "
        "Make it with python -m training.quantization fer2013.csv.",
        *(path, why, architecture, weights),
    )
    return None


def _convert(architecture: Path, weights: Path) -> "runtime.Network":
    """Return the network of the two files in float32."""
    network = load_network(architecture, weights)
    from network import runtime

    return runtime.convert(with_evidence(network), INPUT_SHAPE, network.count_params())


def _batch(faces: Sequence[Image] | Image) -> Image:
    """Return faces as (n, 48, 48)."""
    if isinstance(faces, np.ndarray) and faces.ndim != 3:
        raise ValueError(f"Faces must be a list of (height, width) or one (n, height, width); not {faces.shape}.")
    batch = np.empty((len(faces), *INPUT_SHAPE[:2]), np.uint8)
    for row, face in zip(batch, faces, strict=True):
        row[:] = prepare(face)
    return batch
