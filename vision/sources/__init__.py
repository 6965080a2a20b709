"""Where frames come from: webcam, video file, network camera, or the bundled demo clip; one module a kind."""

from vision.sources.base import Frames, Source
from vision.sources.choice import Spec, missing_file, open_source
from vision.sources.file import DEMO_NAME
from vision.sources.lent import LentVideo
from vision.sources.network import ForeignAddress, without_secrets
from vision.sources.webcam import webcams

__all__ = [
    "DEMO_NAME",
    "ForeignAddress",
    "Frames",
    "LentVideo",
    "Source",
    "Spec",
    "missing_file",
    "open_source",
    "webcams",
    "without_secrets",
]
