"""Faces of a video's results are named, merged and split, everything follows, and every change can be undone."""

import csv
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from analysis.recording.identities import Change, Identities, change_faces, undo_change
from analysis.recording.video import analyze_video
from config import Settings
from entities import Box, Image
from errors import FacesChangeError
from tests.helpers.footage import FixedClassifier, make_video


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory, portrait: tuple[Image, Box]) -> Path:
    """Return the results of a video in which one face is seen, then none, then one again elsewhere."""
    folder = tmp_path_factory.mktemp("analysed")
    image = np.asarray(cv2.resize(portrait[0], (160, 190)), np.uint8)
    nobody = np.full((190, 400, 3), 90, np.uint8)
    left, right = nobody.copy(), nobody.copy()
    left[:, :160], right[:, 240:] = image, image
    video = make_video(folder / "a.mp4", iter([left] * 20 + [nobody] * 40 + [right] * 20), fps=10)
    analyze_video(video, folder / "out", Settings(), FixedClassifier("Sad", 0.9))
    return folder / "out"


@pytest.fixture
def results(analysed: Path, tmp_path: Path) -> Path:
    """Return a copy of the results, to be changed."""
    return Path(shutil.copytree(analysed, tmp_path / "out"))


def numbers(results: Path) -> list[int]:
    """Return the faces' numbers in the order of their first appearance."""
    faces = json.loads((results / "summary.json").read_text("utf-8"))["faces"]
    return [face["id"] for face in sorted(faces, key=lambda face: face["first_seen"])]


def rows(results: Path) -> list[dict[str, str]]:
    """Return the rows of the table that have a face."""
    with (results / "frames.csv").open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["face"]]


def contents(results: Path) -> dict[str, Any]:
    """Return the texts of the results."""
    return {name: (results / name).read_text("utf-8") for name in ("frames.csv", "frames.json", "summary.json")}


def test_a_name_is_in_every_file(results: Path) -> None:
    """Tables, summary, moments and the ZIP have it."""
    first, _ = numbers(results)
    chart = (results / "timeline.png").read_bytes()
    summary = change_faces(results, Change("rename", first, name="Anna"))
    assert {face["name"] for face in summary["faces"]} == {"Anna", ""}
    assert {row["name"] for row in rows(results) if row["face"] == str(first)} == {"Anna"}
    assert '"name": "Anna"' in (results / "frames.json").read_text("utf-8")
    assert [interval["name"] for interval in summary["intervals"] if interval["face"] == first] == ["Anna"]
    assert "Anna: Sad" in (results / "intervals.vtt").read_text("utf-8")
    assert ",Anna,Sad," in (results / "intervals.csv").read_text("utf-8")
    assert f'TIER_ID="Anna ({first}) Sad"' in (results / "intervals.eaf").read_text("utf-8")
    assert (results / "timeline.png").read_bytes() != chart
    with zipfile.ZipFile(results / "all.zip") as archive:
        assert "Anna" in archive.read("frames.csv").decode()
        assert "found/summary.json" not in archive.namelist()


def test_two_faces_become_one_and_two_again(results: Path) -> None:
    """After a merge there is one face with the time of both; undo leaves no trace."""
    first, second = numbers(results)
    before = contents(results)
    seconds = sum(face["seconds"] for face in json.loads(before["summary.json"])["faces"])
    summary = change_faces(results, Change("merge", second, into=first))
    (face,) = summary["faces"]
    assert (face["id"], summary["changes"]) == (first, 1)
    assert face["seconds"] == pytest.approx(seconds)
    assert [face["id"] for face in summary["timeline"]["faces"]] == [first]
    assert {row["face"] for row in rows(results)} == {str(first)}
    assert [interval["face"] for interval in summary["intervals"]] == [first, first]
    undo_change(results)
    assert json.loads(contents(results)["summary.json"]) == json.loads(before["summary.json"])
    assert contents(results)["frames.csv"] == before["frames.csv"]
    with pytest.raises(FacesChangeError, match="no change"):
        undo_change(results)


def test_a_face_is_split_where_it_became_another(results: Path) -> None:
    """From that time on it has a new number, and a picture of its own."""
    first, _ = numbers(results)
    summary = change_faces(results, Change("split", first, at=1.0))
    assert len(summary["faces"]) == 3
    new = max(face["id"] for face in summary["faces"])
    times = [float(row["time"]) for row in rows(results) if row["face"] == str(new)]
    assert min(times) == pytest.approx(1.0, abs=0.01)
    assert all(face["thumbnail"].startswith("data:image/jpeg;base64,") for face in summary["faces"])


def test_a_face_is_not_split_where_it_is_not_in_view(results: Path) -> None:
    """Before its first and after its last frame nobody would have the new number; nothing changes."""
    _, second = numbers(results)
    before = contents(results)
    for at in (0.5, 7.99):
        with pytest.raises(FacesChangeError, match="has been seen before and is seen after"):
            change_faces(results, Change("split", second, at=at))
    assert contents(results) == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Change("rename", 99, name="Nobody"), "no face 99"),
        (Change("split", 1, at=0.0), "Choose a time"),
        (Change("merge", 1, into=1), "two different"),
    ],
)
def test_what_cannot_be_is_refused(change: Change, words: str) -> None:
    """Errors say why."""
    with pytest.raises(FacesChangeError, match=words):
        Identities([1, 2]).apply(change)


def test_faces_in_view_together_are_not_merged(tmp_path: Path, portrait: tuple[Image, Box]) -> None:
    """Nobody is in two places, and the results stay as they are."""
    image = np.asarray(cv2.resize(portrait[0], (160, 190)), np.uint8)
    video = make_video(tmp_path / "b.mp4", iter([np.hstack([image, image])] * 10), fps=10)
    analyze_video(video, tmp_path / "out", Settings(), FixedClassifier())
    before = contents(tmp_path / "out")
    first, second = numbers(tmp_path / "out")[:2]
    with pytest.raises(FacesChangeError, match="at the same time"):
        change_faces(tmp_path / "out", Change("merge", second, into=first))
    assert contents(tmp_path / "out") == before
    assert not list((tmp_path / "out").glob(".*"))


def test_blurred_results_show_no_face(tmp_path: Path, portrait: tuple[Image, Box]) -> None:
    """Video, moments and thumbnails are mosaics; the tables are the same."""
    image = np.asarray(cv2.resize(portrait[0], (320, 380)), np.uint8)
    video = make_video(tmp_path / "c.mp4", iter([image] * 6), fps=10)
    plain = analyze_video(video, tmp_path / "plain", Settings(), FixedClassifier("Sad", 0.9))
    hidden = analyze_video(video, tmp_path / "hidden", Settings(), FixedClassifier("Sad", 0.9), blur=True)
    assert plain["faces"][0]["mean_probabilities"] == hidden["faces"][0]["mean_probabilities"]
    x, y, width, height = hidden["moments"][0]["box"]
    middle = np.s_[y + height // 4 : y + 3 * height // 4, x + width // 4 : x + 3 * width // 4]

    def detail(folder: str) -> float:
        picture = cv2.imread(str(tmp_path / folder / "moment-Sad.jpg"), cv2.IMREAD_GRAYSCALE)
        assert picture is not None
        return float(np.abs(cv2.Laplacian(picture[middle], cv2.CV_64F)).mean())

    assert detail("hidden") < 0.5 * detail("plain")
    assert plain["faces"][0]["thumbnail"] != hidden["faces"][0]["thumbnail"]
