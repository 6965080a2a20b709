"""The notebook runs from its first cell to its last, and what it exports works in the app."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import numpy as np
import pytest

from entities import EXPRESSIONS
from errors import TrainingError
from model import FacialExpressionModel
from tests.conftest import ROOT
from training import notebook, recipe
from training.fer2013 import load
from training.network import HEADS, build_cnn

pytestmark = pytest.mark.timeout(400)  # A kernel that trains may take minutes on a busy machine.


def run(folder: Path, data: Path, **parameters: object) -> dict[str, Any]:
    """Run the notebook as `make train` does, with everything that it writes in `folder`; return its figures."""
    paths = {
        "DATA": data,
        "CHECKPOINTS": folder / "checkpoints",
        "MODEL": folder / "model.json",
        "WEIGHTS": folder / "model_weights.h5",
        "RESULTS": folder / "results",
    }
    given = {name: str(path) for name, path in paths.items()} | parameters
    notebook.run(given, folder / "out.ipynb", lambda epochs: None)
    figures: dict[str, Any] = json.loads((folder / "results" / "metrics.json").read_text())
    return figures


def synthetic_faces(folder: Path) -> tuple[Path, Path]:
    """Write drawings of two expressions, smiling and not, as Kaggle's CSV and FER+'s votes; return both paths."""
    rng, rows, votes = np.random.default_rng(0), list[str](), list[str]()
    for usage, count in (("Training", 48), ("PublicTest", 16), ("PrivateTest", 8)):
        for index in range(count):
            happy = index % 2 == 0
            face = rng.normal(120, 10, (48, 48))
            face[16:20, 12:18] = face[16:20, 30:36] = 20
            face[32:36, 12:36] = 250 if happy else 30
            pixels = " ".join(map(str, face.clip(0, 255).astype(int).ravel()))
            rows.append(f"{3 if happy else 6},{pixels},{usage}")
            votes.append(f"{usage},fer{len(votes):07}.png,{0 if happy else 9},{9 if happy else 0},1,0,0,0,0,0,0,0")
    data, votes_path = folder / "fer2013.csv", folder / "fer2013new.csv"
    data.write_text("\n".join(["emotion,pixels,Usage", *rows]))
    header = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    votes_path.write_text("\n".join([header, *votes]))
    return data, votes_path


def test_the_notebook_runs_on_synthetic_faces(tmp_path: Path) -> None:
    """Drawn smiles are learned in a few epochs; PrivateTest is reported; the app's class loads the result.

    It starts from a smaller network's weights, as far as they fit, learns from a teacher's answers too, and remembers
    the faces; it leaves its own answers, for every training row.
    """
    data, votes = synthetic_faces(tmp_path)
    start, teacher = tmp_path / "start.weights.h5", tmp_path / "answers.npz"
    build_cnn(stem=8, widths=(8,), depths=(1,)).save_weights(start)
    right = np.eye(len(EXPRESSIONS))[[3, 6] * 24]
    np.savez(teacher, labels=right, votes=right)
    figures = run(
        tmp_path,
        data,
        VOTES=str(votes),
        START=str(start),
        TEACHERS=[str(teacher)],
        TEACHES=True,
        EPOCHS=8,
        BATCH_SIZE=8,
        STEM=8,
        WIDTHS=[8, 16],
        DEPTHS=[1, 1],
        MEMORY=8,
    )

    assert figures["results"]["PrivateTest"]["labels"]["accuracy"] > 0.7
    faces = load(data).split("PublicTest").images
    probabilities = FacialExpressionModel(tmp_path / "model.json", tmp_path / "model_weights.h5").predict(faces)
    assert probabilities.shape == (16, len(EXPRESSIONS))
    assert {path.suffix for path in (tmp_path / "results").iterdir()} == {".json", ".png"}
    answers = np.load(tmp_path / "checkpoints" / "answers.npz")
    for head in HEADS:
        np.testing.assert_allclose(answers[head].sum(axis=1), np.ones(48), atol=0.01)


@pytest.mark.slow
def test_the_notebook_beats_chance_on_real_faces(tmp_path: Path, shared: Path) -> None:
    """From 200 real faces a small network learns more than to name the most common expression, without votes too."""
    command = [sys.executable, str(shared / "fer2013" / "make_csv.py"), str(tmp_path), "--limit", "200"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    figures = run(
        tmp_path,
        tmp_path / "fer2013.csv",
        EPOCHS=30,
        PEAK_RATE=0.03,
        WEIGHT_DECAY=0.01,
        BATCH_SIZE=16,
        STEM=16,
        WIDTHS=[32, 64, 64],
        DEPTHS=[1, 1, 1],
        AUGMENTATION={"erased": 0, "degraded": 0},
    )
    labels = figures["results"]["PublicTest"]["labels"]
    assert labels["accuracy"] > 0.24
    assert labels["balanced_accuracy"] > 1.3 / len(EXPRESSIONS)


def test_a_missing_dataset_stops_the_notebook_with_advice(tmp_path: Path) -> None:
    """Its first look at the data ends it, and says where to get them; only the notebook's copy is written."""
    with pytest.raises(TrainingError, match=r"DatasetError.*Kaggle"):
        run(tmp_path, tmp_path / "nothing.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["out.ipynb"]


def test_the_committed_notebook_runs_from_top_to_bottom(tmp_path: Path) -> None:
    """Run All, with nothing changed but the data's paths and the number of epochs, makes a pair that the app loads.

    It runs in a folder that looks like the repository, so that what it writes goes there.
    """
    data, votes = synthetic_faces(tmp_path)
    for path in ROOT.iterdir():
        if path.suffix == ".py" or path.name in ("training", "vision", "expressions", "tests"):
            (tmp_path / path.name).symlink_to(path)
    committed = nbformat.read(ROOT / "train.ipynb", as_version=4)
    assert not [cell for cell in committed.cells if "injected-parameters" in cell.metadata.get("tags", [])]
    changed = {"DATA": str(data), "VOTES": str(votes), "EPOCHS": 2}
    executed = notebook.with_parameters(committed, changed)
    nbclient.NotebookClient(executed, timeout=None, resources={"metadata": {"path": str(tmp_path)}}).execute()

    paths = tmp_path / "model.json", tmp_path / "model_weights.h5"
    assert FacialExpressionModel(*paths).predict(load(data).images[:2]).shape == (2, len(EXPRESSIONS))
    assert FacialExpressionModel(*paths).precision == "int8"  # network.onnx is the third file that it saves
    assert (tmp_path / "checkpoints" / "train" / "results" / "portraits.png").exists()


def test_the_command_trains_and_carries_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make train` passes on what it is given, shows the epochs as they pass, and says what is wrong in one line."""
    given = dict[str, object]()

    def pretend(parameters: dict[str, object], _: Path, on_epochs: Callable[[int], object]) -> None:
        given.update(parameters)
        on_epochs(2)

    monkeypatch.setattr(notebook, "run", pretend)
    assert notebook.main(["faces.csv", "--votes", "votes.csv", "--epochs", "3"]) == 0
    assert given == {"DATA": "faces.csv", "VOTES": "votes.csv", "EPOCHS": 3}
    assert "2/3" in capsys.readouterr().err

    monkeypatch.undo()
    assert notebook.main([str(tmp_path / "nothing.csv"), "--output", str(tmp_path / "out.ipynb")]) == 1
    assert "error: DatasetError" in capsys.readouterr().err


def test_an_unknown_parameter_is_refused() -> None:
    """A parameter that the notebook does not have is not quietly left out."""
    with pytest.raises(TrainingError, match="EPOCH:"):
        notebook.with_parameters(nbformat.read(ROOT / "train.ipynb", as_version=4), {"EPOCH": 3})


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let stages keep their results in a folder that is taken for the repository."""
    monkeypatch.setattr(recipe, "ROOT", tmp_path)
    return tmp_path


def stages_of(folder: Path, text: str) -> list[recipe.Stage]:
    """Return the stages of a recipe with this text."""
    path = folder / "recipe.toml"
    path.write_text(text)
    return recipe.read_recipe(path, "faces.csv", "votes.csv")


RECIPE = """
[stages.first]
EPOCHS = 3
[stages.second]
LIKE = "first"
SEED = 2
[stages.mean]
MEMBERS = ["first", "second"]
SHIPS = "models/mean"
[stages.student]
TEACHERS = ["first", "second"]
EPOCHS = 5
"""


def test_a_recipe_names_what_each_stage_needs(folders: Path) -> None:
    """Names of stages become paths of their results, and what a stage does not say is as in the notebook."""
    first, second, mean, student = stages_of(folders, RECIPE)
    assert (second.parameters["EPOCHS"], second.parameters["SEED"]) == (3, 2)
    assert mean.needs == {"first", "second"}
    assert mean.parameters["MEMBERS"][0] == "checkpoints/first/final.weights.h5"
    assert mean.parameters["WEIGHTS"] == "models/mean/model_weights.h5"
    assert student.parameters["TEACHERS"][1] == "checkpoints/second/answers.npz"
    assert [stage.epochs for stage in (first, second, mean, student)] == [3, 3, 0, 5]


def test_the_recipe_that_ships_can_be_run() -> None:
    """Every parameter and every stage that it names is there, and it makes both pairs of the repository."""
    stages = recipe.read_recipe(recipe.RECIPE, "faces.csv", "votes.csv")
    assert {"model_weights.h5", "models/fer2013/model_weights.h5"} <= {stage.parameters["WEIGHTS"] for stage in stages}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[stages.a]\nEPOCH = 3\n", "no parameter EPOCH"),
        ('[stages.a]\nSTART = "b"\n[stages.b]\n', "no stage b before it"),
    ],
)
def test_a_wrong_recipe_is_told_in_words(folders: Path, text: str, words: str) -> None:
    """What is misspelt or in the wrong order is named."""
    with pytest.raises(TrainingError, match=words):
        stages_of(folders, text)


def test_stages_are_done_once_and_in_order(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage waits for those that it needs; a run after a failure does what is missing, and nothing twice."""
    begun, fails = list[str](), {"student"}

    def pretend(parameters: dict[str, Any], output: Path, on_epochs: Callable[[int], object]) -> None:
        begun.append(output.parent.name)
        if output.parent.name in fails:
            raise TrainingError("The disk is full.")
        results = folders / parameters["RESULTS"]
        results.mkdir(parents=True)
        scores = {"labels": {"accuracy": 0.5, "balanced_accuracy": 0.4}}
        metrics = {"backend": "torch", "precision": "float32", "results": {"PublicTest": scores}}
        (results / "metrics.json").write_text(json.dumps(metrics))
        on_epochs(3)

    monkeypatch.setattr(recipe, "run", pretend)
    stages = stages_of(folders, RECIPE)
    with pytest.raises(TrainingError, match="disk is full"):
        recipe.make(stages, jobs=2)
    assert set(begun[:2]) == {"first", "second"}
    assert set(begun[2:]) == {"mean", "student"}
    fails.clear()
    begun.clear()
    recipe.make(stages, jobs=2)
    assert begun == ["student"]
    assert "PublicTest: labels 50.0%" in (folders / recipe.LOG).read_text()

    with pytest.raises(TrainingError, match="made with other parameters"):
        recipe.make(stages_of(folders, RECIPE.replace("EPOCHS = 5", "EPOCHS = 6")), jobs=1)
