import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
import pytest

from entities import EXPRESSIONS
from errors import ModelError
from model import FacialExpressionModel, prepare
from network.keras_network import load_network
from tests.helpers.networks import save, small_network

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def files(keras, tmp_path_factory):
    """Return the paths of a small network's two files."""
    return save(small_network(keras), tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def model(files):
    """Return the served network."""
    return FacialExpressionModel(*files)


@pytest.fixture(scope="module")
def network(files):
    """Return the same network in Keras."""
    return load_network(*files)


def faces(count, height=48, width=48):
    """Return pictures of noise, always the same."""
    return np.random.default_rng(3).integers(0, 256, (count, height, width), np.uint8)


@pytest.mark.parametrize("count", [1, 5, 8, 9, 20])
def test_probabilities_are_those_of_keras(model, network, count):
    """However many faces there are, each gets within 1e-3 what the Keras model itself gives."""
    batch = faces(count)
    probabilities = model.predict(batch)
    assert probabilities.shape == (count, 7)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, np.asarray(network(batch[..., None])), atol=1e-3)


def run_alone(script: str) -> None:
    """Run Python code in a process of its own, where Keras is yet to choose its backend."""
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, check=True, timeout=100)


def test_pictures_are_transposed_only_on_their_way_in_and_out(files):
    """No transpose is left between convolutions, where it would keep them from being fused with what follows."""
    run_alone(
        "from network import keras_network\n"
        f"network = keras_network.load_network({str(files[0])!r}, {str(files[1])!r})\n"
        "from network import runtime\n"
        "nodes = runtime.convert(network, (48, 48, 1), 0).graph.get_ops()\n"
        "shapes = [node.get_output_partial_shape(0) for node in nodes if node.get_type_name() == 'Transpose']\n"
        "batches = [[side.get_length() for side in list(shape)[1:]] for shape in shapes if shape[0].is_dynamic]\n"
        "pictures = [sides for sides in batches if sum(side > 1 for side in sides) > 1]\n"
        "assert pictures == [[12, 12, 16], [1, 48, 48]], pictures\n"
    )


@pytest.mark.parametrize("average", [True, False])
def test_served_without_tensorflow(keras, tmp_path, average):
    """A process that only serves imports no TensorFlow, needs no SciPy, stays small, and gives the same probabilities.

    Whether the network averages over the picture at its end or not.
    """
    files = save(small_network(keras, average=average), tmp_path)
    model = FacialExpressionModel(*files)
    np.save(tmp_path / "faces.npy", faces(10))
    script = (
        "import sys, numpy as np, psutil\n"
        "import model\n"
        "assert 'keras' not in sys.modules, 'importing model.py must cost nothing'\n"
        "sys.modules['scipy'] = None  # as where it is not installed\n"
        f"served = model.FacialExpressionModel({str(files[0])!r}, {str(files[1])!r})\n"
        f"np.save({str(tmp_path / 'out.npy')!r}, served.predict(np.load({str(tmp_path / 'faces.npy')!r})))\n"
        "assert 'tensorflow' not in sys.modules\n"
        "megabytes = psutil.Process().memory_info().rss / 1e6\n"
        "assert megabytes < 500, megabytes\n"
    )
    run_alone(script)
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), model.predict(faces(10)), atol=1e-3)


def test_networks_that_mirror_faces(keras, tmp_path):
    """A network that averages over a face and its mirror image is served and explained as any other."""
    base, inputs = small_network(keras), keras.Input((48, 48, 1))
    logits = inputs_both = keras.ops.concatenate([inputs, keras.ops.flip(inputs, axis=2)], axis=0)
    logits = keras.models.Model(base.input, base.layers[-1].input).call(inputs_both)
    logits = keras.ops.mean(keras.ops.reshape(logits, (2, -1, 7)), axis=0)
    model = FacialExpressionModel(*save(keras.Model(inputs, keras.layers.Softmax()(logits)), tmp_path))
    face = faces(1)[0]
    np.testing.assert_allclose(model.predict([face]), model.predict([face[:, ::-1]]), atol=1e-3)
    np.testing.assert_allclose(model.explain(face), model.explain(face[:, ::-1])[:, ::-1], atol=1e-3)


def test_the_second_network_that_ships():
    """The one for FER2013's labels, with its memory, serves any number of faces and can be explained.

    So it does beside the first one: both have layers of the same names.
    """
    run_alone(
        "import numpy as np\n"
        "from model import FacialExpressionModel\n"
        "FacialExpressionModel()\n"
        "model = FacialExpressionModel('models/fer2013/model.json', 'models/fer2013/model_weights.h5')\n"
        "faces = np.random.default_rng(3).integers(0, 256, (3, 48, 48), np.uint8)\n"
        "together = model.predict(faces)\n"
        "np.testing.assert_allclose(together, [model.predict([face])[0] for face in faces], atol=1e-4)\n"
        "heat = model.explain(faces[0])\n"
        "assert heat.shape == (48, 48) and heat.max() > 0\n"
    )


