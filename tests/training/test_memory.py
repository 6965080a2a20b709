"""A network with a memory of the faces it was trained on."""

from pathlib import Path

import keras
import numpy as np
import pytest
from scipy.special import softmax

from entities import EXPRESSIONS
from model import FacialExpressionModel
from training.export import deployable, export
from training.memory import NEARNESS, Memory, memorize, with_memory
from training.metrics.calibration import Calibration, fold
from training.network import HEADS, build_cnn, merge_heads
from training.train import predict

COUNT = 40
FACES = np.random.default_rng(0).integers(0, 256, (COUNT, 48, 48), np.uint8)
SHARES = {"labels": 0.7, "votes": 0.3}


@pytest.fixture
def network() -> keras.Model:
    """Return an untrained network with two heads."""
    keras.utils.set_random_seed(0)
    return build_cnn(stem=4, widths=(8,), depths=(1,))


@pytest.fixture
def memory(network: keras.Model) -> Memory:
    """Return how the faces look to the network."""
    return memorize(predict(keras.Model(network.input, network.get_layer("labels").input), FACES), 8)


@pytest.fixture
def named() -> dict[str, np.ndarray]:
    """Return what each head is to remember of the faces."""
    rng = np.random.default_rng(1)
    return {head: rng.dirichlet(np.full(len(EXPRESSIONS), 0.2), COUNT).astype(np.float32) for head in HEADS}


def test_heads_and_memory_count_alike(network: keras.Model, memory: Memory, named: dict[str, np.ndarray]) -> None:
    """Each head's answer is the mean of its own and of what similar faces are called, the nearest counting most."""
    own, mixed = predict(network, FACES), predict(with_memory(network, memory, named), FACES)
    attention = softmax(memory.keys @ memory.keys.T / NEARNESS, axis=1)
    for head in HEADS:
        expected = (softmax(own[head], axis=1) + attention @ named[head]) / 2
        np.testing.assert_allclose(np.exp(mixed[head]), expected, atol=1e-4)


def test_a_face_in_the_memory_is_named_as_the_others_like_it() -> None:
    """Two faces that look alike take each other's name, not their own."""
    keys = np.eye(3, dtype=np.float32)[[0, 0, 1, 1]]
    shares = np.eye(len(EXPRESSIONS), dtype=np.float32)[[3, 4, 0, 6]]
    named = Memory(np.eye(3, dtype=np.float32), np.zeros(3, np.float32), keys).name_without_itself(shares)
    np.testing.assert_array_equal(named.argmax(axis=1), [4, 3, 6, 0])


def test_the_app_runs_and_explains_it(
    network: keras.Model, memory: Memory, named: dict[str, np.ndarray], tmp_path: Path
) -> None:
    """Exported, it answers as in training, and is explained as the network without its memory is."""
    merged = merge_heads(with_memory(network, memory, named), SHARES)
    chosen = Calibration(SHARES, dict.fromkeys(SHARES, 0.5), 2.0, tuple(np.log(np.arange(1, 8) / 28)))
    final = deployable(fold(merged, chosen))
    models = []
    for name, version in (("with", final), ("without", deployable(merge_heads(network, SHARES)))):
        paths = tmp_path / f"{name}.json", tmp_path / f"{name}.h5"
        export(version, *paths)
        models.append(FacialExpressionModel(*paths))
    np.testing.assert_allclose(models[0].predict(FACES), predict(final, FACES), atol=1e-5)
    for expression in EXPRESSIONS:
        heat = [model.explain(FACES[0], expression) for model in models]
        np.testing.assert_allclose(heat[0], heat[1], atol=1e-4)
