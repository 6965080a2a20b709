"""The videos of visitors' own cameras: where the faces in each are, and no pictures."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from entities import Face, Frame, Image
from expressions.resting import RestingFace
from pipeline import ExpressionPipeline
from web.errors import ApiError

IDLE_SECONDS: Final = 30.0
"""A visitor who sends nothing for so long has gone."""


@dataclass
class Stream:
    """One visitor's video; of its pictures, only one in which faces are being searched stays, until the next comes."""

    pipeline: ExpressionPipeline
    used_at: float
    frames: int = 0
    in_view: frozenset[int] = frozenset()
    """The faces of the last frame."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    """To be held by whoever has a frame of it processed."""

    def process(self, image: Image) -> tuple[tuple[Face, ...], dict[str, float]]:
        """Return the faces of the next frame, and milliseconds by stage."""
        frame = Frame(image, self.frames, time.monotonic())
        self.frames += 1
        faces, timings = self.pipeline.process(frame)
        self.in_view = frozenset(face.track_id for face in faces)
        return faces, timings


class VisitorStreams:
    """The videos of all visitors, for as long as frames come."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._streams: dict[str, Stream] = {}
        self._lock = threading.Lock()

    def get(self, stream_id: str, make: Callable[[], ExpressionPipeline]) -> Stream:
        """Return the stream with this id; a new one where there is none.

        Raises:
            ApiError: As many as are allowed send frames already.

        """
        with self._lock:
            now = self._clock()
            self._streams = {
                key: stream for key, stream in self._streams.items() if now - stream.used_at < IDLE_SECONDS
            }
            if stream_id not in self._streams and len(self._streams) >= self._most:
                raise ApiError(
                    HTTPStatus.SERVICE_UNAVAILABLE,
                    "too_many_viewers",
                    f"The limit of {self._most} cameras has been reached. Try again later.",
                    {"Retry-After": "10"},
                )
            stream = self._streams.get(stream_id) or Stream(make(), now)
            stream.used_at = now
            self._streams[stream_id] = stream
            return stream

    def compare(self, stream_id: str, face_id: int, rest: RestingFace | None) -> bool:
        """Compare a face with its rest from the next frame on, with None no more; return whether it is in view."""
        with self._lock:
            stream = self._streams.get(stream_id)
        if stream is None or face_id not in stream.in_view:
            return False
        stream.pipeline.compare(face_id, rest)
        return True