def test_no_faces(model):
    """No faces give no rows, whether as a list or as an array."""
    assert model.predict([]).shape == (0, 7)
    assert model.predict(np.empty((0, 48, 48), np.uint8)).shape == (0, 7)


def test_crops_of_any_size(model):
    """Crops of different sizes go in one call, and each is treated as if it came alone."""
    crops = [faces(1, *size)[0] for size in ((48, 48), (20, 31), (200, 180), (1, 1), (47, 300))]
    together = model.predict(crops)
    np.testing.assert_allclose(together, [model.predict([crop])[0] for crop in crops], atol=1e-5)


def test_crops_may_be_views(model):
    """A box cut from a frame, which is not contiguous in memory, gives what its copy gives."""
    view = faces(1, 100, 100)[0, 10:70, 20:90]
    np.testing.assert_array_equal(model.predict([view]), model.predict([view.copy()]))


def test_prepare_averages_when_shrinking():
    """A fine checkerboard shrinks to grey, not to noise."""
    board = (np.indices((192, 192)).sum(axis=0) % 2 * 255).astype(np.uint8)
    assert np.ptp(prepare(board)) <= 2


@pytest.mark.parametrize(
    "bad",
    [
        faces(1)[0],  # one face, not a list
        [faces(1)[0].astype(np.float32)],
        [faces(1)],
        [np.zeros((48, 48, 3), np.uint8)],
        [np.zeros((0, 48), np.uint8)],
        [[[1, 2], [3, 4]]],
        np.zeros((2, 48, 48)),
    ],
)
def test_what_is_no_face_is_refused(model, bad):
    """Other shapes and types raise ValueError that says what a face is."""
    with pytest.raises(ValueError, match=r"height, width"):
        model.predict(bad)


@pytest.mark.parametrize("shape", [(48, 48), (48, 48, 1), (1, 48, 48, 1), (1, 60, 50, 1)])
def test_predict_emotion_takes_what_the_tutorial_gives(model, shape):
    """One face, with or without axes for batch and channel, gives the label of its largest probability."""
    image = faces(1, *[size for size in shape if size > 1]).reshape(shape)
    expected = model.predict([image.reshape([size for size in shape if size > 1])]).argmax()
    assert model.predict_emotion(image) == EXPRESSIONS[expected]


def test_many_threads_share_one_model(model):
    """Threads that predict at once each get their own faces' probabilities."""
    batch, wrong = faces(16), []
    expected = model.predict(batch)

    def work(index):
        for _ in range(20):
            difference = np.abs(model.predict(batch[index : index + 3]) - expected[index : index + 3]).max()
            wrong.extend([index] if difference > 1e-5 else [])

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("pool_first", [True, False])
def test_explain_is_grad_cam(keras, tmp_path, average, pool_first):
    """The heat map is Grad-CAM's, with gradients by TensorFlow, on the weighed maps before the last pooling.

    Whether channels are weighed before the pooling or after it, and whether the network then averages over the picture.
    """
    import tensorflow as tf

    files = save(small_network(keras, average=average, pool_first=pool_first), tmp_path)
    model, network = FacialExpressionModel(*files), load_network(*files)
    face = faces(1)[0]
    block = [layer for layer in network.layers if isinstance(layer, keras.layers.Multiply)][-1]
    pooling = [layer for layer in network.layers if isinstance(layer, keras.layers.MaxPooling2D)][-1]
    weighed = keras.layers.Multiply()([pooling.input, block.input[1]]) if pool_first else block.output
    through = keras.Model(network.input, [weighed, block.output, network.layers[-1].input])
    with tf.GradientTape() as tape:
        maps, features, logits = through(tf.constant(face[None, ..., None], tf.float32))
        score = logits[0, EXPRESSIONS.index("Sad")]
    weights = tape.gradient(score, features).numpy().mean(axis=(0, 1, 2))
    expected = np.maximum(maps.numpy()[0] @ weights, 0)
    heat = model.explain(face, "Sad")
    assert heat.dtype == np.float32
    np.testing.assert_allclose(heat, cv2.resize(expected / expected.max(), (48, 48)), atol=1e-3)


def test_explain_has_the_size_of_the_face(model):
    """The heat map covers the face pixel by pixel, between 0 and 1; by default for the predicted expression."""
    face = faces(1, 90, 70)[0]
    heat = model.explain(face)
    assert heat.shape == (90, 70)
    assert heat.min() >= 0
    assert heat.max() <= 1
    np.testing.assert_array_equal(heat, model.explain(face, model.predict_emotion(face)))


def test_explain_refuses_unknown_expressions(model):
    """An expression that is none is named in the error."""
    with pytest.raises(ValueError, match="Bored"):
        model.explain(faces(1)[0], "Bored")


def test_counts(model, network):
    """Parameters and multiply-adds are those of the layers, counted by hand."""
    assert model.parameters == network.count_params()
    convolutions = 48 * 48 * 9 * 1 * 8 + 24 * 24 * 9 * 8 * 16
    assert model.multiply_adds == convolutions + 8 * 8 + 16 * 16 + 16 * 7


