"""From one frame to the faces in it and their expressions."""

from time import perf_counter
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from config import Settings
from entities import Classifier, Face, Frame, Image
from vision.crops import crop_face
from vision.detection import FaceDetector
from vision.detectors.detector import Detection
from vision.pixels import to_grey
from vision.smoothing import Smoother
from vision.tracking import FaceTracker, Track

TURNS: Final = {0: None, 90: cv2.ROTATE_90_CLOCKWISE, 270: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180}
"""How a picture is turned, by degrees clockwise; the likeliest first."""


class ExpressionPipeline:
    """Detects, follows and classifies the faces of one video; for one thread."""

    def __init__(self, settings: Settings, classifier: Classifier, *, live: bool = False) -> None:
        """Take the settings `detector` and `model`, and what turns faces into probabilities.

        `live` is for frames that shall not wait for a search, as `FaceTracker` says.

        Raises:
            ModelError: a cascade is missing.
        """
        self._model = settings.model
        self._classifier = classifier
        self._tracker = FaceTracker(settings.detector, live=live)
        self._smoothers: dict[int, Smoother] = {}

    def reset(self) -> None:
        """Forget all faces: the next frame is the first of another video."""
        self._tracker.reset()
        self._smoothers.clear()

    def process(self, frame: Frame) -> tuple[tuple[Face, ...], dict[str, float]]:
        """Return the faces of the next frame, from left to right, and milliseconds spent by stage.

        Each face's `raw` probabilities are what the classifier gives for `crop_face(grey, face.box, face.corners)`; its
        `probabilities` are averaged over the face's past. All faces go through the classifier in one batch.
        """
        started = perf_counter()
        time = frame.captured_at if frame.time is None else frame.time
        grey = to_grey(frame.image)
        tracks = self._tracker.update(frame.image, time, grey)
        detected = perf_counter()
        raw = self._classifier.predict([crop_face(grey, track.box, track.detection.corners) for track in tracks])
        faces = tuple(self._describe(track, row, time) for track, row in zip(tracks, raw, strict=True))
        self._smoothers = {face.track_id: self._smoothers[face.track_id] for face in faces}
        classified = perf_counter()
        return faces, {"detect": 1e3 * (detected - started), "classify": 1e3 * (classified - detected)}

    def _describe(self, track: Track, raw: NDArray[np.float32], time: float) -> Face:
        settings = self._model
        smoother = self._smoothers.setdefault(track.id, Smoother(settings.smoothing, settings.min_confidence))
        probabilities = smoother.update(raw, time)
        return Face(
            track.box,
            probabilities,
            track.id,
            smoother.threshold,
            tuple(raw.tolist()),
            smoother.shown,
            **_pose(track.detection),
        )


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
    found = [(box, detection) for detection in detector.find(image) if (box := detection.face.box(grey.shape))]
    raw = classifier.predict([crop_face(grey, box, detection.corners) for box, detection in found])
    return tuple(
        Face(
            box,
            (probabilities := tuple(row.tolist())),
            number,
            min_confidence,
            raw=probabilities,
            **_pose(detection),
        )
        for number, ((box, detection), row) in enumerate(zip(found, raw, strict=True), start=1)
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


def _pose(detection: Detection) -> dict[str, Any]:
    """Return how a head is held, as `Face` has it."""
    return {name: getattr(detection, name) for name in ("roll", "yaw", "profile", "corners")}
