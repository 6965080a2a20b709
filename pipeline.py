"""From one frame to the faces in it and their expressions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Final, NamedTuple

import cv2
import numpy as np

from config import Settings
from entities import Box, Classifier, Face, Frame, Image
from expressions.resting import RestingFace
from expressions.smoothing import Smoother
from pacing import FacePacer
from vision.crops import crop_face
from vision.detection import FaceDetector
from vision.detectors.detector import Detection
from vision.pixels import to_grey
from vision.tracking import FaceTracker

TURNS: Final = {0: None, 90: cv2.ROTATE_90_CLOCKWISE, 270: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180}
"""OpenCV's rotation for each angle in degrees clockwise, the most likely first."""
LYING: Final = 60.0
"""Degrees of roll from which a head is not held that way: the picture lies on its side."""


@dataclass(frozen=True, slots=True)
class RawFace:
    """A face in one frame, and what the classifier says of it alone."""

    track_id: int
    """Stays the same while the same face is followed."""
    box: Box
    raw: tuple[float, ...]
    """Seven probabilities in EXPRESSIONS order."""
    detection: Detection
    """What the detector says of it."""


class _Found(NamedTuple):
    """A face that is still to be classified."""

    id: int
    box: Box
    detection: Detection
    grey: Image
    """The whole frame."""

    @property
    def crop(self) -> Image:
        """The face, upright."""
        return crop_face(self.grey, self.box, self.detection.corners)


class ExpressionPipeline:
    """Detects, follows and classifies the faces of one video; for one thread."""

    def __init__(
        self, settings: Settings, classifier: Classifier, *, live: bool = False, rest: RestingFace | None = None
    ) -> None:
        """Take the settings `detector` and `model`, and a classifier.

        `live` is for frames that must not wait: neither for a search, see `FaceTracker`, nor for many faces, which then
        are classified in turns. `rest` is that of whoever is seen, as long as `compare` says nothing else of a face.

        Raises:
            ModelError: a cascade is missing.
        """
        self._model = settings.model
        self._classifier = classifier
        self._tracker = FaceTracker(settings.detector, live=live)
        self._pacer = FacePacer() if live else None
        self._raw: dict[int, tuple[float, ...]] = {}
        self._seen: dict[int, Smoother] = {}
        self._compared: dict[int, Smoother] = {}
        self._rest = rest
        self._rests: dict[int, RestingFace | None] = {}

    def reset(self) -> None:
        """Forget all faces: the next frame is the first of another video."""
        self._tracker.reset()
        for memory in (self._seen, self._compared, self._rests, self._raw):
            memory.clear()

    def cut(self) -> None:
        """Say that the next frame does not go on from the last, as where a file starts again."""
        self._tracker.cut()
        if self._pacer:
            self._pacer.forget()
        for memory in (self._seen, self._compared, self._raw):
            memory.clear()

    def compare(self, track_id: int, rest: RestingFace | None) -> None:
        """Compare a face with its resting face from the next frame on; None ends that. Any thread may call it.

        `process` drops what is said of faces whose number is not given again.
        """
        self._rests[track_id] = rest

    def process(self, frame: Frame) -> tuple[tuple[Face, ...], dict[str, float]]:
        """Return the faces of the next frame, from left to right, and milliseconds spent by stage.

        Each face's `raw` probabilities are what the classifier gives for `crop_face(grey, face.box, face.corners)`; its
        `probabilities` are averaged over the face's past, after comparison with its resting face, if there is one.
        All faces go through the classifier in one batch; live, where that would take too long, those whose turn it is,
        and the others keep the `raw` probabilities of their last turn.
        """
        raw_faces, timings = self.classify(frame)
        for number in self._rests.keys() - self._tracker.numbers:
            self._rests.pop(number, None)
        return self.describe(raw_faces, _time(frame)), timings

    def classify(self, frame: Frame) -> tuple[list[RawFace], dict[str, float]]:
        """Return what the next frame alone shows, from left to right, and milliseconds spent by stage."""
        started = perf_counter()
        found = self._find(frame)
        detected = perf_counter()
        raw_faces = self._classify_paced(found, self._pacer) if self._pacer else self._classify([found])[0]
        classified = perf_counter()
        self._tracker.search()
        return raw_faces, {"detect": 1e3 * (detected - started), "classify": 1e3 * (classified - detected)}

    def classify_batch(self, frames: Sequence[Frame]) -> list[list[RawFace]]:
        """Return what each of the next frames alone shows: as `classify` does, but faster, all faces in one batch."""
        return self._classify([self._find(frame) for frame in frames])

    def _classify_paced(self, found: Sequence[_Found], pacer: FacePacer) -> list[RawFace]:
        chosen = pacer.choose(face.id for face in found)
        due = [face for face in found if face.id in chosen]
        started = perf_counter()
        raw = {face.track_id: face.raw for face in self._classify([due])[0]}
        pacer.took(perf_counter() - started, len(due))
        self._raw = {face.id: raw.get(face.id) or self._raw[face.id] for face in found}
        return [RawFace(face.id, face.box, self._raw[face.id], face.detection) for face in found]

    def _find(self, frame: Frame) -> list[_Found]:
        grey = to_grey(frame.image)
        return [
            _Found(track.id, track.box, track.detection, grey)
            for track in self._tracker.update(frame.image, _time(frame), grey)
        ]

    def _classify(self, frames: Sequence[Sequence[_Found]]) -> list[list[RawFace]]:
        raw = iter(self._classifier.predict([face.crop for faces in frames for face in faces]).tolist())
        return [[RawFace(face.id, face.box, tuple(next(raw)), face.detection) for face in faces] for faces in frames]

    def describe(self, raw_faces: Sequence[RawFace], time: float) -> tuple[Face, ...]:
        """Return the faces of the frame at `time` (seconds), smoothed over their past; call it frame by frame."""
        faces = tuple(self._describe(raw_face, time) for raw_face in raw_faces)
        present = {raw_face.track_id for raw_face in raw_faces}
        self._seen = {number: smoother for number, smoother in self._seen.items() if number in present}
        compared = {face.track_id for face in faces if face.uncorrected}
        self._compared = {number: smoother for number, smoother in self._compared.items() if number in compared}
        return faces

    def _describe(self, raw_face: RawFace, time: float) -> Face:
        number, raw = raw_face.track_id, np.array(raw_face.raw)
        shown = self._smoother(self._seen, number)
        seen = probabilities = shown.update(raw, time)
        if rest := self._rests.get(number, self._rest):
            shown = self._smoother(self._compared, number)
            probabilities = shown.update(rest.correct(raw), time)
        return Face(
            raw_face.box,
            probabilities,
            number,
            shown.threshold,
            raw_face.raw,
            shown.shown,
            uncorrected=seen if rest else (),
            **_attributes(raw_face.detection),
        )

    def _smoother(self, smoothers: dict[int, Smoother], number: int) -> Smoother:
        return smoothers.setdefault(number, Smoother(self._model.smoothing, self._model.min_confidence))


