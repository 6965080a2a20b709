"""Writes a trained network as the two files that the application loads."""

import json
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from entities import EXPRESSIONS
from files import write_text, write_whole
from training.data.fer2013 import FACE_SIZE
from training.network import BatchNormalization


def deployable(model: keras.Model) -> keras.Model:
    """Return a float32 copy, made of Keras's own layers: faces (n, 48, 48, 1), 0-255, to (n, 7) probabilities."""
    faces = keras.Input((FACE_SIZE, FACE_SIZE, 1), name="face")
    copy = keras.models.clone_model(model, clone_function=_plain)
    copy.set_weights(model.get_weights())
    logits = copy.call(faces)  # not copy(faces): its layers become this model's own, not a model within it
    return keras.Model(faces, layers.Softmax(dtype="float32", name="probabilities")(logits), name=model.name)


def _plain(layer: Any) -> Any:
    if not isinstance(layer, layers.Layer):  # An operation of keras.ops, without weights.
        return layer.__class__.from_config(layer.get_config())
    config: dict[str, Any] = layer.get_config() | {"dtype": "float32"}
    kind = layers.BatchNormalization if isinstance(layer, BatchNormalization) else layer.__class__
    return kind.from_config(config)


def export(model: keras.Model, architecture: str | Path, weights: str | Path, *, half: bool = False) -> None:
    """Write model.json and model_weights.h5, with the order of labels and the input's shape in the latter.

    With `half`, kernels are stored in half precision, which halves the file; they are float32 again once loaded.

    Raises:
        ResultsError: One cannot be written; both are as they were before.

    """

    def save(path: Path) -> None:
        model.save(path)
        if half:
            _halve(path)
        with h5py.File(path, "r+") as file:
            if "optimizer_weights" in file:
                del file["optimizer_weights"]
            file.attrs["expressions"] = json.dumps(EXPRESSIONS)
            file.attrs["input_shape"] = json.dumps(model.input_shape[1:])
        # Before the weights take their name: neither file is new where the other cannot be written.
        write_text(Path(architecture), json.dumps(json.loads(model.to_json()), indent=1) + "\n")

    write_whole(Path(weights), save)


def _halve(path: Path) -> None:
    """Write a file of weights anew, with float16 in place of float32 kernels."""
    with h5py.File(path) as file:
        groups, datasets = {"/": dict(file.attrs)}, dict[str, tuple[NDArray[Any], dict[str, Any]]]()

        def read(name: str, item: h5py.Dataset | h5py.Group) -> None:
            if isinstance(item, h5py.Dataset):
                datasets[name] = item[()], dict(item.attrs)
            else:
                groups[name] = dict(item.attrs)

        file.visititems(read)
    with h5py.File(path, "w") as file:
        for name, attributes in groups.items():
            file.require_group(name).attrs.update(attributes)
        for name, (values, attributes) in datasets.items():
            # Not biases and variances: they are small, and half precision could not tell some variances from nothing.
            halved = values.astype(np.float16) if values.ndim > 1 and values.dtype == np.float32 else values
            file.create_dataset(name, data=halved).attrs.update(attributes)
