"""What a report shows of a file: faces and moments of videos and of pictures, and nothing of what is gone."""

import base64
import json
from pathlib import Path

import cv2
import numpy as np

from analysis.study.report_pictures import Moment, Pictures, Portrait, pictures_of
from analyze import analyze_image
from config import ROOT
from tests.helpers.footage import FixedClassifier

PORTRAIT = ROOT / "tests" / "data" / "astronaut.png"


def test_a_picture_shows_its_faces_and_itself(tmp_path: Path) -> None:
    """Its own folder has the faces; the picture is read where it lies."""
    analyze_image(PORTRAIT, classifier=FixedClassifier("Happy", 0.9)).write(tmp_path / "a")
    shown = pictures_of(tmp_path / "a", PORTRAIT)
    (face,) = shown.faces
    assert face.address.startswith("data:image/jpeg;base64,")
    (moment,) = shown.moments
    assert (moment.expression, moment.time) == ("Happy", None)
    encoded = np.frombuffer(base64.b64decode(moment.address().partition(",")[2]), np.uint8)
    image = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    assert image is not None
    assert min(image.shape[:2]) == 480


def test_a_video_shows_its_moments(tmp_path: Path) -> None:
    """As its summary names them; a picture that is gone or broken is not shown."""
    told = {"faces": [{"id": 1, "thumbnail": "data:,"}, {"id": 2, "thumbnail": ""}]}
    moment = {"expression": "Sad", "confidence": 0.8, "time": 1.5, "file": "moment-Sad.jpg"}
    (tmp_path / "summary.json").write_text(json.dumps(told | {"moments": [moment]}))
    shown = pictures_of(tmp_path, Path("/videos/a.mp4"))
    assert shown == Pictures((Portrait("Face 1", "data:,"),), (Moment("Sad", 0.8, 1.5, tmp_path / "moment-Sad.jpg"),))
    assert shown.moments[0].address() == ""
    (tmp_path / "moment-Sad.jpg").write_bytes(b"no picture")
    assert shown.moments[0].address() == ""


def test_a_folder_that_is_gone_shows_nothing(tmp_path: Path) -> None:
    """The tables may outlive it."""
    assert pictures_of(tmp_path / "gone", PORTRAIT) == Pictures()
