"""Several cameras at once: their settings, which one a request means, one network for all, and a lost one."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

import app as app_module
from app import create_app
from config import Settings, load_settings, settings_by_camera
from entities import SourceState, SourceStatus
from errors import ConfigError, RestError
from expressions.resting import RestingFace
from outputs.choice import named
from tests.helpers.fake_camera import FakeCamera
from tests.helpers.footage import FixedClassifier, make_video
from tests.helpers.network_cameras import network_camera, says, serves_rtsp
from tests.helpers.stand_ins import first, is_message, looks
from web.services import EXTENSION

TWO = {"cameras": [{"name": "left", "source": "a.mp4"}, {"name": "right", "source": 1, "detector": "haar"}]}


@pytest.fixture
def cameras() -> Iterator[dict[str, FakeCamera]]:
    """Return two cameras."""
    both = {name: FakeCamera(FixedClassifier("Happy")) for name in ("left", "right")}
    yield both
    for camera in both.values():
        camera.close()


@pytest.fixture
def app(cameras: dict[str, FakeCamera]) -> Flask:
    """Return an application that shows both."""
    return create_app(Settings.model_validate(TWO), {name: each.as_camera() for name, each in cameras.items()})


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return a visitor."""
    return app.test_client()


@pytest.fixture
def no_file(tmp_path: Path) -> list[str]:
    """Return options that keep the developer's own settings out."""
    path = tmp_path / "empty.toml"
    path.touch()
    return ["--config", str(path)]


def test_a_file_names_cameras(tmp_path: Path):
    """Each with a source, beside the file if it is one, and a detector where it is another one."""
    (tmp_path / "clip.mp4").touch()
    (tmp_path / "config.toml").write_text(
        '[[cameras]]\nname = "left"\nsource = "clip.mp4"\n[[cameras]]\nname = "right"\nsource = 1\ndetector = "haar"\n'
    )
    each = settings_by_camera(load_settings(None, tmp_path / "config.toml", {}))
    assert {name: (own.source, own.detector.kind) for name, own in each.items()} == {
        "left": (str(tmp_path / "clip.mp4"), "auto"),
        "right": (1, "haar"),
    }


def test_several_sources_are_cameras_and_one_is_what_it_was(no_file: list[str]):
    """With names or without; a single address may have "=" in it."""
    several = app_module.parse([*no_file, "--source", "door=0", "--source", "rtsp://host/a?b=c"])
    assert [(camera.name, camera.source) for camera in several.cameras] == [("door", 0), ("2", "rtsp://host/a?b=c")]
    one = app_module.parse([*no_file, "--source", "a=b.mp4"])
    assert (one.source, one.cameras) == ("a=b.mp4", ())
    assert settings_by_camera(one) == {"": one}


def test_a_source_takes_the_place_of_the_files_cameras(tmp_path: Path):
    """Whoever names one on the command line, or in the environment, wants to see that one."""
    file = tmp_path / "config.toml"
    file.write_text('[[cameras]]\nname = "left"\nsource = 0\n')
    assert load_settings({"source": "demo"}, file, {}).cameras == ()
    assert load_settings(None, file, {"FER_SOURCE": "demo"}).cameras == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[cameras]]\nname = "a b"\nsource = 0', "cameras.0.name = 'a b'"),
        ('[[cameras]]\nname = "a"\nsource = 0\nkind = "haar"', "there is no setting cameras.0.kind. Known here: "),
        ('[[cameras]]\nname = "a"', "cameras.0.source"),
        ("cameras = 5", "cameras = 5 is not allowed; it must be a list. Several cameras"),
        ('[[cameras]]\nname = "a"\nsource = 0\n' * 2, "Two cameras have the name a. Give each another one."),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, words: str):
    """The error says which camera, and what is wrong with it."""
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_settings(None, tmp_path / "config.toml", {})
    assert words in str(caught.value)


def test_twenty_sources_by_mistake_are_refused(no_file: list[str]):
    """A pattern that the shell expands is no wall of cameras."""
    sources = [part for number in range(20) for part in ("--source", f"{number}.mp4")]
    with pytest.raises(ConfigError, match="20 cameras are named, and max_cameras allows 4"):
        app_module.parse([*no_file, *sources])
    assert len(app_module.parse([*no_file, *sources, "--set", "max_cameras=20"]).cameras) == 20


def test_a_request_means_the_camera_that_it_names(client: FlaskClient, cameras: dict[str, FakeCamera]):
    """Else the first; one that is not there is an error that names those that are."""
    cameras["right"].status = SourceStatus(SourceState.RECONNECTING, "Door", "It is gone.")
    assert client.get("/api/status").get_json()["state"] == "live"
    assert client.get("/api/status?camera=left").get_json()["state"] == "live"
    right = client.get("/api/status?camera=right").get_json()
    assert (right["state"], right["reason"]) == ("reconnecting", "It is gone.")
    assert [(each["name"], each["state"]) for each in right["cameras"]] == [("left", "live"), ("right", "reconnecting")]
    for path in ("/api/status", "/video_feed", "/api/events", "/api/live", "/api/sources"):
        answer = client.get(f"{path}?camera=middle")
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "no_such_camera")
        assert "left, right" in answer.get_json()["error"]["message"]