def copies(files, folder):
    """Return copies of the files, to be spoilt."""
    return [Path(shutil.copy(path, folder)) for path in files]


def test_missing_files(files, tmp_path):
    """The message names the file that is not there."""
    for pair in ((tmp_path / "none.json", files[1]), (files[0], tmp_path / "none.h5")):
        with pytest.raises(ModelError, match=r"no model file .*none.*train\.ipynb"):
            FacialExpressionModel(*pair)


@pytest.mark.parametrize("text", ["{", "", "[]", '"Sequential"', '{"class_name": "Nonsense"}', "\x00\xff"])
def test_broken_architecture(files, tmp_path, text):
    """A JSON file that is broken, or describes no network, is named; nothing of Keras's traceback comes through."""
    architecture, weights = copies(files, tmp_path)
    architecture.write_text(text, encoding="latin-1")
    with pytest.raises(ModelError, match=r"model\.json"):
        FacialExpressionModel(architecture, weights)


def test_keras_2_architecture(files, tmp_path):
    """A file of the original tutorial, written by Keras 2, gets told apart, with what to do."""
    architecture, weights = copies(files, tmp_path)
    architecture.write_text(json.dumps({"class_name": "Sequential", "config": {}, "keras_version": "2.3.0-tf"}))
    with pytest.raises(ModelError, match=r"Keras 2\.3\.0-tf.*Save the network again with Keras 3"):
        FacialExpressionModel(architecture, weights)


@pytest.mark.parametrize("content", [b"", b"no HDF5", "half"])
def test_broken_weights(files, tmp_path, content):
    """A weights file that is empty, something else or cut off is named."""
    architecture, weights = copies(files, tmp_path)
    data = weights.read_bytes()
    weights.write_bytes(data[: len(data) // 2] if content == "half" else content)
    with pytest.raises(ModelError, match=r"model_weights\.h5"):
        FacialExpressionModel(architecture, weights)


def test_weights_of_another_network(keras, files, tmp_path):
    """Weights that belong to another architecture are refused."""
    layers = keras.layers
    inputs = keras.Input((48, 48, 1))
    other = keras.Model(inputs, layers.Dense(7, activation="softmax")(layers.Flatten()(inputs)))
    _, weights = save(other, tmp_path)
    with pytest.raises(ModelError, match=r"do not fit .*model\.json"):
        FacialExpressionModel(files[0], weights)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"expressions": sorted(EXPRESSIONS)}, "trained for expressions .*'Neutral', 'Sad'"),
        ({"input_shape": (64, 64, 1)}, "trained for input_shape .*64"),
        ({"expressions": None}, "does not say its expressions"),
        ({"input_shape": None}, "does not say its input_shape"),
    ],
)
def test_labels_and_input_travel_with_the_weights(keras, tmp_path, attributes, message):
    """Weights that were made for other labels, another order or input, or do not say for which, are refused."""
    files = save(small_network(keras), tmp_path, **attributes)
    with pytest.raises(ModelError, match=message):
        FacialExpressionModel(*files)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"outputs": 8}, "gives .*8.*not 7"), ({"size": 64}, "takes .*64"), ({"softmax": False}, "not give probabil")],
)
def test_other_networks(keras, tmp_path, options, message):
    """A network with other outputs or inputs, or that ends in logits, is refused."""
    files = save(small_network(keras, **options), tmp_path)
    with pytest.raises(ModelError, match=message):
        FacialExpressionModel(*files)


def test_files_that_are_replaced_while_the_network_is_in_use(files, tmp_path):
    """What was loaded stays as it was, on whatever is written over its files; only who loads anew is told."""
    architecture, weights = (Path(shutil.copy(path, tmp_path)) for path in files)
    model = FacialExpressionModel(architecture, weights)
    before = model.predict(faces(3))
    for path in (architecture, weights):
        path.write_bytes(b"half of something new")
    np.testing.assert_array_equal(model.predict(faces(3)), before)
    with pytest.raises(ModelError):
        FacialExpressionModel(architecture, weights)


def test_no_room_to_convert(files):
    """A full disk is an error of the model, not a traceback."""
    full = OSError(28, "No space left on device")
    with (
        mock.patch("network.runtime.tempfile.TemporaryDirectory", side_effect=full),
        pytest.raises(ModelError, match="No space"),
    ):
        FacialExpressionModel(*files)


def test_loading_starts_no_process_and_connects_to_nobody(keras, tmp_path):
    """OpenVINO would report its use to a statistics service; here it does not."""
    save(small_network(keras), tmp_path)
    code = (
        "import sys\n"
        "def forbid(event, _):\n"
        "    assert event not in ('os.fork', 'socket.connect', 'socket.getaddrinfo'), event\n"
        "sys.addaudithook(forbid)\n"
        "from model import FacialExpressionModel\n"
        "FacialExpressionModel(*sys.argv[1:])\n"
        "print('openvino' in sys.modules, sys.modules['openvino_telemetry'])"
    )
    command = [sys.executable, "-c", code, tmp_path / "model.json", tmp_path / "model_weights.h5"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["True", "None"]
    assert "Traceback" not in result.stderr
