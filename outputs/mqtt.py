"""Faces by MQTT: a topic a face and a JSON of all, retained, for brokers and for Home Assistant."""

import json
import threading
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from analysis.output.tables import face_record
from config import MqttSettings
from entities import Face, FrameResult, SourceState
from errors import OutputError
from expressions.valence import valence
from outputs.face_slots import FaceSlots
from outputs.home_assistant import discovery_messages

ANSWER_SECONDS: Final = 5.0
"""Seconds that a broker has to answer, and to take a message."""
KEEP_ALIVE: Final = 10
"""Seconds of silence after which the broker is asked whether it is still there."""


class MqttSession:
    """One broker. Whatever ends the connection makes an error of the next call.

    Raises:
        OutputError: The broker does not answer, or does not let the app in.
        OSError: There is no broker.

    """

    def __init__(self, settings: MqttSettings) -> None:
        self._settings, self._broker = settings, urlsplit(settings.broker or "")
        self._slots = FaceSlots(settings.faces)
        self._in_use = [True] * settings.faces  # what an earlier run left at the broker is taken away
        self._answered = threading.Event()
        self._refused = self._lost = ""
        self._client = self._make_client()
        try:
            self._connect()
            self._publish("status", "online")
            for topic, message in discovery_messages(settings):
                self._send(topic, json.dumps(message))
        except BaseException:
            self.close()
            raise

    def send(self, frame: FrameResult) -> None:
        """Send all faces as one message, and each under its own topic; the topic of one that has left is emptied."""
        slots = self._slots.update(frame.faces)
        moment = round(time.time() - time.monotonic() + frame.captured_at, 3)
        size = {"time": moment, "width": frame.width, "height": frame.height}
        faces = {number: describe(face) | {"slot": number} for number, face in enumerate(slots, 1) if face}
        for number in range(1, len(slots) + 1):
            if number in faces:
                self._publish(f"face/{number}", json.dumps(size | faces[number]))
            elif self._in_use[number - 1]:
                self._publish(f"face/{number}", "")
        self._in_use = [face is not None for face in slots]
        last = self._publish("faces", json.dumps(size | {"count": len(frame.faces), "faces": list(faces.values())}))
        last.wait_for_publish(ANSWER_SECONDS)
        if not last.is_published():
            raise OutputError(self._lost or "The broker takes no messages.")

    def tell(self, state: SourceState) -> None:
        """Send the camera's state."""
        self._publish("camera", state.value)

    def check(self) -> str:
        """Return nothing; raise OutputError where the broker refused the app, or has gone."""
        if problem := self._refused or self._lost:
            raise OutputError(problem)
        return ""

    def close(self) -> None:
        """Say that the app goes, and hang up; without that, the broker says so itself."""
        self._client.publish(f"{self._settings.topic}/status", "offline", retain=True)
        self._client.disconnect()
        self._client.loop_stop()

    def _connect(self) -> None:
        host = self._broker.netloc
        try:
            self._client.connect(self._broker.hostname or "", self._broker.port or 0, KEEP_ALIVE)
        except ConnectionRefusedError as error:
            raise OutputError(f"No broker listens at {host}. Start it, or check its port.") from error
        self._client.loop_start()
        if not self._answered.wait(ANSWER_SECONDS):
            raise OutputError(f"What listens at {host} does not answer as a broker does.")
        self.check()

    def _make_client(self) -> Client:
        settings = self._settings
        client = Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
        client.connect_timeout = ANSWER_SECONDS
        client.will_set(f"{settings.topic}/status", "offline", retain=True)
        password = _first_line(settings.password_file) if settings.password_file else settings.password
        if settings.user is not None:
            client.username_pw_set(settings.user, password)
        if self._broker.scheme == "mqtts":
            client.tls_set(ca_certs=str(settings.ca_certificate) if settings.ca_certificate else None)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        return client

    def _publish(self, topic: str, payload: str) -> MQTTMessageInfo:
        return self._send(f"{self._settings.topic}/{topic}", payload)

    def _send(self, topic: str, payload: str) -> MQTTMessageInfo:
        """Have the broker keep a message for who subscribes later; an empty one takes it away."""
        info = self._client.publish(topic, payload, retain=True)
        if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise OutputError(self._lost or "The broker is gone.")
        return info

    def _on_connect(self, _: Client, __: Any, flags: ConnectFlags, reason: ReasonCode, ___: Properties | None) -> None:
        del flags
        if reason.is_failure:
            self._refused = f"The broker refuses the app ({reason}). Check user and password in [outputs.mqtt]."
        self._answered.set()

    def _on_disconnect(
        self, _: Client, __: Any, flags: DisconnectFlags, reason: ReasonCode, ___: Properties | None
    ) -> None:
        del flags
        self._lost = f"The broker has hung up ({reason})."
        self._answered.set()


def describe(face: Face) -> dict[str, Any]:
    """Return what the API says of a face, with its valence."""
    return face_record(face) | {"valence": round(valence(face.probabilities), 4)}


def _first_line(path: Path) -> str:
    try:
        return path.read_text("utf-8").split("\n", 1)[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(f"{path.name} cannot be read ({error}). Check outputs.mqtt.password_file.") from error
