"""Faces and expressions of a live video. A model that is loading, or fails, costs labels, never the video."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, Literal

from config import Settings
from entities import Classifier, Face, Frame
from errors import FacialExpressionError
from expressions.resting import RestingFace
from live.status_log import StatusLog
from pipeline import ExpressionPipeline
from vision.detection import warm_up

ModelState = Literal["loading", "ready", "failed"]

LOAD_AGAIN: Final = 10.0
LOAD_RARELY: Final = 300.0
"""Seconds before a failed load is retried: at first, and at most; the delay doubles each time."""
ANALYSE_AGAIN: Final = 1.0
"""Seconds without faces after the model failed on a frame."""


class LiveAnalyser:
    """Faces and expressions of one video, as far as the model works."""

    def __init__(
        self, settings: Settings, load_classifier: Callable[[], Classifier], rest: RestingFace | None = None
    ) -> None:
        self.state: ModelState = "loading"
        self.reason = "The model is loading."
        self.classifier: Classifier | None = None
        self._log = StatusLog()
        self._settings = settings
        self._load_classifier = load_classifier
        self._rest = rest
        self._loader = threading.Thread(target=self._load, name="load-model", daemon=True)
        self._starting = threading.Lock()
        self._closed = threading.Event()
        self._tried = threading.Event()
        self._pipeline: ExpressionPipeline | None = None
        self._time: float | None = None
        """Of the last frame, where it is a file's."""
        self._resting_until = 0.0

    def start_loading(self) -> None:
        """Load the model and the detector in the background, once."""
        with self._starting:
            if self._loader.ident is None:
                self._loader.start()

    def wait_for_classifier(self, timeout: float) -> Classifier | None:
        """Return the model, after so many seconds at most; None where it is not there by then, or failed."""
        self._tried.wait(timeout)
        return self.classifier

    def faces(self, frame: Frame) -> tuple[tuple[Face, ...], Mapping[str, float]]:
        """Return the frame's faces, and milliseconds by stage; nothing while the model is missing or failing."""
        if self.classifier is None or self.state == "loading" or time.monotonic() < self._resting_until:
            return (), {}
        try:
            if self._pipeline is None:
                self._pipeline = ExpressionPipeline(self._settings, self.classifier, live=True, rest=self._rest)
            if self._starts_again(frame):
                self._pipeline.cut()
            # On the monotonic clock: a file's own times start again with each loop.
            found = self._pipeline.process(replace(frame, time=None))
        except Exception as error:  # noqa: BLE001 - whatever a model or cascade does, the video goes on
            self._failed(error)
            self.reset()
            self._resting_until = time.monotonic() + ANALYSE_AGAIN
            return (), {}
        self._ready()
        return found

    def compare(self, face_id: int, rest: RestingFace | None) -> bool:
        """Start or, with None, end the comparison with a resting face; return whether any faces are followed."""
        pipeline = self._pipeline
        if pipeline:
            pipeline.compare(face_id, rest)
        return pipeline is not None

    def reset(self) -> None:
        """Forget the faces seen so far; their numbers are not given again."""
        self._time = None
        if self._pipeline:
            self._pipeline.reset()

    def _starts_again(self, frame: Frame) -> bool:
        """Whether the frame is earlier in its file than the last one."""
        before, self._time = self._time, frame.time
        return before is not None and frame.time is not None and frame.time < before

    def close(self) -> None:
        """Stop retrying to load the model."""
        self._closed.set()

    def _load(self) -> None:
        delay = LOAD_AGAIN
        while not self._closed.is_set():
            try:
                classifier = self._load_classifier()
            except Exception as error:  # noqa: BLE001 - whatever is wrong with the files, the video goes on
                self._failed(error)
                self._closed.wait(delay)
                delay = min(2 * delay, LOAD_RARELY)
            else:
                self.classifier = classifier
                self._tried.set()
                warm_up(self._settings.detector)
                self._ready()
                return

    def _ready(self) -> None:
        self.state, self.reason = "ready", ""

    def _failed(self, error: Exception) -> None:
        known = isinstance(error, FacialExpressionError)
        reason = str(error) if known else f"Expressions cannot be recognised ({type(error).__name__}: {error})."
        self._log.fault(reason, None if known else error)
        self.state, self.reason = "failed", reason
        self._tried.set()
