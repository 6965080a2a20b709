"""What the routes work with, one of each in an application."""

from dataclasses import dataclass
from typing import cast

from flask import current_app

from analysis.queue.runner import JobRunner
from camera import VideoCamera
from config import Settings
from vision.detection import FaceDetector
from web.drawings import Drawings
from web.limiter import Limiter
from web.marker_log import MarkerLog
from web.metrics import Metrics
from web.serving.slots import Slots
from web.streams import VisitorStreams

EXTENSION = "facial_expression"


@dataclass(frozen=True)
class Services:
    """The objects behind the routes."""

    settings: Settings
    camera: VideoCamera
    detector: FaceDetector
    """Finds the faces in uploaded pictures; safe for many threads."""
    metrics: Metrics
    videos: Slots
    """Viewers of the video stream."""
    events: Slots
    """Listeners to the event stream."""
    jobs: JobRunner
    """Videos that are analysed in another process."""
    drawings: Drawings
    """The video as some of its viewers want it."""
    streams: VisitorStreams
    """The videos of visitors' own cameras."""
    markers: MarkerLog
    """What is going on in the server's video, as somebody said."""
    analyses: Limiter
    """Bounds the memory and the processors that pictures may take at a time."""


def get_services() -> Services:
    """Return the services of the application that answers the current request."""
    return cast("Services", current_app.extensions[EXTENSION])
