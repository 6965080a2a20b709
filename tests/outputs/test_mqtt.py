"""Faces by MQTT, over Debian's mosquitto on loopback, which is killed and started again."""

import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from config import MqttSettings, ServerSettings
from entities import EXPRESSIONS, SourceState
from errors import OutputError
from outputs import sender
from outputs.home_assistant import discovery_messages
from outputs.mqtt import MqttSession
from outputs.output import Output
from outputs.sender import Sender
from tests.conftest import missing
from tests.helpers.fake_camera import FakeCamera
from tests.outputs.receivers import PATIENCE, face, frame, free_port, mosquitto, until
from web.serving.certificates import tls_context

TOPIC = "facial-expressions"


class Subscriber:
    """Keeps the newest message of each topic that is not empty."""

    def __init__(self, port: int) -> None:
        self.messages: dict[str, str] = {}
        self._subscribed = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = lambda _, __, message: self._note(message.topic, message.payload.decode())
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("#")
        self._client.loop_start()
        assert self._subscribed.wait(PATIENCE)

    def _note(self, topic: str, payload: str) -> None:
        if payload:
            self.messages[topic] = payload
        else:
            self.messages.pop(topic, None)

    def json(self, topic: str) -> dict[str, Any]:
        """Return what a topic of the app has."""
        return json.loads(self.messages.get(f"{TOPIC}/{topic}", "{}"))

    def stop(self) -> None:
        """Hang up."""
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def subscribed(port: int) -> Iterator[Subscriber]:
    """Subscribe to everything."""
    subscriber = Subscriber(port)
    try:
        yield subscriber
    finally:
        subscriber.stop()


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Return the port of a broker that lets anybody in."""
    number = free_port()
    with mosquitto(tmp_path_factory.mktemp("broker"), number):
        yield number


@pytest.fixture
def session(port: int) -> Iterator[MqttSession]:
    """Return the app's connection to it."""
    session = MqttSession(MqttSettings(broker=f"mqtt://127.0.0.1:{port}", faces=2))
    yield session
    session.close()


def test_who_subscribes_later_knows_all_faces_at_once(session: MqttSession, port: int):
    """There is a message of all and one of each, retained, as the API describes faces; a left slot has none."""
    session.tell(SourceState.LIVE)
    session.send(frame(face(5, "Sad"), face(7, "Happy"), face(9, "Happy", size=4)))
    session.send(frame(face(7, "Happy")))
    with subscribed(port) as subscriber:
        until(lambda: subscriber.json("faces").get("count") == 1)
        faces = subscriber.json("faces")
        until(lambda: f"{TOPIC}/face/2" in subscriber.messages)
        assert subscriber.messages[f"{TOPIC}/camera"] == "live"
        assert f"{TOPIC}/face/1" not in subscriber.messages
        assert subscriber.json("face/2")["id"] == 7
        (only,) = faces["faces"]
        assert (only["id"], only["slot"], only["expression"], only["box"]) == (7, 2, "Happy", [8, 4, 32, 32])
        assert only["valence"] == pytest.approx(0.65)
        assert only["probabilities"].keys() == set(EXPRESSIONS)
        assert (faces["width"], faces["height"]) == (64, 48)


def test_the_status_is_the_brokers_where_the_app_vanishes(port: int):
    """Online, offline after a good end, and offline from the broker, by the last will, after a bad one."""
    settings = MqttSettings(broker=f"mqtt://127.0.0.1:{port}")
    with subscribed(port) as subscriber:
        for vanishes in (False, True):
            session = MqttSession(settings)
            until(lambda: subscriber.messages.get(f"{TOPIC}/status") == "online")
            if vanishes:
                connection: Any = session._client.socket()
                connection.shutdown(socket.SHUT_RDWR)
            else:
                session.close()
            until(lambda: subscriber.messages.get(f"{TOPIC}/status") == "offline")
        with pytest.raises(OutputError, match="hung up"):
            until(lambda: session.check() != "")
        session.close()


def test_what_an_earlier_run_left_is_taken_away(port: int):
    """A run that was killed has cleared nothing."""
    settings = MqttSettings(broker=f"mqtt://127.0.0.1:{port}", topic="left/behind")
    with subscribed(port) as subscriber:
        killed = MqttSession(settings)
        killed.send(frame(face(1)))
        until(lambda: "left/behind/face/1" in subscriber.messages)
        killed.close()
        again = MqttSession(settings)
        again.send(frame())
        until(lambda: "left/behind/face/1" not in subscriber.messages)
        again.close()


