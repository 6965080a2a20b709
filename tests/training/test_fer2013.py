"""FER2013 is read from each form in which people have it, and mistakes are told in words."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from entities import EXPRESSIONS
from errors import DatasetError
from tests.conftest import ROOT
from training.data.fer2013 import FER2013, has_face, load, majority, vote_shares

VOTES_HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"


def pixels(value: int) -> str:
    """Return an evenly grey face as Kaggle's file writes it."""
    return " ".join([str(value)] * 48 * 48)


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    """Return a file of four rows in Kaggle's form."""
    path = tmp_path / "fer2013.csv"
    rows = [f"{label},{pixels(value)},{usage}" for label, value, usage in ROWS]
    path.write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    return path


ROWS = [(3, 10, "Training"), (4, 20, "Training"), (6, 30, "PublicTest"), (0, 10, "PrivateTest")]


def votes_file(folder: Path, rows: list[str]) -> Path:
    """Return a file of votes in FER+'s form."""
    path = folder / "fer2013new.csv"
    path.write_text("\n".join([VOTES_HEADER, *rows]) + "\n")
    return path


def test_reads_kaggles_csv(csv: Path) -> None:
    """Images, labels and splits come out as they stand in the file."""
    rows = load(csv)
    assert rows.images.shape == (4, 48, 48)
    assert rows.images[:, 0, 0].tolist() == [10, 20, 30, 10]
    assert rows.labels.tolist() == [3, 4, 6, 0]
    assert rows.split("PublicTest").labels.tolist() == [6]


def test_reads_spaced_column_names(csv: Path) -> None:
    """icml_face_data.csv, whose columns are named with a leading space, reads the same."""
    csv.write_text(csv.read_text().replace("emotion,pixels,Usage", "emotion, Usage, pixels", 1))
    lines = csv.read_text().splitlines()
    swapped = [lines[0], *(f"{a},{c},{b}" for a, b, c in (line.split(",") for line in lines[1:]))]
    csv.write_text("\n".join(swapped))
    assert load(csv).labels.tolist() == [3, 4, 6, 0]


@pytest.mark.parametrize("rows", [slice(0, 1), slice(0, None)])
def test_reads_rows_that_end_in_commas(csv: Path, rows: slice) -> None:
    """Spreadsheets leave empty cells behind the first row, or all: the columns stay what the header says."""
    header, *lines = csv.read_text().splitlines()
    lines[rows] = [f"{line},,," for line in lines[rows]]
    csv.write_text("\n".join([header, *lines]))
    assert load(csv).labels.tolist() == [3, 4, 6, 0]
    assert load(csv).usage.tolist() == [usage for _, _, usage in ROWS]


def test_reads_a_folder_in_label_order(tmp_path: Path) -> None:
    """Folders come in alphabetical order; labels keep FER2013's order all the same."""
    for split in ("train", "test"):
        for label, name in enumerate(EXPRESSIONS):
            folder = tmp_path / split / name.lower()
            folder.mkdir(parents=True)
            cv2.imwrite(str(folder / "a.png"), np.full((60, 60), 10 * label, np.uint8))
            (folder / ".DS_Store").write_bytes(b"what a Mac leaves in folders")
    rows = load(tmp_path)
    assert (rows.images[:, 0, 0] == 10 * rows.labels).all()
    assert sorted(rows.split("Training").labels.tolist()) == list(range(7))
    assert len(rows.split("PublicTest")) == 7


def test_copies_of_held_back_images_are_not_trained_on(csv: Path) -> None:
    """An image that also occurs in PrivateTest leaves Training."""
    assert load(csv).training().images[:, 0, 0].tolist() == [20]


def test_votes_follow_expressions_order(csv: Path, tmp_path: Path) -> None:
    """FER+'s columns, in an order of their own, are put into EXPRESSIONS order; shares sum to 1."""
    votes = votes_file(
        tmp_path,
        [
            "Training,a.png,0,6,0,0,0,0,0,0,4,0",
            "Training,b.png,0,0,0,0,0,0,0,0,0,10",
            "PublicTest,c.png,5,0,0,5,0,0,0,0,0,0",
            "PrivateTest,d.png,0,0,0,0,8,2,0,0,0,0",
        ],
    )
    rows = load(csv, votes)
    assert rows.votes is not None
    assert majority(rows.votes).tolist() == [3, -1, -1, 0]
    assert has_face(rows.votes).tolist() == [True, False, True, True]
    np.testing.assert_allclose(vote_shares(rows.votes)[3], [0.8, 0.2, 0, 0, 0, 0, 0])


def test_votes_for_other_rows_are_refused(csv: Path, tmp_path: Path) -> None:
    """A votes file of another length or order is not silently put beside the wrong faces."""
    votes = votes_file(tmp_path, ["Training,a.png,10,0,0,0,0,0,0,0,0,0"])
    with pytest.raises(DatasetError, match="same rows in the same order"):
        load(csv, votes)
    swapped = [f"{usage},{name}.png,10,0,0,0,0,0,0,0,0,0" for name, (_, _, usage) in zip("bacd", ROWS, strict=True)]
    with pytest.raises(DatasetError, match="not in the order of its image names"):
        load(csv, votes_file(tmp_path, swapped))


