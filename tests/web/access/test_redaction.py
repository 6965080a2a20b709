"""What visitors are told of the server's files: their names, and not where they are."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from config import ROOT
from entities import SourceState, SourceStatus
from errors import ModelError
from network.keras_network import load_network
from tests.helpers.fake_camera import FakeCamera
from web.access.redaction import without_folders


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            f"There is no model file {ROOT / 'models' / 'a b.json'}. Make it.",
            "There is no model file a b.json. Make it.",
        ),
        ("/srv/fer/model.json: cannot be read.", "model.json: cannot be read."),
        ("'/srv/fer/model.json' (/srv/fer/weights.h5)", "'model.json' (weights.h5)"),
        (r"There is no model file C:\Users\me\model.json.", "There is no model file model.json."),
        ("There is no room in /tmp: it is full.", "There is no room in tmp: it is full."),
        ("Write it with training/export.py, and/or ask.", "Write it with training/export.py, and/or ask."),
        ("http://127.0.0.1:5000/video: refused.", "http://127.0.0.1:5000/video: refused."),
        ("30 km/h, 24 / 7, 1/2.", "30 km/h, 24 / 7, 1/2."),
        ("", ""),
    ],
)
def test_folders_are_left_out(text: str, told: str) -> None:
    """All else stays as it is."""
    assert without_folders(text) == told


def test_reasons_are_told_without_folders(client: FlaskClient, camera: FakeCamera, tmp_path: Path) -> None:
    """In the status, in events, and where a picture is refused."""
    with pytest.raises(ModelError) as caught:
        load_network(tmp_path / "model.json", tmp_path / "weights.h5")
    camera.classifier, camera.model_reason = None, str(caught.value)
    camera.status = SourceStatus(SourceState.FAILED, "clip.mp4", f"{tmp_path / 'clip.mp4'} is gone.")
    camera.publish()
    answers = [client.get("/api/status").text, client.post("/api/live/frame?stream=abcdefghijklmnop", data=b"x").text]
    with client.get("/api/events") as events:
        answers.append(str(next(iter(events.response))))
    for answer in answers:
        assert "model.json" in answer
        assert str(tmp_path) not in answer
