"""Finds faces in one picture with OpenCV's Haar cascades (Viola and Jones, 2001; Lienhart and Maydt, 2002)."""

from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from config import DetectorSettings
from entities import Box, Image
from errors import ModelError

WINDOW: Final = 24
"""Smallest face, in pixels, that the frontal cascades were trained on."""

_SAME_FACE: Final = 0.5
"""Two detections are one face if this share of the smaller one lies inside the other."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A face found in a picture."""

    box: Box
    hits: int
    """How many overlapping windows the cascade took for this face: the more, the surer."""


class Cascade:
    """One of the cascades that come with OpenCV; safe to use from several threads."""

    def __init__(self, name: str) -> None:
        """Load the cascade.

        Raises:
            ModelError: this OpenCV has no cascades (5.0 dropped them), or the file is missing.
        """
        path = Path(cv2.__file__).parent / "data" / f"haarcascade_{name}.xml"
        if not hasattr(cv2, "CascadeClassifier") or not path.is_file():
            raise ModelError(
                f"OpenCV {cv2.__version__} comes without the face cascade {path.name}: "
                'install it anew with pip install "opencv-python-headless>=4.14,<5"'
            )
        self._classifier = cv2.CascadeClassifier(str(path))
        self._lock = Lock()

    def find(
        self, grey: Image, *, step: float, hits: int, smallest: float = 0, largest: float | None = None
    ) -> list[Detection]:
        """Return the faces in a grey picture.

        Args:
            grey: (H, W) uint8.
            step: ratio, above 1, between one face size searched and the next.
            hits: how many overlapping windows make a face.
            smallest: width of the smallest face in pixels.
            largest: width of the largest face in pixels; None for no limit.
        """
        limit = round(largest) if largest else 0
        with self._lock:
            boxes, counts = self._classifier.detectMultiScale2(
                grey, scaleFactor=step, minNeighbors=hits, minSize=(round(smallest),) * 2, maxSize=(limit,) * 2
            )
        return [
            Detection(Box(*(int(v) for v in box)), int(count))
            for box, count in zip(boxes, np.ravel(counts), strict=True)
        ]


class FaceDetector:
    """Searches whole pictures for faces; safe to use from several threads."""

    def __init__(self, settings: DetectorSettings) -> None:
        """Load the cascades that the settings ask for.

        Raises:
            ModelError: a cascade is missing.
        """
        self._settings = settings
        self._frontal = Cascade("frontalface_default")
        self._profile = Cascade("profileface") if settings.profile else None

    def detect(self, image: Image) -> list[Box]:
        """Return the faces in a picture, from left to right, framed as Haar frames them.

        Args:
            image: (H, W), (H, W, 3) BGR or (H, W, 4) BGRA; 8 or 16 bits a channel.
        """
        grey = to_grey(image)
        smallest = max(WINDOW, self._settings.min_face * min(grey.shape))
        scale = min(1.0, 2 * WINDOW / smallest)
        grey, whole = shrink(grey, scale), grey.shape
        found = self._find(self._frontal, grey, smallest * scale)
        if self._profile:
            # The cascade knows one side of the head only; the mirrored picture shows it the other.
            found += self._find(self._profile, grey, smallest * scale)
            mirrored = self._find(self._profile, cv2.flip(grey, 1), smallest * scale)
            found += [Detection(_mirror(d.box, grey.shape[1]), d.hits) for d in mirrored]
        boxes = (clip_box(_as_tuple(d.box, 1 / scale), whole) for d in strongest(found))
        return sorted((box for box in boxes if box), key=lambda box: box.x)

    def _find(self, cascade: Cascade, grey: Image, smallest: float) -> list[Detection]:
        settings = self._settings
        return cascade.find(grey, step=settings.scale_factor, hits=settings.min_neighbors, smallest=smallest)


def to_grey(image: NDArray[np.uint8] | NDArray[np.uint16]) -> Image:
    """Return a picture as (H, W) uint8: grey as it is, BGR and BGRA converted, 16 bits cut to 8."""
    pixels: Image = (image >> 8).astype(np.uint8) if image.dtype == np.uint16 else image.astype(np.uint8, copy=False)
    if pixels.ndim == 2:
        return pixels
    if pixels.shape[2] == 1:
        return pixels[:, :, 0]
    return cv2.cvtColor(pixels, cv2.COLOR_BGRA2GRAY if pixels.shape[2] == 4 else cv2.COLOR_BGR2GRAY)


def shrink(grey: Image, scale: float) -> Image:
    """Return the picture at `scale` (at most 1) of its size; the picture itself where that is 1."""
    if scale >= 1:
        return grey
    height, width = grey.shape
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA)


def clip_box(box: tuple[float, float, float, float], shape: tuple[int, ...]) -> Box | None:
    """Return x, y, width, height as a Box inside a picture of `shape` (height, width, ...); None if nothing is left."""
    x, y, width, height = box
    left, top = max(0, round(x)), max(0, round(y))
    right, bottom = min(shape[1], round(x + width)), min(shape[0], round(y + height))
    return Box(left, top, right - left, bottom - top) if right > left and bottom > top else None


def strongest(detections: list[Detection]) -> list[Detection]:
    """Return one detection a face: of those that cover one another, the one with the most hits."""
    kept: list[Detection] = []
    for detection in sorted(detections, key=lambda d: d.hits, reverse=True):
        if all(_shared(detection.box, other.box) < _SAME_FACE for other in kept):
            kept.append(detection)
    return kept


def _shared(a: Box, b: Box) -> float:
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    return max(0, width) * max(0, height) / min(a.width * a.height, b.width * b.height)


def _mirror(box: Box, width: int) -> Box:
    return Box(width - box.x - box.width, box.y, box.width, box.height)


def _as_tuple(box: Box, scale: float) -> tuple[float, float, float, float]:
    return box.x * scale, box.y * scale, box.width * scale, box.height * scale
