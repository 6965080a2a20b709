"""FacialExpressionModel: model.json and model_weights.h5 to calibrated probabilities of seven expressions.

Keras reads the two files and hands the network to OpenVINO, which runs it. Why not Keras alone: TensorFlow
takes 660 MB of memory and five seconds to import, and its `tf.function` needs half as much time again for one
face. OpenVINO, LiteRT and ONNX Runtime compute at the same speed, which is that of the processor's multiply-add
units; OpenVINO is the one of the three that Keras reaches without TensorFlow, through a backend of its own.
Importing this module imports neither, so that a server can answer at once; making a FacialExpressionModel does.

In a process that already uses Keras (a notebook, say) its backend stays as it is, TensorFlow, PyTorch or JAX,
and the network is converted from there.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from entities import EXPRESSIONS, Image
from errors import ModelError, NotExplainedError

INPUT_SHAPE: Final = (48, 48, 1)
"""Height, width and channels of the faces that the network takes."""
MAX_BATCH: Final = 8
"""More faces go through the network in several passes: each batch size costs compiled code, and all are made early."""
RETRAIN: Final = "Make both files anew with train.ipynb, or set the model's paths to a pair that belongs together."


class FacialExpressionModel:
    """Names the expression of faces. Any number of threads may share one."""

    input_size: Final = INPUT_SHAPE[:2]
    """Height and width in pixels to which faces are resized."""
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
        """Load, compile and warm up the network; takes about two seconds.

        It computes on so many threads; on one a processor, four at most, if not given.

        Raises:
            ModelError: a file is missing or broken, they do not belong together, or do not fit this application.
        """
        network = load_network(architecture, weights)
        import runtime  # after Keras: see _import_keras

        self.parameters = network.count_params()
        maps, self._map_weights = _explainable(network)
        outputs = [network.output] if maps is None else [network.output, maps]
        graph = runtime.convert(_import_keras().Model(network.input, outputs), INPUT_SHAPE)
        self.multiply_adds = runtime.count_multiply_adds(graph)
        self._request = runtime.compile_graph(graph, threads)
        self._lock = Lock()
        self._warm_up(Path(weights))

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

        The expression is the most probable one unless given. Grad-CAM (Selvaraju et al., 2017, arXiv:1610.02391)
        on the last convolution block. Because only pooling, or flattening, and one dense layer follow, the mean
        gradient of a logit over a feature map is, up to a factor that scaling takes away, the mean of the map's
        weights in that layer: no backward pass is needed. What a network remembers beside that is not explained.

        Raises:
            ValueError: the face or the expression is none.
            NotExplainedError: the network has another ending.
        """
        if self._map_weights is None:
            raise NotExplainedError("This model cannot say where it looked: its ending is not of a known kind.")
        if expression is not None and expression not in EXPRESSIONS:
            raise ValueError(f"There is no expression {expression!r}: name one of {', '.join(EXPRESSIONS)}.")
        probabilities, maps = self._run(_batch([face]))
        label = int(probabilities[0].argmax()) if expression is None else EXPRESSIONS.index(expression)
        evidence = maps @ self._map_weights[:, label]
        # A network that also looks at the mirror image has maps of both.
        mirrored = evidence[-1][:, ::-1] if len(evidence) == 2 else evidence[0]
        heat = np.maximum(evidence[0] + mirrored, 0)
        heat /= max(float(heat.max()), np.finfo(np.float32).tiny)
        height, width = face.shape
        return cv2.resize(heat, (width, height), interpolation=cv2.INTER_LINEAR)

    def _run(self, batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Return copies of the network's outputs for an (n, 48, 48, 1) batch."""
        with self._lock:
            outputs = self._request.infer([batch])
            return [outputs[index].copy() for index in range(len(outputs))]

    def _warm_up(self, weights: Path) -> None:
        """Have the code for every batch size compiled, so that no face waits for it; and see that it works."""
        for size in range(1, MAX_BATCH + 1):
            rows = self._run(np.full((size, *INPUT_SHAPE), 128, np.float32))[0]
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


def load_network(architecture: str | Path, weights: str | Path) -> Any:
    """Return the keras.Model of the two files, checked to be one that this application can use.

    Raises:
        ModelError: as FacialExpressionModel does.
    """
    architecture, weights = Path(architecture), Path(weights)
    for path in (architecture, weights):
        if not path.is_file():
            raise ModelError(f"There is no model file {path}. {RETRAIN}")
    text = _read_architecture(architecture)
    _check_attributes(weights)
    keras = _import_keras()
    try:
        network = keras.models.model_from_json(text)
    except Exception as error:  # Keras raises whatever a malformed description runs into.
        raise ModelError(f"{architecture} does not describe a Keras 3 network ({_brief(error)}). {RETRAIN}") from error
    if not isinstance(network, keras.Model):
        raise ModelError(f"{architecture} does not describe a Keras 3 network. {RETRAIN}")
    if (shape := network.output_shape) != (None, len(EXPRESSIONS)):
        raise ModelError(f"The network in {architecture} gives {shape}, not {len(EXPRESSIONS)} expressions. {RETRAIN}")
    if (shape := network.input_shape) not in ((None, *INPUT_SHAPE), (None, None, None, 1)):
        raise ModelError(f"The network in {architecture} takes {shape}, not faces of {INPUT_SHAPE}. {RETRAIN}")
    try:
        network.load_weights(weights)
    except Exception as error:  # As above.
        raise ModelError(f"The weights {weights} do not fit {architecture} ({_brief(error)}). {RETRAIN}") from error
    return network


def _read_architecture(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
        description = json.loads(text)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read as JSON ({_brief(error)}). {RETRAIN}") from error
    version = description.get("keras_version") if isinstance(description, dict) else None
    if version is not None and str(version) < "3":
        raise ModelError(
            f"{path} was written by Keras {version}, whose format Keras 3 cannot read. "
            "Save the network again with Keras 3, or train a new one with train.ipynb."
        )
    return text


def _check_attributes(path: Path) -> None:
    """See that the weights say for which labels, in which order, and for which input they were trained."""
    import h5py

    try:
        with h5py.File(path) as file:
            found = {name: json.loads(file.attrs.get(name, "null")) for name in ("expressions", "input_shape")}
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"{path} cannot be read as HDF5 weights ({_brief(error)}). {RETRAIN}") from error
    for name, expected in (("expressions", list(EXPRESSIONS)), ("input_shape", list(INPUT_SHAPE))):
        if found[name] is None:
            raise ModelError(
                f"{path} does not say its {name}: without them a wrong order would go unseen. "
                "Write it with training/export.py."
            )
        if found[name] != expected:
            raise ModelError(f"{path} was trained for {name} {found[name]}, not {expected}. {RETRAIN}")


def _brief(error: Exception) -> str:
    """Return the first line of an error's message, which in Keras can be pages long."""
    line = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
    return line if len(line) <= 200 else f"{line[:199]}…"


def _import_keras() -> Any:
    # OpenVINO reports its use to a statistics service, from a forked process. Without this package it does not.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None stands for "not installed"
    if "keras" not in sys.modules:
        os.environ.setdefault("KERAS_BACKEND", "openvino")
        try:
            with _without_scipy():
                import keras  # noqa: F401
        except OSError as error:  # Matplotlib, which Keras imports, finds no folder to write to
            raise ModelError(
                f"Keras cannot be imported: {error}. Set TMPDIR to a folder that can be written to."
            ) from error
    return sys.modules["keras"]


@contextmanager
def _without_scipy() -> Iterator[None]:
    """Let Keras be imported where SciPy is not installed.

    Its OpenVINO backend imports scipy.signal, undeclared, for windows that it puts on sound; SciPy is 110 MB.
    """
    names = () if find_spec("scipy") else ("scipy", "scipy.signal")
    sys.modules.update({name: ModuleType(name) for name in names})
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


def _explainable(network: Any) -> tuple[Any, NDArray[np.float32] | None]:
    """Return the last convolution block's feature maps and their (channels, 7) mean weights in the logits, if any.

    Pooling after the block is passed over: it sends the whole gradient on. Where channels are weighed after pooling,
    the larger maps are weighed instead, which is the same.
    """
    passed_over = ("Dropout", "Softmax", "Activation")
    layers = [layer for layer in network.layers if type(layer).__name__ not in passed_over]
    ends = [layer for layer in layers if type(layer).__name__ in ("GlobalAveragePooling2D", "Flatten")]
    # Those of squeeze and excitation end nothing: only the last layers' do, one for each member of an ensemble.
    members = [layer for layer in ends if type(layer).__name__ == "Flatten"] or ends[-1:]
    weights = _feature_weights(layers[layers.index(members[-1]) + 1 :]) if members else None
    if weights is None:
        return None, None
    maps = [_last_maps(layers, member) for member in members]
    channels = sum(member_maps.shape[-1] for member_maps in maps)
    by_member = np.stack(np.split(weights, len(members)))  # (members, features, 7)
    by_channel = by_member.reshape(len(members), -1, channels // len(members), len(EXPRESSIONS)).mean(axis=1)
    together = maps[0] if len(maps) == 1 else _import_keras().layers.Concatenate(name="maps")(maps)
    return together, by_channel.reshape(channels, len(EXPRESSIONS))


def _last_maps(layers: Sequence[Any], end: Any) -> Any:
    """Return the feature maps that the layer `end` pools or flattens, as large as they were before pooling."""
    before = next(layer for layer in layers if layer.output is end.input)
    maps, channel_weights = end.input, None
    if type(before).__name__ == "Multiply":
        maps, channel_weights = before.input
    while pooling := next((layer for layer in layers if layer.output is maps and _is_pooling(layer)), None):
        maps = pooling.input
    if channel_weights is not None:
        maps = _import_keras().layers.Multiply(name=f"weighed_{end.name}")([maps, channel_weights])
    return maps


def _feature_weights(ending: Sequence[Any]) -> NDArray[np.float32] | None:
    """Return the (features, 7) weights of the last features in the logits, if the layers after them are of such a kind.

    They are one dense layer, on the features of one network or of an ensemble, or those of heads that are mixed with a
    memory (training/memory.py) and then merged by one: the heads are explained, what is remembered is not.
    """
    dense = [layer for layer in ending if type(layer).__name__ == "Dense"]
    if len(dense) == 1 and all(type(layer).__name__ in ("Dense", "Concatenate") for layer in ending):
        return np.asarray(dense[0].get_weights()[0])
    heads = [layer.get_weights()[0] for layer in dense if layer.name.startswith("own_")]
    return np.hstack(heads) @ dense[-1].get_weights()[0] if heads else None


def _is_pooling(layer: Any) -> bool:
    return type(layer).__name__ in ("MaxPooling2D", "AveragePooling2D")


def _batch(faces: Sequence[Image] | Image) -> NDArray[np.float32]:
    """Return faces as (n, 48, 48, 1), 0-255."""
    if isinstance(faces, np.ndarray) and faces.ndim != 3:
        raise ValueError(f"Faces must be a list of (height, width) or one (n, height, width); not {faces.shape}.")
    batch = np.empty((len(faces), *INPUT_SHAPE), np.float32)
    for row, face in zip(batch, faces, strict=True):
        row[..., 0] = prepare(face)
    return batch
