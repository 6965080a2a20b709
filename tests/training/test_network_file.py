"""network.onnx, in 8 bits, gives what the two Keras files give, and is used only where it was made of them."""

import logging
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from config import ROOT
from entities import Image
from errors import TrainingError
from model import FacialExpressionModel, prepare
from network.keras_network import load_network
from network.network_file import NETWORK
from tests.helpers.networks import save, small_network
from training.onnx_graph import convert
from training.quantization import quantize

FACES = 1000
FILES = ("model.json", "model_weights.h5")


def in_fer2013(shared: Path) -> Image:
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
            x, y, size = left + i % 10 - 5, top + i // 10 % 25 - 12, side + i % 23 - 11
            faces.append(prepare(picture[y : y + size, x : x + size]))
    return np.stack(faces)


def noise(count: int) -> NDArray[np.uint8]:
    """Return pictures of noise, always the same."""
    return np.random.default_rng(3).integers(0, 256, (count, 48, 48), np.uint8)


@pytest.fixture(scope="module")
def in_float32(tmp_path_factory: pytest.TempPathFactory) -> FacialExpressionModel:
    """Return the shipped network as it is without network.onnx."""
    folder = tmp_path_factory.mktemp("float32")
    model = FacialExpressionModel(*(shutil.copy(ROOT / name, folder) for name in FILES))
    assert model.precision == "float32"
    return model


@pytest.fixture(scope="module")
def in_int8() -> FacialExpressionModel:
    """Return the shipped network as it is."""
    return FacialExpressionModel(*(ROOT / name for name in FILES))


@pytest.fixture(scope="module")
def quantized(keras: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a small network's three files."""
    folder = tmp_path_factory.mktemp("quantized")
    quantize(*save(small_network(keras), folder), noise(64))
    return folder


@pytest.fixture
def folder(quantized: Path, tmp_path: Path) -> Path:
    """Return a copy of the three files, to be spoilt."""
    return shutil.copytree(quantized, tmp_path / "copy")


def opened(folder: Path) -> FacialExpressionModel:
    """Return the network of a folder."""
    return FacialExpressionModel(*(folder / name for name in FILES))


@pytest.mark.parametrize("source", ["portraits", "FER2013"])
def test_the_shipped_file_names_faces_as_the_keras_files_do(
    source: str, in_int8: FacialExpressionModel, in_float32: FacialExpressionModel, request: pytest.FixtureRequest
) -> None:
    """Of 1,000 faces 99 % get the same name; confidences differ by 0.01 in the mean. Browsers' runtime agrees."""
    faces = in_portraits() if source == "portraits" else in_fer2013(request.getfixturevalue("shared"))[:FACES]
    assert in_int8.precision == "int8"
    found, expected = in_int8.predict(faces), in_float32.predict(faces)
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).mean() >= 0.99
    assert np.abs(found.max(axis=1) - expected.max(axis=1)).mean() <= 0.01
    browser = onnxruntime.InferenceSession(ROOT / NETWORK).run(["probabilities"], {"faces": faces})[0]
    assert (found.argmax(axis=1) == browser.argmax(axis=1)).mean() >= 0.995


def test_heat_maps_and_counts_are_those_of_the_keras_files(
    in_int8: FacialExpressionModel, in_float32: FacialExpressionModel
) -> None:
    """What a face's answer rests on is shown alike, and the network has the same size."""
    for face in in_portraits()[::200]:
        heat, expected = (model.explain(face, "Happy") for model in (in_int8, in_float32))
        assert np.corrcoef(heat.ravel(), expected.ravel())[0, 1] > 0.98
    assert in_int8.parameters == in_float32.parameters
    assert in_int8.multiply_adds == in_float32.multiply_adds


def test_the_shipped_convolutions_are_in_8_bits() -> None:
    """All nine of 3x3 are; their weights have 7 bits, lest sums overflow where there is no 8-bit dot product."""
    graph = onnx.load(ROOT / NETWORK).graph
    weights = [onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer]
    kernels = [values for values in weights if values.shape[2:] == (3, 3)]
    assert len(kernels) == 9
    assert all(values.dtype == np.int8 and np.abs(values.astype(int)).max() <= 64 for values in kernels)


def test_without_keras(quantized: Path) -> None:
    """A new file is used, and needs neither Keras nor h5py."""
    from tests.test_model import run_alone

    paths = ", ".join(repr(str(quantized / name)) for name in FILES)
    run_alone(
        "import sys\n"
        "sys.modules.update(dict.fromkeys(('keras', 'h5py', 'scipy')))  # as where they are not installed\n"
        "from model import FacialExpressionModel\n"
        f"assert FacialExpressionModel({paths}).precision == 'int8'\n"
    )


def spoil_weights(folder: Path) -> None:
    """Let the weights be those of another training."""
    import h5py

    with h5py.File(folder / "model_weights.h5", "r+") as file:
        file.attrs["note"] = "another training"


def spoil_labels(folder: Path) -> None:
    """Let the labels be in another order."""
    model = onnx.load(folder / NETWORK)
    next(fact for fact in model.metadata_props if fact.key == "expressions").value = '["Happy"]'
    onnx.save(model, folder / NETWORK)


def cut(folder: Path) -> None:
    """Let the file end early."""
    content = (folder / NETWORK).read_bytes()
    (folder / NETWORK).write_bytes(content[: len(content) // 2])


def remove(folder: Path) -> None:
    """Let there be none."""
    (folder / NETWORK).unlink()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (spoil_weights, "was made of other files"),
        (spoil_labels, "was made of other files"),
        (cut, "cannot be read"),
        (lambda folder: (folder / NETWORK).write_bytes(b""), "cannot be read"),
        (lambda folder: (folder / NETWORK).write_bytes(b"no ONNX"), "cannot be read"),
        (remove, "is missing"),
    ],
)
def test_a_file_that_does_not_belong_is_not_used(
    spoil: Any, why: str, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The two Keras files are, in float32, and the log says why and what to do."""
    spoil(folder)
    with caplog.at_level(logging.WARNING):
        model = opened(folder)
    assert model.precision == "float32"
    assert model.predict(noise(2)).shape == (2, 7)
    assert len(caplog.messages) == 1
    assert all(words in caplog.messages[0] for words in (why, "runs in float32", "training.quantization"))


@pytest.mark.parametrize("options", [{}, {"average": False}, {"pool_first": True, "average": False}])
def test_networks_of_other_shapes(keras: Any, options: dict[str, bool], tmp_path: Path) -> None:
    """Whatever the layers' order is, the ONNX graph computes what Keras does."""
    network = load_network(*save(small_network(keras, **options), tmp_path))
    session = onnxruntime.InferenceSession(convert(network).SerializeToString())
    expected = np.asarray(network(noise(3)[..., None].astype(np.float32)))
    assert session.run(None, {"faces": noise(3)})[0] == pytest.approx(expected, abs=1e-4)


def test_a_layer_that_is_not_known_is_named(keras: Any) -> None:
    """No graph is written that computes something else."""
    faces = keras.Input((48, 48, 1))
    network = keras.Model(faces, keras.layers.Softmax()(keras.layers.Dense(7)(keras.layers.LSTM(4)(faces[..., 0]))))
    with pytest.raises(TrainingError, match="cannot be exported"):
        convert(network)
