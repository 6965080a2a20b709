"""What evaluate.py --detector says of a detector."""

import json

import cv2
import numpy as np
import pytest

import evaluate
from config import DetectorSettings
from tests.helpers.footage import FixedClassifier, make_video
from training.metrics.turning import load_pictures, measure_turning
from vision.detection import FaceDetector


def test_a_detector_is_measured_on_turned_and_small_pictures(portrait):
    """One face is found again however the picture is turned, with the same answer; one without any adds nothing."""
    pictures = [portrait[0], np.full((60, 80, 3), 99, np.uint8)]
    detector = FaceDetector(DetectorSettings())
    results = measure_turning(detector, FixedClassifier().predict, pictures)
    assert results["faces"] == 1
    assert all(figures == {"found": 1, "agreement": 1, "false": 0} for figures in results["conditions"].values())


def test_haar_loses_tilted_faces(portrait):
    """What is missing shows: at 40 degrees Haar finds nothing where the face is."""
    detector = FaceDetector(DetectorSettings(kind="haar"))
    results = measure_turning(detector, FixedClassifier().predict, [portrait[0]])["conditions"]
    assert results["turned by 0 degrees"]["found"] == 1
    assert results["turned by -40 degrees"]["found"] == 0
    assert results["turned by -40 degrees"]["agreement"] is None


def test_pictures_and_videos_are_read(portrait, tmp_path):
    """A picture is taken as it is; of a video, one frame of twelve."""
    cv2.imwrite(str(tmp_path / "a.png"), portrait[0])
    video = make_video(tmp_path / "b.mp4")
    assert [picture.shape[:2] for picture in load_pictures([tmp_path / "a.png", video])] == [(600, 512)] + [
        (48, 64)
    ] * 3


def test_the_command_writes_a_table_and_figures(portrait, tmp_path, monkeypatch, capsys):
    """The table is printed, the figures go to a file; neither --data nor votes are needed."""
    monkeypatch.setattr(evaluate, "FacialExpressionModel", lambda *_: FixedClassifier())
    cv2.imwrite(str(tmp_path / "a.png"), portrait[0])
    written = tmp_path / "figures.json"
    arguments = ["--detector", "haar", "--pictures", str(tmp_path / "a.png"), "--json", str(written)]
    assert evaluate.main(arguments) == 0
    assert "haar: 1 faces" in capsys.readouterr().out
    assert json.loads(written.read_text())["conditions"]["turned by 0 degrees"]["found"] == 1


def test_without_anything_to_measure_the_usage_is_shown(capsys):
    """Neither data nor a detector is an error that names them."""
    with pytest.raises(SystemExit):
        evaluate.main([])
    assert "--data --people --rest-rows --detector" in capsys.readouterr().err
