"""Where frames come from: webcam, video file, network camera, or the bundled demo clip; one module a kind."""

from vision.sources.base import Frames, Source
from vision.sources.choice import SourceSpec, missing_file, open_source
from vision.sources.file import DEMO_NAME
from vision.sources.network import UntrustedAddress, without_secrets
from vision.sources.uploaded import UploadedVideo
from vision.sources.webcam import webcams

__all__ = [
    "DEMO_NAME",
    "Frames",
    "Source",
    "SourceSpec",
    "UntrustedAddress",
    "UploadedVideo",
    "missing_file",
    "open_source",
    "webcams",
    "without_secrets",
]
