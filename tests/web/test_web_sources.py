"""Visitors choose from the page what all see, and reach nothing that is not meant for them."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from analysis.queue.runner import JobRunner
from app import create_app
from config import Settings
from tests.helpers.fake_camera import FakeCamera
from tests.helpers.footage import make_video
from vision.sources import UntrustedAddress, UploadedVideo

MakeClient = Callable[..., FlaskClient]
ADDRESSES = ("rtsp://me:secret@cam-1/stream", "http://10.0.0.5:8080/*")


@pytest.fixture
def make_client(camera: FakeCamera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeClient:
    """Return a function that makes a visitor of an application with these server settings, and two webcams."""
    monkeypatch.setattr(JobRunner, "wake", lambda _: None)
    monkeypatch.setattr("web.routes.sources.webcams", lambda: {0: "Webcam 0: Front", 2: "Webcam 2"})

    def make(source: int | str = "auto", **server: object) -> FlaskClient:
        uploads = {"folder": tmp_path / "uploads"}
        settings = Settings.model_validate({"source": source, "server": server, "uploads": uploads})
        return create_app(settings, camera.as_camera()).test_client()

    return make


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a video of a second as a file's content."""
    return make_video(tmp_path_factory.mktemp("clips") / "clip.mp4").read_bytes()


def send(client: FlaskClient, clip: bytes, name: str = "party.mp4") -> str:
    """Upload a video; return its id among the choices."""
    answer = client.post("/api/jobs", data={"file": (io.BytesIO(clip), name)})
    return f"video-{answer.get_json()['job']['id']}"


def listed(client: FlaskClient) -> Any:
    """Return what there is to choose."""
    return client.get("/api/sources").get_json()


def choose(client: FlaskClient, **body: object) -> tuple[int, Any]:
    """Ask for another video; return the status and the answer."""
    answer = client.post("/api/source", json=body)
    return answer.status_code, answer.get_json()


def refusal(client: FlaskClient, **body: object) -> tuple[int, str]:
    """Ask for another video; return the status and the code of the error."""
    status, answer = choose(client, **body)
    return status, answer["error"]["code"]


def test_everything_that_can_be_chosen_is_listed(make_client: MakeClient, clip: bytes) -> None:
    """The configured source, webcams, the demo clip, the visitor's videos, and addresses without their passwords."""
    client = make_client(allowed_addresses=ADDRESSES)
    video = send(client, clip)
    answer = listed(client)
    assert [(choice["id"], choice["kind"], choice["name"]) for choice in answer["choices"]] == [
        ("configured", "configured", "Automatic"),
        ("camera-0", "camera", "Webcam 0: Front"),
        ("camera-2", "camera", "Webcam 2"),
        ("demo", "demo", "Demo clip"),
        (video, "video", "party.mp4"),
        ("address-0", "address", "rtsp://cam-1/stream"),
    ]
    assert answer["hosts"] == ["http://10.0.0.5:8080/"]
    assert answer["changeable"] is True
    assert answer["current"] == {"id": "configured", "name": "Test card"}
    assert "secret" not in client.get("/api/sources").text


@pytest.mark.parametrize(("source", "other"), [("demo", "demo"), (2, "camera-2"), (ADDRESSES[0], "address-0")])
def test_nothing_is_listed_twice(make_client: MakeClient, source: int | str, other: str) -> None:
    """What the application was started with is not among the rest once more."""
    ids = [choice["id"] for choice in listed(make_client(source, allowed_addresses=ADDRESSES))["choices"]]
    assert "configured" in ids
    assert other not in ids


@pytest.mark.parametrize(
    ("choice", "spec"),
    [("camera-2", 2), ("demo", "demo"), ("address-0", ADDRESSES[0]), ("configured", "auto")],
)
def test_a_choice_changes_what_all_see(
    make_client: MakeClient, camera: FakeCamera, choice: str, spec: int | str
) -> None:
    """The camera turns to it, and the answer says where it stands."""
    client = make_client(allowed_addresses=ADDRESSES)
    status, answer = choose(client, id=choice)
    assert status == 200
    assert camera.chosen == spec
    assert answer["state"] == "opening"
    assert "secret" not in answer["source"]
    assert listed(client)["current"] == {"id": choice, "name": answer["source"]}


