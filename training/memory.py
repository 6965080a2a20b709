"""A memory of the training faces beside a network's heads: a face is named half as its like in the memory are named.

Khandelwal et al., "Generalization through Memorization: Nearest Neighbor Language Models", 2020, arXiv:1911.00172. It
pays where a split has pictures of the scenes, or even copies of the pictures, that were trained on, as FER2013 has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.decomposition import PCA

from entities import EXPRESSIONS

NEARNESS: Final = 0.04
"""What similarities are divided by before they are weighed: the smaller, the more the very nearest count."""
WHITENING: Final = 0.25
"""Power of the variances by which the features are divided: 0 leaves the common ones their weight, 0.5 takes it."""
TINY: Final = 1e-6
"""The least share that is remembered: zero has no logarithm."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Memory:
    """How n faces look to a network, in d numbers each."""

    kernel: Floats
    """(features, d) from the network's last features to these numbers."""
    bias: Floats
    """(d,) added to them."""
    keys: Floats
    """(n, d) the faces, each of length 1."""

    def name_without_itself(self, shares: Floats) -> Floats:
        """Return (n, 7) shares for the faces in the memory, from those (n, 7) of all the other faces in it."""
        named = np.empty_like(shares)
        for rows in np.array_split(np.arange(len(shares)), max(len(shares) // 1000, 1)):
            similarity = self.keys[rows] @ self.keys.T / NEARNESS
            similarity[np.arange(len(rows)), rows] = -np.inf
            named[rows] = softmax(similarity, axis=1) @ shares
        return named


def memorize(features: Floats, dimensions: int) -> Memory:
    """Return a memory of faces with (n, f) features: projections on the `dimensions`, below n and f, that vary most."""
    # Randomized: an ensemble has ten thousand features, whose covariances would take minutes.
    found = PCA(dimensions, svd_solver="randomized", random_state=0).fit(features)
    kernel = (found.components_.T * found.explained_variance_**-WHITENING).astype(np.float32)
    bias = -found.mean_ @ kernel
    keys = features @ kernel + bias
    return Memory(kernel, bias, keys / np.linalg.norm(keys, axis=1, keepdims=True))


def with_memory(network: keras.Model, memory: Memory, shares: Mapping[str, Floats]) -> keras.Model:
    """Return a network with the heads of `network`, each of which gives as much weight to the memory as to itself.

    Args:
        network: faces to the logits of heads, dense layers on the same features.
        memory: of these features.
        shares: by head, the (n, 7) shares of each expression in the memory's faces.
    """
    features = network.get_layer(next(iter(shares))).input
    query = _dense("query", memory.kernel, memory.bias)(features)
    similarity = _dense("similarity", memory.keys.T / NEARNESS)(layers.UnitNormalization(name="direction")(query))
    attention = layers.Softmax(name="attention")(similarity)
    mixed = []
    for head, values in shares.items():
        own = layers.Softmax()(_dense(f"own_{head}", *network.get_layer(head).get_weights())(features))
        recalled = _dense(f"recalled_{head}", np.maximum(values, TINY))(attention)
        mixed.append(ops.log(layers.Average()([own, recalled])))
    # As layers of their own on one input, the heads can be merged like any network's.
    logarithms, no_bias = layers.Concatenate()(mixed), np.zeros(len(EXPRESSIONS), np.float32)
    choices = np.split(np.eye(len(EXPRESSIONS) * len(shares), dtype=np.float32), len(shares), axis=1)
    logits = {head: _dense(head, choice, no_bias)(logarithms) for head, choice in zip(shares, choices, strict=True)}
    return keras.Model(network.input, logits, name=network.name)


def _dense(name: str, kernel: Floats, bias: Floats | None = None) -> layers.Dense:
    dense = layers.Dense(kernel.shape[1], use_bias=bias is not None, dtype="float32", name=name)
    dense.build((None, kernel.shape[0]))
    dense.set_weights([kernel] if bias is None else [kernel, bias])
    return dense
