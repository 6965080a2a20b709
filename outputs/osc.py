"""Faces by Open Sound Control over UDP: a bundle a frame, with the time of its capture."""

import socket
import time
from typing import Final

from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from config import OscSettings
from entities import EXPRESSIONS, Face, FrameResult, SourceState
from errors import OutputError
from expressions.valence import valence
from outputs.face_slots import FaceSlots
from outputs.output import shown_expression

ANSWER_SECONDS: Final = 0.1
"""Seconds in which a computer says that nobody listens at a port, if it says so at all."""

Value = float | int | str


class OscSession:
    """One receiver.

    UDP has no connections: that a receiver is missing is known only where its computer says so, as this one does.

    Raises:
        OutputError: Nobody listens there.
        OSError: There is no such host.

    """

    def __init__(self, receiver: str, settings: OscSettings) -> None:
        self._receiver, self._prefix = receiver, settings.prefix
        self._slots = FaceSlots(settings.faces)
        self._in_use = [False] * settings.faces
        host, _, port = receiver.rpartition(":")
        family, kind, protocol, _, address = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)[0]
        self._socket = socket.socket(family, kind, protocol)
        try:
            self._socket.connect(address)
            self._ask()
        except BaseException:
            self.close()
            raise

    def send(self, frame: FrameResult) -> None:
        """Send the faces of a frame; of a slot whose face has left, once, that it is free."""
        slots = self._slots.update(frame.faces)
        moment = time.time() - time.monotonic() + frame.captured_at
        bundle = OscBundleBuilder(moment)  # type: ignore[arg-type]  # a fraction of a second counts
        bundle.add_content(self._message("faces", len(frame.faces)))
        for number, face in enumerate(slots, 1):
            values = _values(face, frame) if face else _GONE if self._in_use[number - 1] else {}
            for name, value in values.items():
                bundle.add_content(self._message(f"face/{number}/{name}", *value))
        self._in_use = [face is not None for face in slots]
        self._send(bundle.build())

    def tell(self, state: SourceState) -> None:
        """Send the camera's state."""
        bundle = OscBundleBuilder(IMMEDIATELY)
        bundle.add_content(self._message("camera", state.value))
        self._send(bundle.build())

    def check(self) -> str:
        """Return nothing: there is no connection that could be looked at."""
        return ""

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()

    def _ask(self) -> None:
        """Send nothing, and wait whether the other computer says that nobody listens."""
        self._send(OscBundleBuilder(IMMEDIATELY).build())
        self._socket.settimeout(ANSWER_SECONDS)
        try:
            self._socket.recv(1)
        except TimeoutError:
            pass  # who listens says nothing
        except ConnectionRefusedError as error:
            raise self._refused() from error

    def _message(self, path: str, *values: Value) -> OscMessage:
        builder = OscMessageBuilder(f"{self._prefix}/{path}")
        for value in values:
            builder.add_arg(value)
        return builder.build()

    def _send(self, bundle: OscBundle) -> None:
        try:
            self._socket.send(bundle.dgram)
        except ConnectionRefusedError as error:
            raise self._refused() from error

    def _refused(self) -> OutputError:
        return OutputError(f"Nobody listens at {self._receiver}. Start the program that should, or check its port.")


_GONE: Final[dict[str, tuple[Value, ...]]] = {"id": (0,), "expression": ("",)}
"""What is sent once of a slot that is free again."""


def _values(face: Face, frame: FrameResult) -> dict[str, tuple[Value, ...]]:
    """Return what is told of a face, by the end of its address; places and sizes are shares of the picture's."""
    box = face.box
    place = (box.x / frame.width, box.y / frame.height, box.width / frame.width, box.height / frame.height)
    values: dict[str, tuple[Value, ...]] = {
        "id": (face.track_id,),
        "expression": (shown_expression(face),),
        "confidence": (float(face.confidence),),
        "valence": (float(valence(face.probabilities)),),
        "box": place,
    }
    probabilities = zip(EXPRESSIONS, face.probabilities, strict=True)
    values |= {name.lower(): (float(probability),) for name, probability in probabilities}
    values |= {name: (float(angle),) for name in ("roll", "yaw") if (angle := getattr(face, name)) is not None}
    return values
