"""The network learns, training carries on after a stop, and what is exported is what was trained."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import h5py
import keras
import numpy as np
import pytest
from scipy.special import softmax

from entities import EXPRESSIONS
from errors import ResultsError, TrainingError
from model import FacialExpressionModel
from training.data.augmentation import Augmentation
from training.data.batches import Batches
from training.data.fer2013 import FER2013, load
from training.data.targets import make_targets
from training.export import deployable, export
from training.metrics import report
from training.metrics.conditions import CONDITIONS
from training.network import HEADS, WarmupStableDecay, average, build_cnn, compile_for, merge_heads
from training.train import Validation, predict, train


def small_cnn() -> keras.Model:
    """Return a network that learns little, but fast."""
    return build_cnn(stem=8, widths=(8, 16), depths=(1, 1))


def striped_faces(count: int) -> FER2013:
    """Return faces of two classes that differ in the direction of their stripes."""
    labels = np.arange(count) % 2
    stripes = np.tile((np.arange(48) // 6 % 2 * 200).astype(np.uint8), (48, 1))
    images = np.stack([stripes if label else stripes.T for label in labels])
    return FER2013(images, labels, np.full(count, "Training"))


@pytest.fixture
def batches() -> Batches:
    """Return batches of striped faces."""
    return striped_batches()


def striped_batches() -> Batches:
    """Return four batches of striped faces, as they are before training."""
    rows = striped_faces(32)
    targets = np.eye(7, dtype=np.float32)[rows.labels]
    return Batches(rows.images, dict.fromkeys(HEADS, targets), batch_size=8, seed=1)


def test_augmented_faces_keep_their_form() -> None:
    """Whatever is drawn, a face stays a uint8 picture of its size."""
    face = np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8)
    for seed in range(40):
        changed = Augmentation()(face, np.random.default_rng(seed))
        assert changed.shape == face.shape
        assert changed.dtype == np.uint8


@pytest.mark.parametrize("name", CONDITIONS)
def test_conditions_change_the_picture_alone(name: str) -> None:
    """A face under a condition is another picture of the same form, and still much like the first."""
    face = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8), (0, 0), 4)
    face = cv2.normalize(face, None, 0, 255, cv2.NORM_MINMAX)
    before = face.copy()
    changed = CONDITIONS[name](face, np.random.default_rng(1))
    np.testing.assert_array_equal(face, before)
    assert (changed.shape, changed.dtype) == (face.shape, face.dtype)
    assert np.array_equal(changed, face) == (name == "as they are")
    assert np.corrcoef(changed.ravel(), face.ravel())[0, 1] > 0.6


def test_a_quarter_of_degraded_faces_is_in_poor_light() -> None:
    """They are darker, and noisy where they were even; the others keep their grey."""
    face = np.full((48, 48), 160, np.uint8)
    degrades = Augmentation(brightness=0, contrast=(1, 1), degraded=1, erased=0)
    changed = [degrades(face, np.random.default_rng(seed)) for seed in range(80)]
    dark = [picture for picture in changed if picture.mean() < 115]
    others = [picture for picture in changed if picture.mean() >= 115]
    assert 10 <= len(dark) <= 30
    assert all(picture.std() > 1 for picture in dark)
    assert all(picture.std() < 1 and abs(picture.mean() - 160) < 2 for picture in others)


def test_augmentation_keeps_the_face_in_the_middle() -> None:
    """A bright spot in the middle is still near the middle after moving, turning and scaling."""
    face = np.zeros((48, 48), np.uint8)
    face[20:28, 20:28] = 255
    only_moves = Augmentation(brightness=0, contrast=(1, 1), degraded=0, erased=0)
    for seed in range(20):
        rows, columns = np.nonzero(only_moves(face, np.random.default_rng(seed)) > 100)
        assert abs(rows.mean() - 23.5) < 6
        assert abs(columns.mean() - 23.5) < 6


def test_batches_depend_on_seed_and_epoch_alone(batches: Batches) -> None:
    """The same epoch gives the same batch after a stop; another epoch gives another."""
    batches.start_epoch(3)
    first = batches[1][0]
    batches.start_epoch(4)
    other = batches[1][0]
    batches.start_epoch(3)
    np.testing.assert_array_equal(batches[1][0], first)
    assert not np.array_equal(other, first)


def test_the_last_epochs_hide_nothing() -> None:
    """Faces of one grey stay so from `refine_from` on; before, each has a patch of another."""
    faces, targets = np.full((8, 48, 48), 100, np.uint8), {"labels": np.eye(7, dtype=np.float32)[[0] * 8]}
    hides = Augmentation(brightness=0, contrast=(1, 1), degraded=0, erased=1)
    batches = Batches(faces, targets, batch_size=8, augmentation=hides, refine_from=3)
    for epoch, whole in ((2, False), (3, True), (4, True), (0, False)):
        batches.start_epoch(epoch)
        assert bool(np.ptp(batches[0][0]) == 0) is whole


@pytest.mark.parametrize("steps", [30, 5000])
def test_the_rate_rises_holds_and_falls_to_nothing(steps: int) -> None:
    """It is at its peak from the warm-up to the last two fifths, and the last step changes next to nothing."""
    schedule = WarmupStableDecay(0.1, steps)
    rates = np.asarray(schedule(np.arange(steps))).tolist()
    assert rates[0] == float(schedule(0)) < 0.05
    assert rates[steps // 10] == pytest.approx(0.1) == rates[int(0.6 * steps)]
    assert rates[-1] == pytest.approx(0, abs=0.1 * 2.6 / steps)
    assert rates[int(0.6 * steps) :] == sorted(rates[int(0.6 * steps) :], reverse=True)


def test_a_longer_training_begins_like_a_shorter_one() -> None:
    """Until the rate falls, the length of the training makes no difference: it may be chosen late."""
    short, long = WarmupStableDecay(0.1, 6000), WarmupStableDecay(0.1, 9000)
    np.testing.assert_allclose(short(np.arange(3600)), long(np.arange(3600)), rtol=1e-6)


def test_merged_heads_give_the_mean_of_their_logits() -> None:
    """The network with one head gives the weighted mean of what both heads gave."""
    model, faces = small_cnn(), striped_faces(3).images
    heads = predict(model, faces)
    merged = predict(merge_heads(model, {"labels": 0.3, "votes": 0.7}), faces)
    np.testing.assert_allclose(merged, 0.3 * heads["labels"] + 0.7 * heads["votes"], atol=1e-4)


def test_training_carries_on_after_a_stop(batches: Batches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped in the third epoch, training repeats only that, and the log has each epoch once."""
    validation, epochs = striped_faces(8), 4
    model = small_cnn()
    compile_for(model, len(batches) * epochs)
    get = Batches.__getitem__

    def stop_in_third_epoch(self: Batches, index: int) -> object:
        if self.epoch == 2:
            raise RuntimeError("power cut")
        return get(self, index)

    monkeypatch.setattr(Batches, "__getitem__", stop_in_third_epoch)
    with pytest.raises(Exception, match="power cut"):  # TensorFlow wraps it in an error of its own.
        train(model, batches, validation, epochs, tmp_path)
    monkeypatch.setattr(Batches, "__getitem__", get)

    again = small_cnn()
    compile_for(again, len(batches) * epochs)
    log = train(again, striped_batches(), validation, epochs, tmp_path)
    assert log["epoch"].tolist() == [0, 1, 2, 3]
    assert int(again.optimizer.iterations) == len(batches) * epochs


