"""Measures the path of a frame, from decoded to annotated JPEG, stage by stage."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from time import perf_counter, sleep
from typing import Any, Final, NamedTuple

import numpy as np
import psutil
from numpy.typing import NDArray

from benchmarks.scenes import Scene
from config import Settings
from entities import Classifier, Face, Frame, Image
from pipeline import ExpressionPipeline
from vision.annotation import annotate, encode_jpeg
from vision.crops import crop_face
from vision.detection import FaceDetector
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
    detector: str
    """As `detector.kind` names it."""
    frames: int
    stages: dict[str, Spread]
    """Milliseconds a frame, by stage; total is the whole path."""
    back_to_back: Spread
    """Milliseconds a frame for the whole path, each frame as soon as the one before is done."""
    fps: float
    """Frames that this computer could analyse a second, one after another: 1000 / mean of back_to_back."""
    with_face: float
    """Share of frames (0-1) with at least one face."""
    faces: float
    """Mean number of faces a frame."""
    label_changes: float
    """Changes of the shown label, "uncertain" included, a second and face."""
    tremble: float
    """Pixels, as `tremble` says."""
    memory_mb: float
    """Of this process, with the model loaded."""
    crops: list[Image] = field(repr=False)
    """What the classifier was given, face by face."""
    raw: NDArray[np.float32] = field(repr=False)
    """(faces, 7): what it said of them."""
    searched: dict[str, float] = field(default_factory=dict)
    """Of a thorough search of every fifth frame, as of single pictures: mean faces a frame, and median milliseconds."""
    difference: float | None = None
    """Largest difference between a probability and that of the Keras model for the same crop."""
    peer: dict[str, Any] = field(default_factory=dict)
    """Of another package on the same frames."""

    def as_json(self) -> dict[str, Any]:
        """Return the figures, without pictures."""
        figures = {name: getattr(self, name) for name in self.__slots__ if name not in ("crops", "raw")}
        spreads = {"stages": {name: asdict(spread) for name, spread in self.stages.items()}}
        return figures | spreads | {"back_to_back": asdict(self.back_to_back)}


def measure(scene: Scene, settings: Settings, classifier: Classifier, progress: Progress) -> SceneResult:
    """Send a scene's frames through everything that a camera's frames go through, when they are due, then at once.

    Searches run beside the frames at a rate of their own; frames sent faster than a camera's meet more of them.

    Raises:
        SourceError: The video cannot be read.

    """
    name = f"{scene.name}, {settings.detector.kind}"
    paced = list(_path(progress(scene.frames(), name), settings, classifier, paced=True))
    at_once = [passage.timings["total"] for passage in _path(scene.frames(), settings, classifier, limit=len(paced))]
    spreads = {stage: Spread.of([passage.timings[stage] for passage in paced]) for stage in STAGES}
    back_to_back = Spread.of(at_once)
    seen = [(passage.time, passage.faces) for passage in paced]
    return SceneResult(
        scene=scene.name,
        detector=settings.detector.kind,
        frames=len(seen),
        stages=spreads,
        back_to_back=back_to_back,
        fps=1e3 / back_to_back.mean,
        with_face=float(np.mean([bool(faces) for _, faces in seen])),
        faces=float(np.mean([len(faces) for _, faces in seen])),
        label_changes=label_changes(seen),
        tremble=tremble(seen),
        memory_mb=psutil.Process().memory_info().rss / 1e6,
        crops=[crop for passage in paced for crop in passage.crops],
        raw=np.array([face.raw for _, faces in seen for face in faces], np.float32),
    )


class _Passage(NamedTuple):
    """What one frame's way gave."""

    time: float
    """In the video, in seconds."""
    faces: tuple[Face, ...]
    timings: dict[str, float]
    crops: list[Image]


def _path(
    frames: Iterable[Frame],
    settings: Settings,
    classifier: Classifier,
    *,
    paced: bool = False,
    limit: int | None = None,
) -> Iterator[_Passage]:
    """Yield what becomes of each frame, as a camera's; with `paced`, each is sent when it is due."""
    pipeline = ExpressionPipeline(settings, classifier, live=True)
    due = perf_counter()
    for frame in islice(frames, limit):
        if paced:
            sleep(max(0.0, due + (frame.time or 0.0) - perf_counter()))
        began = perf_counter()
        faces, timings = pipeline.process(replace(frame, time=None, captured_at=began))
        analysed = perf_counter()
        picture = annotate(frame.image, faces)
        annotated = perf_counter()
        encode_jpeg(picture, settings.video.jpeg_quality)
        encoded = perf_counter()
        timings |= {"annotate": 1e3 * (annotated - analysed), "encode": 1e3 * (encoded - annotated)}
        timings["total"] = 1e3 * (encoded - began)
        grey = to_grey(frame.image) if paced else None
        crops = [] if grey is None else [crop_face(grey, face.box, face.corners).copy() for face in faces]
        yield _Passage(frame.time or 0.0, faces, timings, crops)


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


def tremble(seen: list[tuple[float, tuple[Face, ...]]]) -> float:
    """Return by how many pixels, on average, a box is off the middle between where it is a frame before and after.

    Of left, top and width; a box that moves or grows evenly does not tremble.
    """
    boxes: dict[int, list[tuple[int, int, int]]] = {}
    for _, faces in seen:
        for face in faces:
            boxes.setdefault(face.track_id, []).append((face.box.x, face.box.y, face.box.width))
    paths = [np.array(path) for path in boxes.values() if len(path) > 2]
    return float(np.mean([np.abs(p[1:-1] - (p[:-2] + p[2:]) / 2).mean() for p in paths])) if paths else 0.0


def measure_search(scene: Scene, settings: Settings, progress: Progress) -> dict[str, float]:
    """Search every fifth frame of a scene as if it were a picture by itself: the measure of what can be found.

    Raises:
        SourceError: The video cannot be read.

    """
    detector = FaceDetector(settings.detector)
    times, found = [], []
    for frame in progress(islice(scene.frames(), 0, None, 5), f"{scene.name}, {detector.kind} thoroughly"):
        began = perf_counter()
        found.append(len(detector.find(frame.image)))
        times.append(1e3 * (perf_counter() - began))
    return {"faces": float(np.mean(found)), "median": Spread.of(times).median}
