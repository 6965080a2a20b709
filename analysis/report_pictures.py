"""What the report of a run can show of a file: its faces, and its strongest moments."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

_FACES: Final = 3
"""Faces of a file that are shown: those seen longest."""
_WIDTH: Final = 480
"""Pixels to which pictures of moments are shrunk."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A file's strongest moment of one expression."""

    expression: str
    confidence: float
    """0-1."""
    time: float
    """Seconds."""
    path: Path
    """JPEG of the frame."""

    def address(self) -> str:
        """Return the picture, shrunk, as a data: address; empty where it is gone."""
        if not self.path.is_file():
            return ""
        image = cv2.imdecode(np.fromfile(self.path, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            return ""
        scale = min(1.0, _WIDTH / image.shape[1])
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        return f"data:image/jpeg;base64,{base64.b64encode(cv2.imencode('.jpg', small)[1].tobytes()).decode()}"


@dataclass(frozen=True, slots=True)
class Portrait:
    """A small picture of a face."""

    title: str
    """What somebody called the face, or its number."""
    address: str
    """A data: address."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pictures of one file."""

    faces: tuple[Portrait, ...] = ()
    moments: tuple[Moment, ...] = ()


def pictures_of(folder: Path) -> Pictures:
    """Return what a file's own folder of results has to show; nothing where it is gone."""
    told = _told(folder / "summary.json") or _told(folder / "faces.json")
    faces = [
        Portrait(face.get("name") or f"Face {face['id']}", face["thumbnail"])
        for face in told.get("faces", ())
        if face.get("thumbnail")
    ]
    moments = [
        Moment(moment["expression"], moment["confidence"], moment["time"], folder / moment["file"])
        for moment in told.get("moments", ())
    ]
    return Pictures(tuple(faces[:_FACES]), tuple(moments))


def _told(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}
