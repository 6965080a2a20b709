"""What the routes work with, one of each in an application."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

from flask import current_app

from analysis.queue.runner import JobRunner
from camera import VideoCamera
from config import Settings
from outputs.output import Connection
from vision.detection import FaceDetector
from web.access.limiter import Limiter
from web.errors import ApiError
from web.live_pictures import Drawings
from web.marker_log import MarkerLog
from web.metrics import Metrics
from web.serving.slots import Slots
from web.streams import VisitorStreams

EXTENSION = "facial_expression"


@dataclass(frozen=True)
class Services:
    """The objects behind the routes. Where there are several cameras, each has some of its own, as `of` gives them."""

    settings: Settings
    name: str
    """The camera's; empty where there is only one."""
    camera: VideoCamera
    by_camera: Mapping[str, "Services"]
    """The services of each camera by its name, the first one's first."""
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
    outputs: Sequence[Connection]
    """What sends the server's faces to other programs, and brings markers from them."""
    analyses: Limiter
    """Bounds the memory and the processors that pictures may take at a time."""

    @property
    def several(self) -> bool:
        """Whether there is more than one camera."""
        return len(self.by_camera) > 1

    def of(self, name: str | None) -> "Services":
        """Return the services of a camera, of the first one if none is named.

        Raises:
            ApiError: There is none of that name.

        """
        if name is None:
            return self
        if name and name in self.by_camera:
            return self.by_camera[name]
        known = f"The cameras here are {', '.join(self.by_camera)}." if self.several else "There is only one here."
        raise ApiError(HTTPStatus.NOT_FOUND, "no_such_camera", f"No camera is called {name!r}. {known}")


def get_services() -> Services:
    """Return the services of the application that answers the current request."""
    return cast("Services", current_app.extensions[EXTENSION])