@pytest.mark.parametrize("wrong", ["", "0.5", "-1", "11", "many"])
def test_votes_that_are_no_votes_are_refused(csv: Path, tmp_path: Path, wrong: str) -> None:
    """A vote that is missing, or no whole number from 0 to 10, is named by its row and column."""
    rows = [f"{usage},{name}.png,{wrong},0,0,0,0,0,0,0,0,0" for name, (_, _, usage) in zip("abcd", ROWS, strict=True)]
    with pytest.raises(DatasetError, match="data row 1: neutral must be a whole number from 0 to 10"):
        load(csv, votes_file(tmp_path, rows))


def test_a_broken_votes_file_is_told_from_broken_data(csv: Path, tmp_path: Path) -> None:
    """The advice is about FER+'s file, not about FER2013."""
    votes = tmp_path / "fer2013new.csv"
    votes.write_text("a,b\n1,2\n")
    with pytest.raises(DatasetError, match=r"no column Usage.*FERPlus"):
        load(csv, votes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("emotion,pixels,Usage\n0,1 2 3,Training\n", "data row 1: pixels must be 2304"),
        (f"emotion,pixels,Usage\n9,{pixels(1)},Training\n", "data row 1: emotion must be a whole number from 0 to 6"),
        (f"emotion,pixels,Usage\nhappy,{pixels(1)},Training\n", "emotion must be a whole number"),
        (f"emotion,pixels,Usage\n3.7,{pixels(1)},Training\n", "emotion must be a whole number"),
        (f"emotion,pixels,Usage\n3,{pixels(1)},Trainig\n", "rows with Usage Trainig; it must be Training, PublicTest"),
        (f"emotion,pixels,Usage\n3,{pixels(10**30)},Training\n", "from 0 to 255"),
        ("emotion,pixels,Usage\n3,,Training\n", "data row 1: pixels must be 2304"),
        (f"emotion,pixels,Usage\n0,{pixels(300)},Training\n", "from 0 to 255"),
        (f"label,pixels,Usage\n0,{pixels(1)},Training\n", "no column emotion"),
        ("", "cannot be read as a CSV"),
    ],
)
def test_a_malformed_csv_is_told_in_words(tmp_path: Path, text: str, words: str) -> None:
    """What is wrong, and where, is in the message."""
    path = tmp_path / "fer2013.csv"
    path.write_text(text)
    with pytest.raises(DatasetError, match=words):
        load(path)


def test_a_missing_dataset_says_where_to_get_it(tmp_path: Path) -> None:
    """No dataset: the message names Kaggle and the parameter to set."""
    with pytest.raises(DatasetError, match=r"Kaggle.*DATA"):
        load(tmp_path / "nothing.csv")


def test_a_missing_split_names_those_there(csv: Path) -> None:
    """Asking for a split that is not in the file names those that are."""
    only_training: FER2013 = load(csv).select(np.array([True, True, False, False]))
    with pytest.raises(DatasetError, match=r"PublicTest; it has Training"):
        only_training.split("PublicTest")


def check(*arguments: object) -> tuple[int, str]:
    """Run training.check as a command; return its exit status and what it prints."""
    command = [sys.executable, "-m", "training.check", *map(str, arguments)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


def test_a_dataset_is_described_before_it_is_trained_on(csv: Path) -> None:
    """The check counts the rows and says what will go badly."""
    status, said = check(csv)
    assert status == 0
    assert "Happy has 1 Training rows" in said
    assert "No FER+ votes" in said
    assert "1 of 2 Training rows" in said  # the other is a copy of a PrivateTest picture


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "No columns"),
        ("emotion,pixels,Usage\n", "no rows"),
        ("emotion,pixels,Usage\n0,1 2 3,Training\n", "data row 1: pixels must be 2304 numbers"),
        (f"emotion,pixels,Usage\n0,{pixels(1)} x,Training\n", "data row 1: pixels must be 2304 numbers"),
        (f"emotion,pixels,Usage\n0,{pixels(1)}\n", "Usage (empty)"),
        (f"emotion,pixels,Usage\n0,{pixels(1)},Training\n1,{pixels(1)},Training,,,\n", "line 3"),
        (f"emotion,pixels,Usage\n,{pixels(1)},Training,,,\n", "data row 1: emotion"),
    ],
)
def test_a_broken_dataset_is_told_in_words(tmp_path: Path, text: str, expected: str) -> None:
    """What is wrong is said in one line, without a traceback."""
    path = tmp_path / "fer2013.csv"
    path.write_text(text)
    status, said = check(path)
    assert status == 1
    assert expected in said
    assert "Traceback" not in said
