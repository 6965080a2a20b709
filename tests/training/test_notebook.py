"""The notebook runs from its first cell to its last, and what it exports works in the app."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from entities import EXPRESSIONS
from errors import TrainingError
from model import FacialExpressionModel
from tests.conftest import ROOT
from tests.training.faces import synthetic_faces
from training import notebook
from training.data.fer2013 import load

MAX_PARAMETERS = 10


@pytest.mark.timeout(400)  # A kernel that trains may take minutes on a busy machine.
def test_the_notebook_runs_from_top_to_bottom(tmp_path: Path) -> None:
    """Run All makes what the app loads: drawn smiles are learned in a few epochs, and PrivateTest is reported."""
    data, votes = synthetic_faces(tmp_path)
    given = {"DATA": data, "VOTES": votes, "CHECKPOINTS": tmp_path / "checkpoints", "OUTPUT": tmp_path}
    small = {"EPOCHS": 8, "BATCH_SIZE": 8, "WIDTHS": [8, 16], "DEPTHS": [1, 1]}
    epochs = list[int]()
    parameters = {name: str(path) for name, path in given.items()} | small
    notebook.run(parameters, tmp_path / "out.ipynb", epochs.append)

    assert epochs[-1] == 8
    faces = load(data).split("PrivateTest")
    network = FacialExpressionModel(tmp_path / "model.json", tmp_path / "model_weights.h5")
    assert network.precision == "int8"  # network.onnx is the third file that it saves
    probabilities = network.predict(faces.images)
    assert probabilities.shape == (8, len(EXPRESSIONS))
    assert (probabilities.argmax(axis=1) == faces.labels).mean() > 0.7
    results = {path.name for path in (tmp_path / "checkpoints" / "results").iterdir()}
    assert {"metrics.json", "curves.png", "portraits.png", "PrivateTest-reliability.png"} <= results
    assert not [name for name in results if "mistakes" in name]  # Those show faces of FER2013.


def test_the_notebook_is_for_a_reader() -> None:
    """It has few parameters, and none that another program put there."""
    committed = nbformat.read(ROOT / "train.ipynb", as_version=4)
    assert not [cell for cell in committed.cells if "injected-parameters" in cell.metadata.get("tags", [])]
    assert len(notebook.read_parameters()) <= MAX_PARAMETERS


def test_a_cell_that_fails_ends_it_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong with the data, say, is told by the command as the notebook's cell says it; the copy is written."""

    def fail(*_: object, **__: object) -> SimpleNamespace:
        def execute() -> None:
            raise CellExecutionError("", "DatasetError", "There is no file nothing.csv. Get it from Kaggle.")

        return SimpleNamespace(execute=execute)

    monkeypatch.setattr(notebook, "NotebookClient", fail)
    with pytest.raises(TrainingError, match=r"DatasetError.*Kaggle"):
        notebook.run({"DATA": "nothing.csv", "CHECKPOINTS": str(tmp_path)}, tmp_path / "out.ipynb", lambda _: None)
    assert [path.name for path in tmp_path.iterdir()] == ["out.ipynb"]


def test_the_command_trains_and_carries_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make train` passes on what it is given, shows the epochs as they pass, and says what is wrong in one line."""
    given = dict[str, object]()

    def pretend(parameters: dict[str, object], _: Path, on_epochs: Callable[[int], object]) -> None:
        given.update(parameters)
        on_epochs(2)
        if parameters["DATA"] == "nothing.csv":
            raise TrainingError("DatasetError: There is no file nothing.csv.")

    monkeypatch.setattr(notebook, "run", pretend)
    assert notebook.main(["faces.csv", "--votes", "votes.csv", "--epochs", "3"]) == 0
    assert given == {"DATA": "faces.csv", "VOTES": "votes.csv", "EPOCHS": 3}
    assert "2/3" in capsys.readouterr().err
    assert notebook.main(["nothing.csv", "--output", str(tmp_path / "out.ipynb")]) == 1
    assert "error: DatasetError" in capsys.readouterr().err


def test_an_unknown_parameter_is_refused() -> None:
    """A parameter that the notebook does not have is not quietly left out."""
    with pytest.raises(TrainingError, match="EPOCH:"):
        notebook.with_parameters(nbformat.read(ROOT / "train.ipynb", as_version=4), {"EPOCH": 3})
