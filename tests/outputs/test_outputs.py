"""Outputs: faces keep their slots, no receiver slows a frame, and who is away is looked for again and named."""

import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, repeat
from math import inf
from typing import Any

import numpy as np
import pytest

from app import create_app
from config import Settings, load_settings
from entities import SourceState, SourceStatus
from errors import ConfigError, MissingLibraryError, OutputError
from outputs import sender
from outputs.face_slots import FaceSlots
from outputs.output import Output, Session
from outputs.sender import BACKLOG, Sender
from tests.helpers.fake_camera import FakeCamera, frame_result
from tests.outputs.receivers import HeldSession, face, frame, until

START = Callable[..., Sender]


@pytest.fixture
def start(camera: FakeCamera, monkeypatch: pytest.MonkeyPatch) -> Iterator[START]:
    """Return a function that starts an output, which is closed after the test; it tries again after little time."""
    monkeypatch.setattr(sender, "FIRST_RETRY", 0.01)
    monkeypatch.setattr(sender, "POLL_SECONDS", 0.01)
    senders: list[Sender] = []

    def started(opened: Callable[[], Session], rate: float = inf) -> Sender:
        senders.append(Sender(Output("Test to nowhere", rate, opened), camera.as_camera()))
        senders[-1].start()
        return senders[-1]

    yield started
    for each in senders:
        each.close()


def numbers(slots: list[Any]) -> list[int | None]:
    """Return the number of the face in each slot."""
    return [None if each is None else each.track_id for each in slots]


def test_a_face_keeps_its_slot_while_it_is_followed():
    """Others come and go; the larger of new ones come first, and who finds no room waits for it."""
    slots = FaceSlots(2)
    assert numbers(slots.update([face(1, size=10), face(2, size=30), face(3, size=20)])) == [2, 3]
    assert numbers(slots.update([face(1, size=40), face(3)])) == [1, 3]
    assert numbers(slots.update([face(3)])) == [None, 3]
    assert numbers(slots.update([])) == [None, None]


def test_a_slow_receiver_delays_nobody_and_loses_the_oldest_frames(start: START, camera: FakeCamera):
    """The camera's thread only leaves frames; of more than may wait, the newest stay, in order, and the rest counts."""
    session = HeldSession()
    session.allowed.clear()
    output = start(lambda: session)
    until(lambda: output.status.state == "connected")
    camera.publish(frame_result(0))
    assert session.entered.wait(60)
    for index in range(1, BACKLOG + 8):
        camera.publish(frame_result(index))
    session.allowed.set()
    until(lambda: output.sent == 1 + BACKLOG)
    assert [result.index for result in session.frames] == [0, *range(8, BACKLOG + 8)]
    assert output.dropped == 7


def test_pictures_are_not_kept(start: START, camera: FakeCamera):
    """Frames that wait for a receiver take little memory."""
    session = HeldSession()
    start(lambda: session)
    until(lambda: bool(session.frames), camera, replace(frame_result(0), image=np.zeros((48, 64, 3), np.uint8)))
    assert all(result.image is None for result in session.frames)


def test_the_camera_runs_as_long_as_an_output_does(start: START, camera: FakeCamera):
    """Nobody has to watch."""
    output = start(HeldSession)
    until(lambda: camera.viewers == 1)
    output.close()
    assert camera.viewers == 0


def test_a_receiver_that_is_away_is_looked_for_until_it_is_there(start: START, camera: FakeCamera):
    """The status says why it is not there; frames of that time are dropped, so that it gets what is new."""
    session, tries = HeldSession(), threading.Semaphore(0)
    answers: Iterator[Exception | Session]
    answers = chain([OutputError("Nobody listens."), OSError("no route")], repeat(session))

    def opened() -> Session:
        tries.acquire()
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    output = start(opened)
    assert (output.status.state, output.status.reason) == ("connecting", "")
    tries.release()
    until(lambda: output.status.reason == "Nobody listens.")
    assert output.status.state == "reconnecting"
    camera.publish(frame_result(1))
    tries.release()
    until(lambda: "no route" in output.status.reason)
    tries.release()
    until(lambda: output.status.state == "connected")
    camera.publish(frame_result(2))
    until(lambda: output.sent == 1)
    assert [result.index for result in session.frames] == [2]
    assert output.dropped == 1


def test_a_receiver_that_vanishes_is_hung_up_and_looked_for(start: START):
    """Whatever a library raises, the output goes on."""
    sessions = [HeldSession(), HeldSession()]
    output = start(iter(sessions).__next__)
    until(lambda: output.status.state == "connected")
    sessions[0].lost = "It hung up."
    until(lambda: sessions[0].closed == 1)
    until(lambda: bool(sessions[1].told))
    assert output.status.state == "connected"