def _time(frame: Frame) -> float:
    """Return when the frame was taken, in seconds: a file has a clock of its own."""
    return frame.captured_at if frame.time is None else frame.time


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
            **_attributes(detection),
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
    """Find the faces in a picture as `analyze_image` does; if none is upright, in the picture rotated by quarters.

    Scans, and pictures that were saved by programs that drop the EXIF orientation, lie on their side without saying so.
    """

    def look(turned: int) -> Upright:
        turn = TURNS[turned]
        upright = image if turn is None else np.asarray(cv2.rotate(image, turn), np.uint8)
        return Upright(upright, analyze_image(upright, detector, classifier, min_confidence), turned)

    found = next((seen for turned in TURNS if (seen := look(turned)).faces), Upright(image, (), 0))
    lying = _quarters(found.faces)
    if lying and (upright := look((found.turned - lying) % 360)).faces:
        return upright
    return found


def _quarters(faces: Sequence[Face]) -> int:
    """Return by how many degrees, in quarters of a turn, the largest face lies clockwise: 0, 90, 180 or 270."""
    largest = max(faces, key=lambda face: face.box.width * face.box.height, default=None)
    roll = (largest.roll if largest else None) or 0.0
    return 0 if abs(roll) < LYING else 90 * round(roll / 90) % 360


def _attributes(detection: Detection) -> dict[str, Any]:
    """Return what the detector says of a face, as `Face` has it."""
    attributes = {name: getattr(detection, name) for name in ("roll", "yaw", "profile", "corners")}
    return attributes | {"score": detection.probability}


def compare_largest(faces: Sequence[Face], rest: RestingFace) -> tuple[Face, ...]:
    """Return the faces of a single picture, the largest of them compared with this rest: it is one person's."""
    largest = max(faces, key=lambda face: face.box.width * face.box.height, default=None)
    return tuple(
        replace(face, probabilities=tuple(rest.correct(face.raw).tolist()), uncorrected=face.probabilities)
        if face is largest
        else face
        for face in faces
    )
