"""Measures the path of a frame, from decoded to annotated JPEG, stage by stage."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from time import perf_counter
from typing import Any, Final

import numpy as np
import psutil
from numpy.typing import NDArray

from benchmarks.scenes import Scene
from config import Settings
from entities import Classifier, Face, Frame, Image
from pipeline import ExpressionPipeline
from vision.annotation import annotate, encode_jpeg
from vision.detectors.haar import Cascade
from vision.pixels import to_grey

STAGES: Final = ("detect", "classify", "annotate", "encode", "total")

Progress = Callable[[Iterable[Frame], str], Iterable[Frame]]
"""Passes frames on and shows how far it is."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something took, in milliseconds a frame."""

    median: float
    p95: float
    mean: float

    @classmethod
    def of(cls, milliseconds: list[float]) -> "Spread":
        """Summarise one value a frame."""
        values = np.array(milliseconds or [0.0])
        return cls(float(np.median(values)), float(np.percentile(values, 95)), float(values.mean()))


@dataclass(slots=True)
class SceneResult:
    """What one scene gave."""

    scene: str
    frames: int
    stages: dict[str, Spread]
    """Milliseconds a frame, by stage; total is the whole path."""
    fps: float
    """Frames that this computer could analyse a second, one after another: 1000 / mean of total."""
    with_face: float
    """Share of frames (0-1) with at least one face."""
    faces: float
    """Mean number of faces a frame."""
    label_changes: float
    """Changes of the shown label, "uncertain" included, a second and face."""
    memory_mb: float
    """Of this process, with the model loaded."""
    crops: list[Image] = field(repr=False)
    """What the classifier was given, face by face."""
    raw: NDArray[np.float32] = field(repr=False)
    """(faces, 7): what it said of them."""
    haar: dict[str, float] = field(default_factory=dict)
    """Of the full-resolution Haar search of every frame: with_face, and median milliseconds."""
    difference: float | None = None
    """Largest difference between a probability and that of the Keras model for the same crop."""
    peer: dict[str, Any] = field(default_factory=dict)
    """Of another package on the same frames."""

    def as_json(self) -> dict[str, Any]:
        """Return the figures, without pictures."""
        figures = {name: getattr(self, name) for name in self.__slots__ if name not in ("crops", "raw")}
        return figures | {"stages": {name: asdict(spread) for name, spread in self.stages.items()}}


def measure(scene: Scene, settings: Settings, classifier: Classifier, progress: Progress) -> SceneResult:
    """Send a scene's frames through everything that a camera's frames go through.

    Raises:
        SourceError: The video cannot be read.

    """
    pipeline = ExpressionPipeline(settings, classifier)
    times: dict[str, list[float]] = {stage: [] for stage in STAGES}
    seen: list[tuple[float, tuple[Face, ...]]] = []
    crops: list[Image] = []
    for frame in progress(scene.frames(), scene.name):
        began = perf_counter()
        faces, timings = pipeline.process(frame)
        analysed = perf_counter()
        picture = annotate(frame.image, faces)
        annotated = perf_counter()
        encode_jpeg(picture, settings.video.jpeg_quality)
        encoded = perf_counter()
        timings |= {"annotate": 1e3 * (annotated - analysed), "encode": 1e3 * (encoded - annotated)}
        timings["total"] = 1e3 * (encoded - began)
        for stage in STAGES:
            times[stage].append(timings[stage])
        seen.append((frame.time or 0.0, faces))
        grey = to_grey(frame.image)
        crops += [face.box.crop(grey).copy() for face in faces]
    spreads = {stage: Spread.of(values) for stage, values in times.items()}
    return SceneResult(
        scene=scene.name,
        frames=len(seen),
        stages=spreads,
        fps=1e3 / spreads["total"].mean,
        with_face=float(np.mean([bool(faces) for _, faces in seen])),
        faces=float(np.mean([len(faces) for _, faces in seen])),
        label_changes=label_changes(seen),
        memory_mb=psutil.Process().memory_info().rss / 1e6,
        crops=crops,
        raw=np.array([face.raw for _, faces in seen for face in faces], np.float32),
    )


def label_changes(seen: list[tuple[float, tuple[Face, ...]]]) -> float:
    """Return how often a face's shown label changed, a second that the face was seen."""
    shown: dict[int, tuple[float, str]] = {}
    seconds, changes = 0.0, 0
    for time, faces in seen:
        for face in faces:
            label = "uncertain" if face.uncertain else face.expression
            before, last = shown.get(face.track_id, (time, label))
            seconds += time - before
            changes += label != last
            shown[face.track_id] = time, label
    return changes / seconds if seconds else 0.0


def measure_haar(scene: Scene, settings: Settings, progress: Progress) -> dict[str, float]:
    """Search every frame of a scene as a whole, at full resolution: the measure of what can be found.

    Raises:
        SourceError: The video cannot be read.

    """
    cascade, detector = Cascade("frontalface_default"), settings.detector
    times, found = [], []
    for frame in progress(scene.frames(), f"{scene.name}, Haar"):
        began = perf_counter()
        grey = to_grey(frame.image)
        smallest = detector.min_face * min(grey.shape)
        faces = cascade.find(grey, step=detector.scale_factor, hits=detector.min_neighbors, smallest=smallest)
        times.append(1e3 * (perf_counter() - began))
        found.append(bool(faces))
    return {"with_face": float(np.mean(found)), "median": Spread.of(times).median}
