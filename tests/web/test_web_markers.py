"""Markers in the server's video: set over HTTP, carried by every later frame, kept within limits."""

import json

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from config import Settings
from tests.helpers.fake_camera import FakeCamera
from web.marker_log import MarkerLog


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return a visitor."""
    return app.test_client()


def in_next_frame(client: FlaskClient, camera: FakeCamera) -> str:
    """Return the marker that the event of a new frame carries."""
    camera.publish()
    with client.get("/api/events", buffered=False) as response:
        for part in response.iter_encoded():
            for line in part.decode().splitlines():
                if line.startswith("data: ") and "index" in (event := json.loads(line.removeprefix("data: "))):
                    return str(event["marker"])
    pytest.fail("the events ended")


def test_a_marker_is_in_later_frames(client: FlaskClient, camera: FakeCamera) -> None:
    """It lasts until the next one; an empty label ends it. The list has all, with their times."""
    assert in_next_frame(client, camera) == ""
    answer = client.post("/api/markers", json={"label": " film\x07 "})
    assert answer.status_code == 201
    assert answer.get_json()["marker"]["label"] == "film"
    assert in_next_frame(client, camera) == "film"
    assert in_next_frame(client, camera) == "film"
    client.post("/api/markers", json={"label": ""})
    assert in_next_frame(client, camera) == ""
    markers = client.get("/api/markers").get_json()["markers"]
    assert [marker["label"] for marker in markers] == ["film", ""]
    assert 1e9 < markers[0]["time"] <= markers[1]["time"]


@pytest.mark.parametrize("body", [{}, {"label": "x" * 61}, {"label": 5}])
def test_what_is_no_marker_is_refused(client: FlaskClient, body: dict[str, object]) -> None:
    """The answer names the parameter."""
    answer = client.post("/api/markers", json=body)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, "bad_parameter")
    assert "label" in answer.get_json()["error"]["message"]
    assert client.get("/api/markers").get_json() == {"markers": []}


def test_setting_is_switched_off_with_other_changes(camera: FakeCamera) -> None:
    """Where visitors may not change what all see, they may not set markers in it."""
    settings = Settings.model_validate({"server": {"change_source": False}})
    client = create_app(settings, camera.as_camera()).test_client()
    answer = client.post("/api/markers", json={"label": "film"})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, "change_switched_off")
    assert client.get("/api/markers").get_json() == {"markers": []}


def test_frames_have_what_was_in_force_when_they_were_captured() -> None:
    """A frame that was captured before a marker does not carry it, however late it is told of."""
    times = iter((1.0, 2.0))
    markers = MarkerLog(clock=lambda: next(times))
    markers.add("first")
    markers.add("second")
    assert [markers.in_force(moment) for moment in (0.9, 1.0, 1.9, 2.5)] == ["", "first", "first", "second"]


def test_only_the_latest_are_kept() -> None:
    """Memory is bounded."""
    markers = MarkerLog(most=2)
    for label in "abc":
        markers.add(label)
    assert [marker.label for marker in markers.all()] == ["b", "c"]