def test_a_camera_that_is_lost_has_no_faces(start: START, camera: FakeCamera):
    """Receivers are told so, with the camera's state, and do not go on with the last faces."""
    session = HeldSession()
    start(lambda: session)
    until(lambda: len(session.frames) > 0, camera)
    assert session.frames[-1].faces
    camera.status = SourceStatus(SourceState.RECONNECTING, "Door", "It is gone.")
    until(lambda: session.told == [SourceState.LIVE, SourceState.RECONNECTING])
    until(lambda: session.frames[-1].faces == ())


def test_no_more_frames_are_sent_than_the_rate_allows(start: START, camera: FakeCamera):
    """Of a second at 30 frames, unevenly captured, a rate of 10 leaves ten and the first; at 30 all of them go."""
    sessions = [HeldSession(), HeldSession()]
    outputs = [start(lambda: sessions[0], rate=10), start(lambda: sessions[1], rate=30)]
    until(lambda: all(output.status.state == "connected" for output in outputs))
    for index in range(30):
        camera.publish(frame(captured_at=100 + index / 30 + 0.01 * (index % 2)))
    until(lambda: outputs[1].sent == 30)
    until(lambda: outputs[0].sent >= 11)
    assert outputs[0].sent == 11


def test_status_and_metrics_say_where_outputs_stand(camera: FakeCamera, monkeypatch: pytest.MonkeyPatch):
    """Before it is started, when nobody listens, and with the frames that were dropped."""
    monkeypatch.setattr(sender, "FIRST_RETRY", 60.0)
    app = create_app(load_settings({"outputs.osc.receivers": "127.0.0.1:9"}, None, {}), camera.as_camera())
    client = app.test_client()
    told = {"name": "OSC to 127.0.0.1:9", "state": "connecting", "reason": ""}
    assert client.get("/api/status").get_json()["outputs"] == [told]
    assert 'fer_output_connected{output="OSC to 127.0.0.1:9"} 0.0' in client.get("/metrics").text
    (output,) = app.extensions["facial_expression"].outputs
    output.start()
    until(lambda: output.status.state == "reconnecting")
    told = client.get("/api/status").get_json()["outputs"][0]
    assert told["reason"] == "Nobody listens at 127.0.0.1:9. Start the program that should, or check its port."
    for _ in range(BACKLOG + 1):
        camera.publish()
    assert 'fer_output_dropped_total{output="OSC to 127.0.0.1:9"} 1.0' in client.get("/metrics").text
    output.close()


def test_outputs_are_off_by_default(camera: FakeCamera):
    """Nothing leaves the app unasked, and no library is needed."""
    app = create_app(Settings(), camera.as_camera())
    assert app.extensions["facial_expression"].outputs == []


@pytest.mark.parametrize(
    ("library", "module", "setting"),
    [
        ("pythonosc", "outputs.osc", {"outputs.osc.receivers": "127.0.0.1:9000"}),
        ("paho", "outputs.mqtt", {"outputs.mqtt.broker": "mqtt://127.0.0.1:1883"}),
        ("pylsl", "outputs.lsl", {"outputs.lsl.enabled": "true"}),
    ],
)
def test_a_missing_library_names_the_line_that_installs_it(
    camera: FakeCamera, monkeypatch: pytest.MonkeyPatch, library: str, module: str, setting: dict[str, object]
):
    """At the start, not in the middle of a session."""
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, "training", raising=False)  # whose own line would be named
    for name in [name for name in sys.modules if name.startswith((f"{library}.", module))]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingLibraryError, match=r"is not installed.*\n.*outputs.txt"):
        create_app(load_settings(setting, None, {}), camera.as_camera())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("osc.receivers", "127.0.0.1"),
        ("osc.receivers", "127.0.0.1:0"),
        ("osc.receivers", "127.0.0.1:70000"),
        ("osc.prefix", "stage"),
        ("osc.faces", "0"),
        ("mqtt.broker", "127.0.0.1:1883"),
        ("mqtt.broker", "http://127.0.0.1:1883"),
        ("mqtt.broker", "mqtt://user@127.0.0.1:1883"),
        ("mqtt.topic", "faces/#"),
        ("mqtt.topic", "faces/"),
        ("lsl.faces", "21"),
        ("lsl.markers", "it's"),
    ],
)
def test_wrong_settings_are_named(name: str, value: str):
    """The error says which and what it is for."""
    with pytest.raises(ConfigError, match=rf"outputs\.{name} = "):
        load_settings({f"outputs.{name}": value}, None, {})