def test_a_broker_that_is_killed_and_started_again_has_all_again(
    tmp_path: Path, camera: FakeCamera, monkeypatch: pytest.MonkeyPatch
):
    """Meanwhile the status says that it is gone, and frames go on."""
    monkeypatch.setattr(sender, "FIRST_RETRY", 0.01)
    monkeypatch.setattr(sender, "LAST_RETRY", 0.02)
    port = free_port()
    settings = MqttSettings(broker=f"mqtt://127.0.0.1:{port}", rate=60)
    output = Sender(Output("MQTT", settings.rate, lambda: MqttSession(settings)), camera.as_camera())
    with mosquitto(tmp_path, port) as broker:
        output.start()
        until(lambda: output.sent > 0, camera, frame(face(1)))
        broker.kill()
        until(lambda: output.status.state == "reconnecting", camera)
        until(lambda: output.status.reason.startswith(f"No broker listens at 127.0.0.1:{port}"), camera)
    with mosquitto(tmp_path, port), subscribed(port) as subscriber:
        until(lambda: subscriber.json("faces").get("count") == 1, camera, frame(face(1)))
        assert subscriber.messages[f"{TOPIC}/status"] == "online"
        assert "homeassistant/sensor/facial-expressions/faces/config" in subscriber.messages
        output.close()


def test_a_password_from_a_file_and_encryption(tmp_path: Path):
    """A broker of one's own, with its own certificate; who is not let in is told what to check."""
    passwords, password = tmp_path / "passwords", tmp_path / "password"
    password.write_text("a secret\n")
    tool = shutil.which("mosquitto_passwd") or missing("no mosquitto installed")
    subprocess.run([tool, "-b", "-c", passwords, "faces", "a secret"], check=True, capture_output=True)
    tls_context(ServerSettings(), {"127.0.0.1"}, tmp_path)  # makes both files
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    port = free_port()
    lock = f"allow_anonymous false\npassword_file {passwords}\ncertfile {certificate}\nkeyfile {key}"
    trusted = MqttSettings(broker=f"mqtts://127.0.0.1:{port}", user="faces", ca_certificate=certificate)
    with mosquitto(tmp_path, port, lock):
        session = MqttSession(trusted.model_copy(update={"password_file": password}))
        session.send(frame(face(1)))
        session.close()
        with pytest.raises(OutputError, match=r"refuses the app .*Check user and password"):
            MqttSession(trusted.model_copy(update={"password": "a guess"}))
        with pytest.raises(OSError, match="certificate verify failed"):
            MqttSession(trusted.model_copy(update={"ca_certificate": None}))
        with pytest.raises(OutputError, match=r"nowhere cannot be read.*password_file"):
            MqttSession(trusted.model_copy(update={"password_file": tmp_path / "nowhere"}))


def test_what_is_no_broker_is_said(monkeypatch: pytest.MonkeyPatch):
    """Something else may listen at a port."""
    monkeypatch.setattr("outputs.mqtt.ANSWER_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(OutputError, match="does not answer as a broker does"):
            MqttSession(MqttSettings(broker=f"mqtt://127.0.0.1:{port}"))


def test_home_assistant_gets_three_entities_of_one_device():
    """Their templates, rendered as it does, give the first face's expression and the number of faces."""
    messages = dict(discovery_messages(MqttSettings(topic="hall/faces")))
    assert set(messages) == {
        f"homeassistant/sensor/hall_faces/{key}/config" for key in ("expression", "faces", "camera")
    }
    assert len({message["unique_id"] for message in messages.values()}) == 3
    assert {message["availability_topic"] for message in messages.values()} == {"hall/faces/status"}
    expression, faces, camera = messages.values()
    render = Environment(autoescape=False).from_string  # noqa: S701 - as Home Assistant does; no HTML

    def shown(*described: dict[str, object]) -> str:
        return render(expression["value_template"]).render(value_json={"faces": described})

    sad = {"expression": "Sad", "uncertain": False}
    assert [shown(), shown(sad), shown(sad | {"uncertain": True}, sad)] == ["Nobody", "Sad", "Uncertain"]
    assert {"Nobody", "Sad", "Uncertain"} <= set(expression["options"])
    assert render(faces["value_template"]).render(value_json={"count": 2}) == "2"
    assert (camera["state_topic"], camera["options"]) == ("hall/faces/camera", [state.value for state in SourceState])
    assert list(discovery_messages(MqttSettings(discovery=""))) == []
