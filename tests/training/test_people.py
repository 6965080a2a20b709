"""evaluate.py on people: recorded answers, and folders of pictures and videos."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import evaluate
from entities import EXPRESSIONS
from errors import DatasetError
from tests.helpers.footage import make_video
from tests.helpers.people import NEUTRAL, recorded
from training.metrics.people import Answers, adapted, compared_with_rest, read_rows, score_people

ANNA, BOB = recorded(1), recorded(2)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Return a CSV file of two people's answers."""
    path = tmp_path / "posed.csv"
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["network", "person", "posed", *EXPRESSIONS])
        for person, (shown, seen) in {"anna": ANNA, "bob": BOB}.items():
            for expression, values in zip(shown, seen, strict=True):
                table.writerow(["ours", person, EXPRESSIONS[expression], *np.log(values).round(4)])
    return path


class Recognises:
    """Stands in for the network: faces lit from the left are happy, all others look sad."""

    def __init__(self, architecture, weights):
        self.parameters, self.multiply_adds = 1, 1

    def predict(self, faces):
        """Return (n, 7) probabilities."""
        lit = [face[:, : face.shape[1] // 2].mean() > face[:, face.shape[1] // 2 :].mean() + 5 for face in faces]
        named = np.where(lit, EXPRESSIONS.index("Happy"), EXPRESSIONS.index("Sad"))
        return (np.eye(7, dtype=np.float32)[named] * 0.65 + 0.05).reshape(-1, 7)


@pytest.fixture
def people(tmp_path: Path, portrait, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of two people, with pictures, a video, a picture without a face, and a broken one."""
    monkeypatch.setattr(evaluate, "FacialExpressionModel", Recognises)
    folder = tmp_path / "people"
    plain = cv2.resize(portrait[0], (320, 376))
    lit = plain.copy()
    lit[:, 160:] = lit[:, 160:] * 0.8
    for person in ("anna", "bob"):
        for expression, picture in (("happy", lit), ("neutral", plain), ("neutral", plain)):
            target = folder / person / expression
            target.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(target / f"{len(list(target.iterdir()))}.png"), picture)
    make_video(folder / "bob" / "happy" / "clip.mp4", (lit for _ in range(8)), fps=8)
    (folder / "bob" / "Sad").mkdir()
    cv2.imwrite(str(folder / "bob" / "Sad" / "wall.png"), np.full((200, 200, 3), 130, np.uint8))
    (folder / "bob" / "Sad" / "broken.jpg").write_bytes(b"no picture")
    return folder


def run(capsys, *arguments):
    """Return the exit status, standard output and standard error of the command."""
    status = evaluate.main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_recorded_answers(rows, capsys):
    """Each way is told for each network; the rest and the adaptation help those who look sad at rest."""
    status, out, err = run(capsys, "--rest-rows", rows, "--json", "-")
    figures = json.loads(out)["networks"]["ours"]
    assert status == 0
    assert figures["as_seen"]["accuracy"] < 0.5 < figures["compared"]["accuracy"]
    assert figures["adapted"]["accuracy"] > figures["as_seen"]["accuracy"]
    assert figures["compared"]["neutral"] == 1
    assert "with one picture of the rest" in err


def test_nothing_is_judged_with_its_own_help(rows):
    """Whoever has one Neutral answer is not compared for it, and an answer never counts in its own adaptation."""
    answers = read_rows(rows)["ours"]
    alone = Answers(answers.people[:1], np.array([NEUTRAL]), answers.probabilities[:1])
    assert compared_with_rest(alone)[0].probabilities == pytest.approx(alone.probabilities)
    assert adapted(alone).probabilities == pytest.approx(alone.probabilities)


def test_other_people_change_nothing(rows):
    """A person's figures are the same with and without the others in the file."""
    answers = read_rows(rows)["ours"]
    together = score_people(answers, {})["people"]["bob"]
    assert together == score_people(answers.of("bob"), {})["people"]["bob"]


def test_people_from_files(people, tmp_path, capsys):
    """Accuracy by person and group, with intervals and plots; files without a face are named and left out."""
    (people / "people.csv").write_text("person,group\nanna,A\nbob,B\n")
    plots = tmp_path / "plots"
    status, out, err = run(capsys, "--people", people, "--json", tmp_path / "figures.json", "--plots", plots)
    assert status == 0
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["people"]["anna"]["as_seen"] == {
        "right": 1,
        "rows": 3,
        "accuracy": pytest.approx(1 / 3),
        "interval": [pytest.approx(0.061, abs=0.001), pytest.approx(0.792, abs=0.001)],
    }
    assert figures["people"]["bob"]["compared"]["accuracy"] == 1
    assert set(figures["groups"]) == {"A", "B"}
    low, high = figures["groups"]["A"]["compared"]["interval"]
    assert low < figures["groups"]["A"]["compared"]["accuracy"] <= high
    assert set(figures["left_out"]) == {"bob/Sad/wall.png", "bob/Sad/broken.jpg"}
    assert "no face was found" in err
    assert "anna" in out
    assert {path.name for path in plots.iterdir()} == {
        "people.png",
        "confusion_as_seen.png",
        "confusion_compared.png",
        "confusion_adapted.png",
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name,group\nanna,A\n", "needs the columns person and group"),
        ("person,group\ncarl,A\n", "names carl"),
        ("person,group\nanna,A\nanna,B\n", "names anna more than once"),
        ("", "cannot be read as CSV"),
    ],
)
def test_wrong_groups(people, capsys, content, message):
    """A table of groups that does not fit the folders is an error in a line."""
    (people / "people.csv").write_text(content)
    status, _, err = run(capsys, "--people", people)
    assert (status, err.count("\n")) == (1, 1)
    assert message in err


def test_wrong_folders(people, tmp_path, capsys):
    """A missing or empty folder, and a folder that is no expression, are errors that show the layout or the names."""
    (tmp_path / "empty").mkdir()
    (people / "anna" / "bored").mkdir()
    for folder, message in (
        (tmp_path / "none", "anna/happy/1.jpg"),
        (tmp_path / "empty", "anna/happy/1.jpg"),
        (people, "bored is no expression"),
    ):
        status, _, err = run(capsys, "--people", folder)
        assert status == 1
        assert message in err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n", "are missing"),
        ("network,person,posed," + ",".join(EXPRESSIONS) + "\nn,1,Bored" + ",-1" * 7, "Bored"),
        ("network,person,posed," + ",".join(EXPRESSIONS) + "\nn,1,Sad" + ",x" * 7, "must be numbers"),
    ],
)
def test_wrong_rows(tmp_path, content, message):
    """Other columns, expressions and values are told."""
    (tmp_path / "rows.csv").write_text(content)
    with pytest.raises(DatasetError, match=message):
        read_rows(tmp_path / "rows.csv")
    with pytest.raises(DatasetError, match="no file"):
        read_rows(tmp_path / "none.csv")


def test_a_group_of_alike_people_is_not_called_certain():
    """With few people, the interval of a group is as wide as its answers allow, even where all did the same."""
    answers = Answers(np.array(["a", "b"]), np.array([3, 3]), np.eye(7)[[3, 3]])
    low, high = score_people(answers, {"a": "g", "b": "g"})["groups"]["g"]["as_seen"]["interval"]
    assert low < 0.5
    assert high == pytest.approx(1)
