"""Faces by the Lab Streaming Layer: a stream of figures and one of changes, at the times of capture.

Channels and their units are in the streams' descriptions, as https://github.com/sccn/xdf/wiki/Meta-Data names them.
"""

import socket
import time
from math import nan
from typing import Final

import pylsl

from config import VERSION, LslSettings
from entities import EXPRESSIONS, Face, FrameResult, SourceState
from expressions.valence import valence
from outputs.face_slots import FaceSlots
from outputs.output import shown_expression

CHANNELS: Final = (
    *((name, "Probability", "0-1") for name in EXPRESSIONS),
    ("valence", "Valence", "-1 to 1"),
    ("confidence", "Probability", "0-1"),
    ("x", "Position", "pixels"),
    ("y", "Position", "pixels"),
    ("width", "Size", "pixels"),
    ("roll", "Orientation", "degrees"),
    ("yaw", "Orientation", "degrees"),
    ("number", "Identifier", "number"),
)
"""Label, type and unit of what each face has; x and y are of the box's upper left corner, and `number` is the face's on
the page."""


class LslSession:
    """Two streams in the network, for whoever reads them; without a reader there is nothing amiss."""

    def __init__(self, settings: LslSettings) -> None:
        self._slots = FaceSlots(settings.faces)
        self._figures = pylsl.StreamOutlet(_figures_info(settings))
        self._changes = pylsl.StreamOutlet(_changes_info(settings))
        self._shown: dict[int, str] = {}
        """The expression that is shown, by the face's number."""

    def send(self, frame: FrameResult) -> None:
        """Send a frame's faces, and what has changed."""
        moment = _to_lsl(frame.captured_at)
        self._figures.push_sample(
            [value for face in self._slots.update(frame.faces) for value in _values(face)], moment
        )
        shown = {face.track_id: shown_expression(face) for face in frame.faces}
        for number in self._shown.keys() - shown.keys():
            self._changes.push_sample([f"face {number}: gone"], moment)
        for number, expression in shown.items() - self._shown.items():
            self._changes.push_sample([f"face {number}: {expression}"], moment)
        self._shown = shown

    def tell(self, state: SourceState) -> None:
        """Send the camera's state as a change."""
        self._changes.push_sample([f"camera: {state.value}"])

    def check(self) -> str:
        """Return a word on it where nobody reads."""
        read = self._figures.have_consumers() or self._changes.have_consumers()
        return "" if read else "Nobody reads it now."

    def close(self) -> None:
        """Take the streams back, which the library does with the last reference to them."""
        del self._figures, self._changes


def _figures_info(settings: LslSettings) -> pylsl.StreamInfo:
    info = pylsl.StreamInfo(
        settings.name,
        "Expressions",
        settings.faces * len(CHANNELS),
        pylsl.IRREGULAR_RATE,
        pylsl.cf_float32,
        _source_id(settings.name),
    )
    channels = info.desc().append_child("channels")
    for slot in range(1, settings.faces + 1):
        for label, kind, unit in CHANNELS:
            channel = channels.append_child("channel")
            channel.append_child_value("label", f"face{slot}_{label}")
            channel.append_child_value("unit", unit)
            channel.append_child_value("type", kind)
    _describe_maker(info)
    return info


def _changes_info(settings: LslSettings) -> pylsl.StreamInfo:
    name = f"{settings.name}-changes"
    info = pylsl.StreamInfo(name, "Markers", 1, pylsl.IRREGULAR_RATE, pylsl.cf_string, _source_id(name))
    _describe_maker(info)
    return info


def _source_id(name: str) -> str:
    """Return what is the same after a restart, by which readers find a stream again."""
    return f"{name}@{socket.gethostname()}"


def _describe_maker(info: pylsl.StreamInfo) -> None:
    acquisition = info.desc().append_child("acquisition")
    acquisition.append_child_value("model", "facial-expressions")
    acquisition.append_child_value("version", VERSION)


def _values(face: Face | None) -> list[float]:
    """Return the channels of a slot; not a number where it is free, or where the detector does not tell."""
    if face is None:
        return [nan] * len(CHANNELS)
    angles = [nan if angle is None else angle for angle in (face.roll, face.yaw)]
    box = face.box
    figures = [valence(face.probabilities), face.confidence, box.x, box.y, box.width, *angles, face.track_id]
    return [float(value) for value in (*face.probabilities, *figures)]


def _to_lsl(moment: float) -> float:
    """Return a moment of `time.monotonic` on the clock of LSL, which may begin elsewhere."""
    return pylsl.local_clock() - (time.monotonic() - moment)