def test_a_single_camera_has_no_name(camera: FakeCamera):
    """A name is refused there, rather than taken for that camera's."""
    client = create_app(Settings(), camera.as_camera()).test_client()
    answer = client.get("/api/status?camera=left")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "no_such_camera")
    assert client.get("/api/status").get_json()["cameras"] == []


def test_frames_and_streams_are_of_that_camera(client: FlaskClient, cameras: dict[str, FakeCamera]):
    """Each frame says which camera's it is; the picture is that camera's, too."""
    cameras["left"].publish()
    for _ in range(3):
        cameras["right"].publish()
    for name, index in (("left", 0), ("right", 2)):
        with client.get(f"/api/events?camera={name}", buffered=False) as response:
            lines = (line for part in response.iter_encoded() for line in part.decode().splitlines())
            frames = (json.loads(line[6:]) for line in lines if line.startswith("data: "))
            frame = next(frame for frame in frames if "index" in frame)
        assert (frame["camera"], frame["index"]) == (name, index)
        with client.get(f"/video_feed?camera={name}", buffered=False) as response:
            assert b"#%06d" % index in b"".join(islice(response.iter_encoded(), 2))


def test_a_changed_source_and_a_resting_face_are_of_that_camera(client: FlaskClient, cameras: dict[str, FakeCamera]):
    """The other one goes on as it was; the faces of the new video have other numbers."""
    client.post("/api/source?camera=right", json={"id": "demo"})
    assert (cameras["left"].chosen, cameras["right"].chosen) == ("auto", "demo")
    rest = dict.fromkeys(("Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise"), 0.1) | {"Neutral": 0.4}
    answer = client.put("/api/live/rest?camera=right&face=8", json={"resting_face": rest})
    assert answer.status_code == 204
    assert (list(cameras["left"].compared), list(cameras["right"].compared)) == ([], [8])


def test_metrics_are_by_camera(client: FlaskClient, cameras: dict[str, FakeCamera]):
    """Frames, faces, stages and states have the label; those of a single camera do not."""
    cameras["right"].publish()
    text = client.get("/metrics").text
    assert 'fer_frames_total{camera="right"} 1.0' in text
    assert 'fer_source_state{camera="left",state="live"} 1.0' in text
    assert 'fer_stage_seconds_count{camera="right",stage="detect"} 1.0' in text


def test_outputs_have_the_cameras_name_in_every_address():
    """And none where there is only one."""
    settings = Settings.model_validate({"outputs": {"osc": {"prefix": "/stage"}}}).outputs
    left = named(settings, "left")
    assert (left.osc.prefix, left.mqtt.topic, left.lsl.name) == (
        "/stage/left",
        "facial-expressions/left",
        "expressions-left",
    )
    assert named(settings, "") is settings


def test_a_camera_that_is_lost_leaves_the_other_alone(tmp_path: Path, impatient: None):
    """A file and a network camera by RTSP at once: the stream breaks off and comes back, and the file goes on."""
    with network_camera(serves_rtsp([70] * 20), says("404 Not Found"), serves_rtsp([80] * 500)) as network:
        sources = {"file": str(make_video(tmp_path / "a.mp4")), "net": f"rtsp://127.0.0.1:{network.port}/stream"}
        cameras = [{"name": name, "source": source} for name, source in sources.items()]
        app = create_app(Settings.model_validate({"cameras": cameras}), classifier=FixedClassifier())
        of = app.extensions[EXTENSION].of
        watching = {name: of(name).camera.results() for name in sources}
        first(watching["net"], looks(70))
        assert not is_message(first(watching["file"], lambda result: not is_message(result)))
        first(watching["net"], is_message)
        before = of("file").camera.latest()
        first(watching["file"], lambda result: not is_message(result) and result is not before)
        assert of("file").camera.status.state == "live"
        first(watching["net"], looks(80))
        for name in sources:
            of(name).camera.close()


def test_a_camera_knows_the_resting_face_of_the_person_before_it(tmp_path: Path):
    """It is read when the app starts: a wrong file is an error then."""
    path = tmp_path / "anna.json"
    camera = {"name": "left", "source": "demo", "rest": path}
    settings = Settings.model_validate({"cameras": [camera]})
    with pytest.raises(RestError, match=r"There is no file .*anna\.json"):
        create_app(settings)
    rest = RestingFace.of([0.3, 0.05, 0.05, 0.05, 0.05, 0.1, 0.4])
    path.write_text(json.dumps({"resting_face": rest.record()}))
    create_app(settings)
