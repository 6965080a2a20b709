"""The recipe of the networks that ship: what its stages need, how each is made, and that nothing is made twice."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import IO

import keras
import numpy as np
import pytest

from entities import EXPRESSIONS
from errors import TrainingError
from tests.training.faces import synthetic_faces
from training import make_model, recipe, stage
from training.data.fer2013 import FER2013, load
from training.network import HEADS, build_cnn
from training.train import predict

SMALL = partial(build_cnn, 8, 1, (8, 16), (1, 1))
RECIPE = """
[stages.first]
epochs = 3
[stages.second]
like = "first"
seed = 2
[stages.mean]
members = ["first", "second"]
ships = "models/mean"
[stages.student]
teachers = ["first", "second"]
epochs = 5
"""


def stages_of(folder: Path, text: str) -> list[recipe.Stage]:
    """Return the stages of a recipe with this text."""
    path = folder / "recipe.toml"
    path.write_text(text)
    return recipe.read_recipe(path)


def test_a_recipe_names_what_each_stage_needs(tmp_path: Path) -> None:
    """What a stage does not say is as usual, or as in the one that it is like."""
    first, second, mean, student = stages_of(tmp_path, RECIPE)
    assert (second.name, second.epochs, second.seed, second.peak_rate) == ("second", 3, 2, first.peak_rate)
    assert mean.needs == {"first", "second"}
    assert mean.pair[1] == Path("models/mean/model_weights.h5")
    assert (student.teachers, student.epochs, student.ships) == (("first", "second"), 5, "")


def test_the_recipe_that_ships_can_be_run() -> None:
    """Every parameter and every stage that it names is there, and it makes both pairs of the repository."""
    assert [stage.ships for stage in recipe.read_recipe() if stage.ships] == [".", "models/fer2013"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[stages.a]\nepoch = 3\n", "no parameter epoch"),
        ('[stages.a]\nstart = "b"\n[stages.b]\n', "no stage b before it"),
        ('[stages.a]\nlike = "b"\n', "no stage b before it"),
    ],
)
def test_a_wrong_recipe_is_told_in_words(tmp_path: Path, text: str, words: str) -> None:
    """What is misspelt or in the wrong order is named."""
    with pytest.raises(TrainingError, match=words):
        stages_of(tmp_path, text)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> FER2013:
    """Return drawn faces with votes."""
    return load(*synthetic_faces(tmp_path_factory.mktemp("faces")))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let stages make networks of two convolutions."""
    monkeypatch.setattr(stage, "build_cnn", SMALL)


def untrained(stage_of: recipe.Stage, root: Path) -> keras.Model:
    """Return a network of random weights, which a stage is taken to have ended with."""
    keras.utils.set_random_seed(stage_of.seed)
    network = SMALL(heads=HEADS)
    (root / stage_of.folder).mkdir(parents=True)
    network.save_weights(root / stage_of.folder / "final.weights.h5")
    return network


def test_a_stage_learns_from_labels_votes_and_teachers(tmp_path: Path, rows: FER2013, small: None) -> None:
    """It starts from another's weights, remembers faces, leaves its answers for them, and learns in a few epochs."""
    first = recipe.Stage("first")
    untrained(first, tmp_path)
    right = np.eye(len(EXPRESSIONS))[rows.training().labels].astype(np.float16)
    np.savez(tmp_path / first.folder / "answers.npz", labels=right, votes=right)
    pupil = recipe.Stage("pupil", epochs=12, start="first", teachers=("first",), trust=0.6, memory=8, teaches=True)
    figures = stage.make(pupil, rows, tmp_path)

    assert figures["results"]["PrivateTest"]["labels"]["accuracy"] > 0.7
    assert len(figures["log"]) == 12
    answers = np.load(tmp_path / pupil.folder / "answers.npz")
    for head in HEADS:
        np.testing.assert_allclose(answers[head].sum(axis=1), np.ones(48), atol=0.01)
    assert all((tmp_path / path).exists() for path in pupil.pair)


def test_a_stage_can_be_the_mean_of_others(tmp_path: Path, rows: FER2013, small: None) -> None:
    """Its logits are the mean of its members' logits; nothing is trained."""
    members = [recipe.Stage(f"member-{seed}", seed=seed) for seed in (1, 2)]
    one, two = (predict(untrained(member, tmp_path), rows.split("PublicTest").images) for member in members)
    mean = recipe.Stage("mean", members=tuple(member.name for member in members), half=True, aim="labels")
    assert stage.make(mean, rows, tmp_path)["log"] == []
    both = np.load(tmp_path / mean.folder / "validation.npz")
    np.testing.assert_allclose(both["votes"], (one["votes"] + two["votes"]) / 2, atol=1e-4)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let stages keep their results in a folder that is taken for the repository."""
    monkeypatch.setattr(make_model, "ROOT", tmp_path)
    return tmp_path


def test_stages_are_done_once_and_in_order(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage waits for those that it needs; a run after a failure does what is missing, and nothing twice."""
    begun, fails = list[str](), {"student"}

    def pretend(stage: recipe.Stage, _: make_model.Inputs) -> None:
        begun.append(stage.name)
        if stage.name in fails:
            raise TrainingError("The disk is full.")
        (folders / stage.results).mkdir(parents=True)
        scores = {"labels": {"accuracy": 0.5, "balanced_accuracy": 0.4}}
        metrics = {"backend": "torch", "precision": "float32", "results": {"PublicTest": scores}}
        (folders / stage.results / "metrics.json").write_text(json.dumps(metrics))

    monkeypatch.setattr(make_model, "run", pretend)
    inputs = make_model.Inputs("faces.csv", "votes.csv", folders / "recipe.toml")
    stages = stages_of(folders, RECIPE)
    with pytest.raises(TrainingError, match="disk is full"):
        make_model.make(stages, inputs, jobs=2)
    assert set(begun[:2]) == {"first", "second"}
    assert set(begun[2:]) == {"mean", "student"}
    fails.clear()
    begun.clear()
    make_model.make(stages, inputs, jobs=2)
    assert begun == ["student"]
    assert "PublicTest: labels 50.0%" in (folders / make_model.LOG).read_text()

    with pytest.raises(TrainingError, match="made with other parameters"):
        make_model.make(stages_of(folders, RECIPE.replace("epochs = 5", "epochs = 6")), inputs, jobs=1)


def test_a_stage_that_fails_is_told_in_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last line is the message, and all of its output is kept."""

    def fail(command: list[str], *, stdout: IO[str], **_: object) -> "subprocess.CompletedProcess[str]":
        assert command[:4] == [sys.executable, "-m", "training.stage", "first"]
        stdout.write("Epoch 1/3\nerror: There is no file faces.csv.\n")
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(make_model, "ROOT", tmp_path)
    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(
        TrainingError, match=r"first failed: There is no file faces\.csv\. All of it is in .*output.log"
    ):
        make_model.run(recipe.Stage("first"), make_model.Inputs("faces.csv", "votes.csv", recipe.RECIPE))
