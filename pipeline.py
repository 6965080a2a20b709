"""From one frame to the faces in it and their expressions."""

from time import perf_counter
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from config import Settings
from entities import Classifier, Face, Frame, Image
from vision.detection import FaceDetector, to_grey
from vision.smoothing import Smoother
from vision.tracking import FaceTracker, Track

TURNS: Final = {0: None, 90: cv2.ROTATE_90_CLOCKWISE, 270: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180}
"""How a picture is turned, by degrees clockwise; the likeliest first."""


class ExpressionPipeline:
    """Detects, follows and classifies the faces of one video; for one thread."""

    def __init__(self, settings: Settings, classifier: Classifier) -> None:
        """Take the settings `detector` and `model`, and what turns faces into probabilities.

        Raises:
            ModelError: a cascade is missing.
        """
        self._model = settings.model
        self._classifier = classifier
        self._tracker = FaceTracker(settings.detector)
        self._smoothers: dict[int, Smoother] = {}

    def reset(self) -> None:
        """Forget all faces: the next frame is the first of another video."""
        self._tracker.reset()
        self._smoothers.clear()

    def process(self, frame: Frame) -> tuple[tuple[Face, ...], dict[str, float]]:
        """Return the faces of the next frame, from left to right, and milliseconds spent by stage.

        Each face's `raw` probabilities are what the classifier gives for `face.box` of the grey frame; its
        `probabilities` are averaged over the face's past. All faces go through the classifier in one batch.
        """
        started = perf_counter()
        time = frame.captured_at if frame.time is None else frame.time
        grey = to_grey(frame.image)
        tracks = self._tracker.update(grey, time)
        detected = perf_counter()
        raw = self._classifier.predict([track.box.crop(grey) for track in tracks])
        faces = tuple(self._describe(track, row, time) for track, row in zip(tracks, raw, strict=True))
        self._smoothers = {face.track_id: self._smoothers[face.track_id] for face in faces}
        classified = perf_counter()
        return faces, {"detect": 1e3 * (detected - started), "classify": 1e3 * (classified - detected)}

    def _describe(self, track: Track, raw: NDArray[np.float32], time: float) -> Face:
        settings = self._model
        smoother = self._smoothers.setdefault(track.id, Smoother(settings.smoothing, settings.min_confidence))
        probabilities = smoother.update(raw, time)
        return Face(track.box, probabilities, track.id, smoother.threshold, tuple(raw.tolist()), smoother.shown)


def analyze_image(
    image: Image, detector: FaceDetector, classifier: Classifier, min_confidence: float = 0.0
) -> tuple[Face, ...]:
    """Return the faces in a single picture, from left to right, numbered from 1.

    Args:
        image: (H, W, 3) uint8 BGR or (H, W) uint8 grey.
        detector: finds the faces; may be shared between threads.
        classifier: names their expressions.
        min_confidence: below this confidence (0-1) an expression is called uncertain.
    """
    grey = to_grey(image)
    boxes = detector.detect(grey)
    raw = classifier.predict([box.crop(grey) for box in boxes])
    return tuple(
        Face(box, probabilities, number, min_confidence, raw=probabilities)
        for number, (box, probabilities) in enumerate(
            ((box, tuple(row.tolist())) for box, row in zip(boxes, raw, strict=True)), start=1
        )
    )


class Upright(NamedTuple):
    """A picture the right way up, and the faces in it."""

    image: Image
    faces: tuple[Face, ...]
    turned: int
    """Degrees clockwise by which the picture was turned: 0, 90, 180 or 270."""


def analyze_any_way_up(
    image: Image, detector: FaceDetector, classifier: Classifier, min_confidence: float = 0.0
) -> Upright:
    """Find the faces in a picture as `analyze_image` does; if there is none, in the picture turned by quarters.

    Scans, and pictures that were saved by programs that drop the EXIF orientation, lie on their side without saying so.
    """
    for turned, turn in TURNS.items():
        upright = image if turn is None else np.asarray(cv2.rotate(image, turn), np.uint8)
        faces = analyze_image(upright, detector, classifier, min_confidence)
        if faces:
            return Upright(upright, faces, turned)
    return Upright(image, (), 0)
