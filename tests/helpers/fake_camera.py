"""A camera without video, detector or threads, for tests of the web."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import cv2
import numpy as np

from camera import VideoCamera
from config import Settings, VideoSettings
from entities import EXPRESSIONS, Box, Classifier, Face, FrameResult, SourceState, SourceStatus
from expressions.resting import RestingFace
from live.analyser import ModelState
from vision.sources import SourceSpec, open_source


def probabilities(expression: str, confidence: float = 0.7) -> tuple[float, ...]:
    """Return seven probabilities of which one stands out."""
    rest = (1 - confidence) / (len(EXPRESSIONS) - 1)
    return tuple(confidence if name == expression else rest for name in EXPRESSIONS)


def frame_result(index: int, size: int = 0, source: str = "Test card", video: int = 1) -> FrameResult:
    """Return a result with one happy face; its JPEG has at least `size` bytes, and its number after its end."""
    jpeg = cv2.imencode(".jpg", np.full((48, 64, 3), index % 256, np.uint8))[1].tobytes()
    face = Face(Box(8, 4, 32, 32), probabilities("Happy"), track_id=6 + video)
    timings = {"detect": 3.0, "classify": 1.0, "total": 5.0}
    jpeg = jpeg.ljust(size, b"\0") + b"#%06d" % index
    return FrameResult(index, time.monotonic(), None, 64, 48, (face,), jpeg, timings, source=source, video=video)


class FakeCamera:
    """Shows what a test publishes."""

    def __init__(self, classifier: Classifier | None = None, frame_bytes: int = 0) -> None:
        self.status = SourceStatus(SourceState.LIVE, "Test card")
        self.classifier = classifier
        self.model_state: ModelState = "ready" if classifier else "loading"
        self.model_reason = ""
        self.chosen: SourceSpec = Settings().source
        self.demo, self.fps, self.latency_ms, self.viewers = False, 25.0, 12.0, 0
        self.source_fps = 25.0
        self.frame_bytes, self.video = frame_bytes, 1
        self.compared: dict[int, RestingFace | None] = {}
        self._on_frame: list[Callable[[FrameResult], None]] = []
        self._latest: FrameResult | None = None
        self._closed = False
        self._changed = threading.Condition()

    def as_camera(self) -> VideoCamera:
        """Return this camera under the type it stands in for."""
        return cast("VideoCamera", self)

    def publish(self, result: FrameResult | None = None) -> None:
        """Show the next frame, one with a happy face if none is given."""
        with self._changed:
            index = self._latest.index + 1 if self._latest else 0
            self._latest = result or frame_result(index, self.frame_bytes, self.status.source, self.video)
            self._changed.notify_all()
        for on_frame in self._on_frame:
            on_frame(self._latest)

    def use(self, source: SourceSpec) -> None:
        """Note what was chosen, and show a frame that stands for the message about it."""
        name = open_source(source, VideoSettings()).name
        self.chosen, self.status = source, SourceStatus(SourceState.OPENING, name)
        self.video += 1
        self.publish()

    def subscribe(self, on_frame: Callable[[FrameResult], None]) -> None:
        """Call a function with every frame."""
        self._on_frame.append(on_frame)

    def compare(self, face_id: int, rest: RestingFace | None) -> bool:
        """Note what a face in view is compared with."""
        in_view = self._latest is not None and any(face.track_id == face_id for face in self._latest.faces)
        if in_view:
            self.compared[face_id] = rest
        return in_view

    def start_loading(self) -> None:
        """Do nothing: the model is here, or never comes."""

    def wait_for_classifier(self, timeout: float) -> Classifier | None:
        """Return the model, or None at once: it is here, or never comes."""
        del timeout
        return self.classifier

    def latest(self) -> FrameResult | None:
        """Return the newest result."""
        return self._latest

    def results(self, timeout: float = 1.0) -> Iterator[FrameResult]:
        """Yield the newest result, again after the timeout where there is no newer one."""
        with self.watching():
            seen: FrameResult | None = None
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._closed or self._latest is not seen, timeout)  # noqa: B023
                    seen = self._latest
                    if self._closed:
                        return
                if seen:
                    yield seen

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count a viewer."""
        self.viewers += 1
        try:
            yield
        finally:
            self.viewers -= 1

    def close(self) -> None:
        """End all streams."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
