"""What the report of a run can show of a file: its faces, and its strongest moments."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from analysis.recording.thumbnails import data_address
from errors import ImageError
from vision.pictures import read_picture
from vision.pixels import shrink

_FACES: Final = 6
"""Faces of a file that are shown: those seen longest."""
_SIDE: Final = 480
"""Pixels to which pictures are shrunk."""
_QUALITY: Final = 85
_MAX_MEGAPIXELS: Final = 200.0


@dataclass(frozen=True, slots=True)
class Moment:
    """A file's strongest moment of one expression: a frame of a video, or a picture."""

    expression: str
    confidence: float
    """0-1."""
    time: float | None
    """Seconds; None in a picture."""
    path: Path
    """What shows it."""

    def address(self) -> str:
        """Return it, shrunk, as a data: address; empty where it is gone or cannot be read."""
        try:
            image = read_picture(self.path, _MAX_MEGAPIXELS).image
        except ImageError:
            return ""
        small = shrink(image, min(1.0, _SIDE / min(image.shape[:2])))
        return data_address(small, _QUALITY)


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


def pictures_of(folder: Path, file: Path | None = None) -> Pictures:
    """Return what there is to show of a file.

    Args:
        folder: Its own folder of results; nothing is shown where that is gone.
        file: The file itself, which is shown if it is a picture that is still there.

    """
    if summary := read_summary(folder / "summary.json"):
        moments = [
            Moment(moment["expression"], moment["confidence"], moment["time"], folder / moment["file"])
            for moment in summary.get("moments", ())
        ]
    else:
        summary = read_summary(folder / "faces.json")
        moments = [
            Moment(face["expression"], face["confidence"], None, file)
            for face in summary.get("faces", ())
            if file and not face["uncertain"]
        ]
    faces = [
        Portrait(face.get("name") or f"Face {face['id']}", face["thumbnail"])
        for face in summary.get("faces", ())
        if face.get("thumbnail")
    ]
    return Pictures(tuple(faces[:_FACES]), tuple(moments))


def read_summary(path: Path) -> dict[str, Any]:
    """Return what `summary.json` or `faces.json` says; nothing where it was deleted."""
    try:
        summary: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    return summary
