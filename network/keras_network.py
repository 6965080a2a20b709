"""Keras reads model.json and model_weights.h5: the network, checked, and made to say what its answers rest on.

Importing this module does not import Keras. In a process that already uses it (a notebook, say) its backend stays as
it is, TensorFlow, PyTorch or JAX; otherwise it is OpenVINO's, because TensorFlow takes five seconds to import.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from entities import EXPRESSIONS, INPUT_SHAPE
from errors import ModelError

# OpenVINO reports its use to a statistics service, from a forked process. Without this package it does not.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None stands for "not installed"

RETRAIN: Final = "Make both files anew with train.ipynb, or set the model's paths to a pair that belongs together."


def load_network(architecture: str | Path, weights: str | Path) -> Any:
    """Return the keras.Model of the two files, checked to be one that this application can use.

    Raises:
        ModelError: as FacialExpressionModel does.
    """
    architecture, weights = Path(architecture), Path(weights)
    check_files(architecture, weights)
    text = _read_architecture(architecture)
    _check_attributes(weights)
    keras = import_keras()
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


def check_files(architecture: Path, weights: Path) -> None:
    """Raise ModelError where one of the two is missing."""
    for path in (architecture, weights):
        if not path.is_file():
            raise ModelError(f"There is no model file {path}. {RETRAIN}")


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


def import_keras() -> Any:
    """Return Keras, on OpenVINO's backend unless the process uses another already."""
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


def with_evidence(network: Any) -> Any:
    """Return a network with a second output, `evidence` (n, h, w, 7): what each place speaks for each expression.

    It is Grad-CAM's weighted sum (Selvaraju et al., 2017, arXiv:1610.02391) on the last convolution block. Because only
    pooling, or flattening, and one dense layer follow, the mean gradient of a logit over a feature map is, up to a
    factor, the mean of the map's weights in that layer: no backward pass is needed. A network that also looks at
    mirror images has evidence in these too, (2n, h, w, 7). One with another ending is returned as it is.
    """
    maps, weights = _explainable(network)
    if maps is None:
        return network
    keras = import_keras()
    layer = keras.layers.Dense(len(EXPRESSIONS), use_bias=False, dtype="float32", name="evidence")
    evidence = layer(maps)
    layer.set_weights([weights])
    return keras.Model(network.input, [network.output, evidence], name=network.name)


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
    together = maps[0] if len(maps) == 1 else import_keras().layers.Concatenate(name="maps")(maps)
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
        maps = import_keras().layers.Multiply(name=f"weighed_{end.name}")([maps, channel_weights])
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