def test_a_visitors_own_video(make_client: MakeClient, camera: FakeCamera, clip: bytes, tmp_path: Path) -> None:
    """It is shown as it was sent, under its name; once deleted, what was configured counts as shown."""
    client = make_client()
    video = send(client, clip)
    assert choose(client, id=video)[0] == 200
    assert isinstance(camera.chosen, UploadedVideo)
    assert camera.chosen.path.read_bytes() == clip
    assert camera.chosen.fallback == "auto"
    assert listed(client)["current"] == {"id": video, "name": "party.mp4"}
    client.delete(f"/api/jobs/{video.removeprefix('video-')}")
    assert listed(client)["current"]["id"] == "configured"
    assert refusal(client, id=video) == (404, "no_such_source")


def test_other_visitors_videos_are_not_there(make_client: MakeClient, camera: FakeCamera, clip: bytes) -> None:
    """Nobody else can list or choose a video; who watches is told its name only."""
    client = make_client()
    video = send(client, clip)
    other = client.application.test_client()
    assert video not in [choice["id"] for choice in listed(other)["choices"]]
    assert refusal(other, id=video) == (404, "no_such_source")
    assert camera.chosen == "auto"
    choose(client, id=video)
    assert listed(other)["current"] == {"id": None, "name": "party.mp4"}


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "video-../../etc/passwd", "camera-7", "address-1", "auto", "0", "static/demo.mp4", ""]
)
def test_files_and_whatever_is_not_listed_are_refused(make_client: MakeClient, camera: FakeCamera, name: str) -> None:
    """An id is looked up in the list, and is never a path or a setting."""
    assert refusal(make_client(allowed_addresses=ADDRESSES), id=name) == (404, "no_such_source")
    assert camera.chosen == "auto"


def test_an_address_below_an_allowed_host(make_client: MakeClient, camera: FakeCamera) -> None:
    """It is opened with the care that a stranger's address needs."""
    client = make_client(allowed_addresses=ADDRESSES)
    status, answer = choose(client, address="http://10.0.0.5:8080/live?key=secret")
    assert (status, answer["source"]) == (200, "http://10.0.0.5:8080/live")
    assert camera.chosen == UntrustedAddress("http://10.0.0.5:8080/live?key=secret")
    assert listed(client)["current"]["id"] is None


@pytest.mark.parametrize("address", ["http://10.0.0.5:8080@evil/", "/etc/passwd", "file:///etc/passwd", "demo"])
def test_other_addresses_are_refused(make_client: MakeClient, camera: FakeCamera, address: str) -> None:
    """The error names the setting that allows addresses."""
    client = make_client(allowed_addresses=ADDRESSES)
    status, answer = choose(client, address=address)
    assert (status, answer["error"]["code"]) == (403, "address_not_allowed")
    assert "not allowed here" in answer["error"]["message"]
    assert camera.chosen == "auto"


def test_changing_can_be_switched_off(make_client: MakeClient, camera: FakeCamera) -> None:
    """Then nothing is listed, nothing changes, and the error names the setting."""
    client = make_client(change_source=False, allowed_addresses=ADDRESSES)
    answer = listed(client)
    assert (answer["changeable"], answer["choices"], answer["hosts"]) == (False, [], [])
    status, answer = choose(client, id="demo")
    assert (status, answer["error"]["code"]) == (403, "change_switched_off")
    assert "cannot be changed here" in answer["error"]["message"]
    assert camera.chosen == "auto"


@pytest.mark.parametrize("body", [{}, {"id": "demo", "address": "rtsp://cam-1/stream"}, {"id": 3}, {"id": 200 * "x"}])
def test_a_request_has_to_say_one_thing(make_client: MakeClient, camera: FakeCamera, body: dict[str, object]) -> None:
    """Neither, both, or something else than a text is an error in words."""
    assert refusal(make_client(), **body) == (400, "bad_parameter")
    assert camera.chosen == "auto"


def test_other_sites_cannot_change_the_video(make_client: MakeClient, camera: FakeCamera) -> None:
    """A form on another site's page is refused."""
    answer = make_client().post("/api/source", json={"id": "demo"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert camera.chosen == "auto"
