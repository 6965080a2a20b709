import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import evaluate
from entities import EXPRESSIONS
from errors import ModelError
from tests.helpers.networks import save, small_network
from training.data.fer2013 import FER2013, OTHER_VOTES, VOTE_COLUMNS
from training.metrics.conditions import CONDITIONS
from training.metrics.evaluation import compare

ROOT = Path(__file__).resolve().parent.parent.parent
SPLITS = ("Training", "PublicTest", "PrivateTest")


class BrightnessModel:
    """Stands in for the network: the first pixel, over 30, is the expression that it is 82 % sure of."""

    precision = "float32"
    parameters, multiply_adds = 1_500_000, 100_000_000

    def __init__(self, architecture, weights):
        if not Path(weights).name.startswith("model"):
            raise ModelError(f"There is no model file {weights}.")

    def predict(self, faces):
        """Return (n, 7) probabilities."""
        return (np.eye(7, dtype=np.float32)[faces[:, 0, 0] // 30] * 0.79 + 0.03).astype(np.float32)


@pytest.fixture
def stub(monkeypatch):
    """Evaluate without a network, from the repository's root."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(evaluate, "FacialExpressionModel", BrightnessModel)


@pytest.fixture
def data(tmp_path):
    """Return a CSV of 70 rows a split and its votes.

    BrightnessModel takes every tenth PublicTest face wrong. Raters agree with 8 of 10 votes on the first 50
    rows of a split, disagree on the next 10, and see no face in the last 10.
    """
    labelled, voted = tmp_path / "fer2013.csv", tmp_path / "fer2013new.csv"
    with labelled.open("w", newline="") as faces, voted.open("w", newline="") as votes:
        rows, ballots = csv.writer(faces), csv.writer(votes)
        rows.writerow(["emotion", "pixels", "Usage"])
        ballots.writerow(["Usage", "Image name", *VOTE_COLUMNS, *OTHER_VOTES])
        for usage in SPLITS:
            for index in range(70):
                label = index % 7
                shown = (label + (usage == "PublicTest" and index % 10 == 0)) % 7
                rows.writerow([label, " ".join([str(30 * shown)] + ["90"] * (48 * 48 - 1)), usage])
                counts = [0] * 10
                if index < 50:
                    counts[label], counts[8] = 8, 2
                elif index < 60:
                    counts[label], counts[(label + 1) % 7] = 5, 5
                else:
                    counts[9] = 10
                ballots.writerow([usage, "face.png", *counts])
    return labelled, voted


def run(capsys, *arguments):
    """Return the exit status, standard output and standard error of the command."""
    status = evaluate.main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_figures_against_labels_and_votes(stub, data, capsys):
    """Labels count on all rows, the majority where raters agree, the votes where they see a face."""
    status, out, err = run(capsys, "--data", data[0], "--votes", data[1], "--json", "-")
    results = json.loads(out)
    assert status == 0
    assert results["labels"]["rows"] == 70
    assert results["labels"]["accuracy"] == pytest.approx(0.9)
    assert results["majority"]["rows"] == 50
    assert results["majority"]["accuracy"] == pytest.approx(0.9)
    assert results["votes"]["rows"] == 60
    # 8 of 8 votes on 45 rows, half of them on 10 that raters are divided about (on one, by way of the mistake).
    assert results["votes"]["votes_for_predicted"] == pytest.approx((45 + 5) / 60)
    assert results["parameters"] == 1_500_000
    assert results["command"].startswith("python evaluate.py --data ")
    assert "90.0%" in err


@pytest.fixture
def disputed() -> FER2013:
    """Four rows: the raters name the label's expression on two, another one on the third, and none on the last."""
    raters = np.zeros((4, 10), np.int64)
    raters[[0, 1, 2], [3, 6, 6]] = 10
    raters[3, :2] = 5
    return FER2013(np.zeros((4, 48, 48), np.uint8), np.array([3, 6, 4, 0]), np.full(4, "PublicTest"), raters)


def test_tells_how_often_the_labels_name_what_the_majority_names(disputed):
    """No network that agrees with the majority can be right about more of FER2013's labels than they share."""
    majority = compare(np.full((4, 7), 1 / 7, np.float32), disputed)["majority"]
    assert majority["labels_agree"] == pytest.approx(2 / 3)


def test_tells_faces_that_label_and_raters_agree_on_from_others(disputed):
    """A network that sides with the labels is right where the raters do too, and wrong where they do not."""
    sides_with_labels = np.eye(7, dtype=np.float32)[disputed.labels]
    majority = compare(sides_with_labels, disputed)["majority"]
    assert (majority["accuracy_agreed"], majority["accuracy_disputed"]) == (1, 0)


def test_without_a_disputed_face_there_is_no_accuracy_on_them(disputed):
    """Where label and majority are the same on every row, there is nothing to tell of others, and nothing breaks."""
    agreed = disputed.select(np.array([True, True, False, False]))
    assert compare(np.eye(7, dtype=np.float32)[agreed.labels], agreed)["majority"]["accuracy_disputed"] is None


def test_table_shows_recall_of_every_expression(stub, data, capsys):
    """The table has a line for each expression, and says what the network costs."""
    status, out, _ = run(capsys, "--data", data[0], "--votes", data[1], "--usage", "PrivateTest")
    assert status == 0
    assert "PrivateTest: 1.50 M parameters, 100 M multiply-adds" in out
    lines = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line.split()[:1]}
    for name in EXPRESSIONS:
        assert lines[name][:3] == ["100.0%", "100.0%", "10"]
        assert len(lines[name]) == 6


def test_without_votes(stub, data, capsys):
    """Without votes, there are figures against the labels only."""
    status, out, _ = run(capsys, "--data", data[0], "--usage", "Training", "--json", "-")
    assert status == 0
    assert "majority" not in json.loads(out)


def test_files(stub, data, tmp_path, capsys):
    """Figures and plots are written, into folders that did not exist, and nothing half-written stays."""
    figures, plots = tmp_path / "results" / "run.json", tmp_path / "results" / "plots"
    status, out, _ = run(capsys, "--data", data[0], "--votes", data[1], "--json", figures, "--plots", plots)
    assert status == 0
    assert json.loads(figures.read_text())["labels"]["rows"] == 70
    assert "accuracy" in out
    assert sorted(path.name for path in plots.iterdir()) == [
        "confusion_labels.png",
        "confusion_majority.png",
        "mistakes_labels.png",
        "mistakes_majority.png",
        "reliability.png",
    ]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in plots.iterdir())
    assert sorted(path.name for path in figures.parent.iterdir()) == ["plots", "run.json"]


