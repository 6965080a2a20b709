"""The network for browsers gives the same probabilities as the Keras network that it was made of."""

import gzip
import json
from hashlib import sha256
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest

from config import ROOT
from entities import EXPRESSIONS, Image
from errors import TrainingError
from model import FacialExpressionModel, prepare
from tests.networks import small_network
from training.browser import DESCRIPTION, FOLDER, NETWORK, convert

FACES = 500


def in_fer2013(shared: Any) -> Image:
    """Return FER2013 faces, (n, 48, 48), of one sheet."""
    sheet = cv2.imread(str(shared / "fer2013" / "faces-00.png"), cv2.IMREAD_GRAYSCALE)
    assert sheet is not None
    rows, columns = sheet.shape[0] // 48, sheet.shape[1] // 48
    return sheet.reshape(rows, 48, columns, 48).transpose(0, 2, 1, 3).reshape(-1, 48, 48)


def in_portraits() -> Image:
    """Return two portraits, (n, 48, 48), framed in as many ways."""
    faces = []
    for name, left, top, side in (("astronaut.png", 175, 65, 100), ("grace_hopper.jpg", 155, 110, 225)):
        picture = cv2.imread(str(ROOT / "tests" / "data" / name), cv2.IMREAD_GRAYSCALE)
        assert picture is not None
        for i in range(FACES // 2):
            x, y, size = left + i % 10 - 5, top + i // 10 - 12, side + i % 23 - 11
            faces.append(prepare(picture[y : y + size, x : x + size]))
    return np.stack(faces)


@pytest.mark.parametrize("source", ["portraits", "FER2013"])
def test_same_probabilities_as_keras(source: str, request: pytest.FixtureRequest) -> None:
    """For 500 faces they differ by at most 0.01, and the most probable expression in at most 0.5 % of them."""
    faces = in_portraits() if source == "portraits" else in_fer2013(request.getfixturevalue("shared"))[:FACES]
    assert len(faces) == FACES
    session = onnxruntime.InferenceSession(gzip.decompress((FOLDER / NETWORK).read_bytes()))
    found = session.run(None, {"faces": faces})[0]
    expected = FacialExpressionModel().predict(faces)
    assert np.abs(found - expected).max() <= 0.01
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).mean() >= 0.995


def test_the_file_belongs_to_the_weights() -> None:
    """It was made of the pair that ships; make model and python -m training.browser make it anew."""
    description = json.loads((FOLDER / DESCRIPTION).read_text())
    assert description["weights"] == sha256((ROOT / "model_weights.h5").read_bytes()).hexdigest()
    assert description["expressions"] == list(EXPRESSIONS)


@pytest.mark.parametrize("options", [{}, {"average": False}, {"pool_first": True, "average": False}])
def test_networks_of_other_shapes(keras: Any, options: dict[str, bool]) -> None:
    """Whatever the layers' order is, the graph computes the same."""
    network = small_network(keras, **options)
    faces = np.random.default_rng(1).integers(0, 256, (3, 48, 48), np.uint8)
    session = onnxruntime.InferenceSession(convert(network).SerializeToString())
    expected = np.asarray(network(faces[..., None].astype(np.float32)))
    assert session.run(None, {"faces": faces})[0] == pytest.approx(expected, abs=5e-3)


def test_a_layer_that_is_not_known_is_named(keras: Any) -> None:
    """No graph is written that computes something else."""
    faces = keras.Input((48, 48, 1))
    network = keras.Model(faces, keras.layers.Softmax()(keras.layers.Dense(7)(keras.layers.LSTM(4)(faces[..., 0]))))
    with pytest.raises(TrainingError, match="cannot be exported"):
        convert(network)


def test_large_weights_are_halved(keras: Any) -> None:
    """They are most of what visitors download."""
    types = {tensor.data_type for tensor in convert(small_network(keras)).graph.initializer if tensor.dims[:1] == [16]}
    assert onnx.TensorProto.FLOAT16 in types
