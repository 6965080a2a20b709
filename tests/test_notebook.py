"""The notebook runs from its first cell to its last, and what it exports works in the app."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import papermill
import pytest

from entities import EXPRESSIONS
from model import FacialExpressionModel
from tests.conftest import ROOT
from training.fer2013 import load
from training.network import HEADS, build_cnn


def run(folder: Path, data: Path, **parameters: object) -> dict[str, Any]:
    """Execute the notebook with everything that it writes in `folder`; return its figures."""
    papermill.execute_notebook(
        ROOT / "train.ipynb",
        folder / "out.ipynb",
        parameters={
            "DATA": str(data),
            "CHECKPOINTS": str(folder / "checkpoints"),
            "MODEL": str(folder / "model.json"),
            "WEIGHTS": str(folder / "model_weights.h5"),
            "RESULTS": str(folder / "results"),
            **parameters,
        },
        cwd=ROOT,
        progress_bar=False,
    )
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
        EPOCHS=40,
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
    """Its first look at the data ends it, and says where to get them; nothing is written."""
    with pytest.raises(papermill.PapermillExecutionError, match=r"DatasetError.*Kaggle"):
        run(tmp_path, tmp_path / "nothing.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["out.ipynb"]