def test_worse_pictures(stub, data, tmp_path, capsys):
    """Each condition is measured on the majority's rows, told, and drawn; the first one changes nothing."""
    plots = tmp_path / "plots"
    options = ("--data", data[0], "--votes", data[1], "--conditions", "--plots", plots)
    status, out, err = run(capsys, *options, "--json", "-")
    assert status == 0
    conditions = json.loads(out)["conditions"]
    assert conditions["against"] == "majority"
    assert list(conditions["scores"]) == list(CONDITIONS)
    assert conditions["scores"]["as they are"]["accuracy"] == pytest.approx(0.9)
    assert conditions["scores"]["a third of the light, noise of 8"]["accuracy"] < 0.5  # which is all that the stub sees
    assert all(name in err for name in CONDITIONS)
    assert (plots / "conditions.png").read_bytes().startswith(b"\x89PNG")


def test_worse_pictures_without_votes(stub, data, capsys):
    """Where there are no votes, the labels count; chance is the same each time."""
    runs = [run(capsys, "--data", data[0], "--conditions", "--json", "-")[1] for _ in range(2)]
    assert json.loads(runs[0])["conditions"]["against"] == "labels"
    assert runs[0] == runs[1]


def test_data_without_rows(stub, tmp_path, capsys):
    """A table that has its columns only is said to be empty."""
    empty = tmp_path / "empty.csv"
    empty.write_text("emotion,pixels,Usage\n")
    status, _, err = run(capsys, "--data", empty)
    assert status == 1
    assert "it has no rows at all" in err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"--data": "nowhere.csv"}, "no dataset at nowhere.csv"),
        ({"--votes": "nowhere.csv"}, "no FER+ votes at nowhere.csv"),
        ({"--weights": "nowhere.h5"}, "no model file nowhere.h5"),
        ({"--json": "LICENSE/figures.json"}, "LICENSE/figures.json cannot be written"),
        ({"--plots": "LICENSE/plots"}, "LICENSE/plots/"),
    ],
)
def test_errors_are_one_line(stub, data, capsys, changes, message):
    """What is missing or cannot be written is named in a line on standard error, and the status is 1."""
    options = {"--data": data[0], "--votes": data[1]} | changes
    status, _, err = run(capsys, *[part for option in options.items() for part in option])
    assert status == 1
    assert message in err.replace(os.sep, "/")
    assert "Traceback" not in err


def test_missing_usage(stub, data, capsys):
    """A split that the file does not have is named, with those that it has."""
    lines = [line for line in data[0].read_text().splitlines() if not line.endswith("PrivateTest")]
    data[0].write_text("\n".join(lines))
    status, _, err = run(capsys, "--data", data[0], "--usage", "PrivateTest")
    assert status == 1
    assert "no rows with Usage PrivateTest; it has PublicTest, Training" in err


def test_the_real_command(keras, data, tmp_path):
    """The command works on a real network, in a process of its own."""
    architecture, weights = save(small_network(keras), tmp_path)
    command = [sys.executable, "evaluate.py", "--data", data[0], "--model", architecture, "--weights", weights]
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    done = subprocess.run(
        [*command, "--json", "-"], cwd=ROOT, env=environment, check=True, capture_output=True, timeout=100
    )
    results = json.loads(done.stdout)
    assert results["labels"]["rows"] == 70
    assert 0 <= results["labels"]["accuracy"] <= 1
