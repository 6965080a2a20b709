"""Which source a setting, or a visitor's choice, stands for."""

import re
from pathlib import Path

from config import VideoSettings
from errors import SourceError
from vision.sources.auto import AutoSource
from vision.sources.base import Source
from vision.sources.file import FileSource, demo_source
from vision.sources.network import FOREIGN_OPTIONS, SCHEMES, NetworkSource, UntrustedAddress
from vision.sources.uploaded import UploadedSource, UploadedVideo
from vision.sources.webcam import WebcamSource, is_webcam

SourceSpec = int | str | UploadedVideo | UntrustedAddress
"""What can be shown: a `source` setting, or what strangers may choose."""


def open_source(spec: SourceSpec, settings: VideoSettings) -> Source:
    """Return the source that a setting names; it is opened when its frames are asked for.

    Args:
        spec: "auto", "demo", a webcam's number or path, a file's path, or an address such as rtsp://... or http://...;
            or what a stranger may choose, which is opened with more care.
        settings: Size, rate and looping of the frames.

    Raises:
        SourceError: An address of a kind that cannot be played.

    """
    if isinstance(spec, UploadedVideo):
        return UploadedSource(spec, open_source(spec.fallback, settings), settings)
    if isinstance(spec, UntrustedAddress):
        return NetworkSource(spec.address, settings, options=FOREIGN_OPTIONS)
    return _open_setting(str(spec).strip(), settings)


def missing_file(spec: SourceSpec, settings: VideoSettings) -> Path | None:
    """Return the file that a setting names, where there is none of that name; it may still come."""
    source = open_source(spec, settings)
    return source.path if isinstance(source, FileSource) and not source.path.is_file() else None


def _open_setting(text: str, settings: VideoSettings) -> Source:
    if text == "auto":
        return AutoSource(settings)
    if text == "demo":
        return demo_source(settings)
    if match := re.fullmatch(r"(?:/dev/video)?(\d+)", text):
        return WebcamSource(int(match[1]), settings)
    if match := re.match(r"([A-Za-z][A-Za-z0-9+.-]+)://", text):
        if match[1].lower() not in SCHEMES:
            raise SourceError(f"Addresses that begin with {match[0]} cannot be played; use rtsp:// or http(s)://.")
        return NetworkSource(text, settings)
    path = Path(text).expanduser()
    return WebcamSource(path, settings) if is_webcam(path) else FileSource(path, settings)
