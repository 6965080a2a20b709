"""Small networks with random weights, saved as the application's two files."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from entities import EXPRESSIONS


def small_network(
    keras: Any,
    outputs: int = 7,
    size: int = 48,
    *,
    softmax: bool = True,
    average: bool = True,
    pool_first: bool = False,
) -> Any:
    """Return a network with every kind of layer that ours have, sure enough of itself to tell faces apart.

    `average`: over the picture, before the last layer; `pool_first`: before channels are weighed, not after it.
    """
    layers = keras.layers
    keras.utils.set_random_seed(7)
    faces = keras.Input((size, size, 1))
    x = layers.Rescaling(1 / 127.5, offset=-1)(faces)
    for filters in (8, 16):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization()(x)
        x = layers.Activation("relu")(x)
        x = layers.MaxPooling2D()(x) if pool_first else x
        weights = layers.GlobalAveragePooling2D(keepdims=True)(x)
        weights = layers.Dense(filters, activation="sigmoid")(weights)
        x = layers.Multiply()([x, weights])
        x = x if pool_first else layers.MaxPooling2D()(x)
    x = layers.GlobalAveragePooling2D()(x) if average else layers.Flatten()(x)
    x = layers.Dropout(0.5)(x)
    x = layers.Dense(outputs, kernel_initializer=keras.initializers.RandomNormal(stddev=3))(x)
    network = keras.Model(faces, layers.Softmax()(x) if softmax else x)
    random = np.random.default_rng(7)
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    return network


def save(network: Any, folder: Path, **attributes: Any) -> tuple[Path, Path]:
    """Write model.json and model_weights.h5; an attribute of the weights that is None is left out."""
    architecture, weights = folder / "model.json", folder / "model_weights.h5"
    architecture.write_text(network.to_json())
    network.save(weights)
    with h5py.File(weights, "r+") as file:
        for name, value in ({"expressions": EXPRESSIONS, "input_shape": (48, 48, 1)} | attributes).items():
            if value is not None:
                file.attrs[name] = json.dumps(value)
    return architecture, weights