def test_finished_training_is_not_repeated(batches: Batches, tmp_path: Path) -> None:
    """A second call returns the same weights and log without another step."""
    logits = []
    for _ in range(2):
        model = small_cnn()
        compile_for(model, len(batches))
        log = train(model, batches, striped_faces(8), 1, tmp_path)
        logits.append(predict(model, striped_faces(8).images)["labels"])
        assert len(log) == 1
    np.testing.assert_allclose(logits[0], logits[1], atol=1e-5)


def test_a_finished_training_of_another_length_is_not_taken_for_this_one(batches: Batches, tmp_path: Path) -> None:
    """A trial of one epoch does not become the result of a training of two: the folder is named, with what to do."""
    model = small_cnn()
    compile_for(model, len(batches))
    train(model, batches, striped_faces(8), 1, tmp_path)
    with pytest.raises(TrainingError, match="finished training of 1 epochs, not 2: delete the folder"):
        train(model, batches, striped_faces(8), 2, tmp_path)


def test_weights_that_cannot_be_written_cost_no_epoch(
    batches: Batches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the disk full at the very end, the next call writes what was trained, without another epoch."""
    model, save = small_cnn(), keras.Model.save_weights
    compile_for(model, len(batches) * 2)

    def full(self: keras.Model, filepath: Path, **options: object) -> None:
        if "partial" in str(filepath):
            raise OSError("No space left on device")
        save(self, filepath, **options)

    monkeypatch.setattr(keras.Model, "save_weights", full)
    with pytest.raises(ResultsError, match="No space left"):
        train(model, batches, striped_faces(8), 2, tmp_path)
    monkeypatch.setattr(keras.Model, "save_weights", save)

    again = small_cnn()
    compile_for(again, len(batches) * 2)
    assert len(train(again, striped_batches(), striped_faces(8), 2, tmp_path)) == 2
    assert int(again.optimizer.iterations) == len(batches) * 2
    faces = striped_faces(8).images
    np.testing.assert_allclose(predict(again, faces)["labels"], predict(model, faces)["labels"], atol=1e-5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["final.weights.h5", "log.csv"]


def test_a_stop_before_the_log_leaves_no_gap_in_it(
    batches: Batches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An epoch that was trained, but stopped before its figures were logged, is done again."""
    model, measure = small_cnn(), Validation.on_epoch_end
    compile_for(model, len(batches) * 3)

    def power_cut(self: Validation, epoch: int, logs: dict[str, float] | None = None) -> None:
        if epoch == 1:
            raise RuntimeError("power cut")
        measure(self, epoch, logs)

    monkeypatch.setattr(Validation, "on_epoch_end", power_cut)
    with pytest.raises(RuntimeError, match="power cut"):
        train(model, batches, striped_faces(8), 3, tmp_path)
    monkeypatch.setattr(Validation, "on_epoch_end", measure)

    again = small_cnn()
    compile_for(again, len(batches) * 3)
    assert train(again, striped_batches(), striped_faces(8), 3, tmp_path)["epoch"].tolist() == [0, 1, 2]


def test_the_exported_network_is_the_trained_one(tmp_path: Path) -> None:
    """Read back, it gives the trained network's probabilities."""
    model = merge_heads(small_cnn(), {"labels": 0.5, "votes": 0.5})
    faces = striped_faces(3).images
    export(deployable(model), tmp_path / "model.json", tmp_path / "model_weights.h5")
    loaded = keras.models.model_from_json((tmp_path / "model.json").read_text())
    loaded.load_weights(tmp_path / "model_weights.h5")

    np.testing.assert_allclose(predict(loaded, faces), softmax(predict(model, faces), axis=1), atol=1e-5)


def test_the_exported_files_carry_the_order_of_labels(tmp_path: Path) -> None:
    """The weights name the expressions and the input, need no class of ours, and leave nothing half-written."""
    export(
        deployable(merge_heads(small_cnn(), {"labels": 1.0})), tmp_path / "model.json", tmp_path / "model_weights.h5"
    )
    with h5py.File(tmp_path / "model_weights.h5") as file:
        assert tuple(json.loads(file.attrs["expressions"])) == EXPRESSIONS
        assert json.loads(file.attrs["input_shape"]) == [48, 48, 1]
    assert "training.network" not in (tmp_path / "model.json").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.json", "model_weights.h5"]


def test_half_precision_halves_the_file(tmp_path: Path) -> None:
    """The app's class loads it, and answers as from the whole one, within a hundredth."""
    rows = striped_faces(8)
    final = deployable(merge_heads(build_cnn(stem=8, widths=(16, 64), depths=(1, 1)), dict.fromkeys(HEADS, 0.5)))
    answers, sizes = [], []
    for half in (False, True):
        paths = tmp_path / f"{half}.json", tmp_path / f"{half}.h5"
        export(final, *paths, half=half)
        answers.append(FacialExpressionModel(*paths).predict(rows.images))
        sizes.append(paths[1].stat().st_size)
    np.testing.assert_allclose(answers[1], answers[0], atol=0.01)
    assert sizes[1] < 0.65 * sizes[0]


def test_an_average_gives_the_mean_of_its_members_logits(tmp_path: Path) -> None:
    """Two networks become one that the app runs."""
    rows, members = striped_faces(8), [small_cnn(), small_cnn()]
    answers = [predict(member, rows.images) for member in members]
    mean = {head: np.mean([answer[head] for answer in answers], axis=0) for head in HEADS}
    model = average(members)
    found = predict(model, rows.images)
    for head in HEADS:
        np.testing.assert_allclose(found[head], mean[head], atol=1e-4)
    app = in_the_app(model, tmp_path / "both")
    expected = softmax(np.mean([mean[head] for head in HEADS], axis=0), axis=1)
    np.testing.assert_allclose(app.predict(rows.images), expected, atol=1e-4)


def test_an_average_is_explained_by_all_its_members(tmp_path: Path) -> None:
    """Of two networks with the same weights, the average is explained as each of them is."""
    face, members = striped_faces(1).images[0], [small_cnn(), small_cnn()]
    members[1].set_weights(members[0].get_weights())
    one, both = in_the_app(members[0], tmp_path / "one"), in_the_app(average(members), tmp_path / "both")
    for expression in EXPRESSIONS:
        np.testing.assert_allclose(both.explain(face, expression), one.explain(face, expression), atol=1e-4)


def in_the_app(network: keras.Model, path: Path) -> FacialExpressionModel:
    """Return a network with two heads, which count alike, as the app loads it."""
    paths = path.with_suffix(".json"), path.with_suffix(".h5")
    export(deployable(merge_heads(network, dict.fromkeys(HEADS, 0.5))), *paths)
    return FacialExpressionModel(*paths)


def test_batches_are_the_same_from_several_processes(batches: Batches) -> None:
    """What is made ahead in other processes is what this one would have made."""
    rows = striped_faces(32)
    ahead = Batches(rows.images, batches.targets, batch_size=8, seed=1, processes=2)
    try:
        for epoch in range(2):
            batches.start_epoch(epoch)
            ahead.start_epoch(epoch)
            for index in range(len(batches)):
                np.testing.assert_array_equal(ahead[index][0], batches[index][0])
                np.testing.assert_array_equal(ahead[index][1]["labels"], batches[index][1]["labels"])
    finally:
        ahead.close()


def test_neither_file_is_new_where_one_cannot_be_written(tmp_path: Path) -> None:
    """Where model.json cannot be written, the weights of the network before stay, and nothing half-written."""
    (tmp_path / "model_weights.h5").write_bytes(b"before")
    (tmp_path / "model.json").mkdir()
    network = deployable(merge_heads(small_cnn(), {"labels": 1.0}))
    with pytest.raises(ResultsError, match=r"model\.json cannot be written"):
        export(network, tmp_path / "model.json", tmp_path / "model_weights.h5")
    assert (tmp_path / "model_weights.h5").read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.json", "model_weights.h5"]


def test_a_small_network_beats_chance_on_real_faces(tmp_path: Path, shared: Path) -> None:
    """From 200 real faces it learns more than to name the most common expression, without votes too."""
    command = [sys.executable, str(shared / "fer2013" / "make_csv.py"), str(tmp_path), "--limit", "200"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    rows = load(tmp_path / "fer2013.csv")
    training, validation = rows.training(), rows.split("PublicTest")
    keras.utils.set_random_seed(0)
    plain = Augmentation(erased=0, degraded=0)
    batches = Batches(training.images, make_targets(training), batch_size=16, augmentation=plain)
    network = build_cnn(16, 1, (16, 32, 64), (1, 1, 1), heads=["labels"])
    compile_for(network, steps=len(batches) * 15, peak_rate=0.03, weight_decay=0.01)
    train(network, batches, validation, 15, tmp_path)

    scores = report.score(softmax(predict(network, validation.images)["labels"], axis=1), validation.labels)
    assert scores.accuracy > 0.24
    assert scores.balanced_accuracy > 1.3 / len(EXPRESSIONS)
