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
from vision.geometry import Square

WINDOW: Final = 24
"""Smallest face, in pixels, that the frontal cascades were trained on."""

SAME_FACE: Final = 0.5
"""Two detections are one face if this share of the smaller one lies inside the other."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A face found in a picture."""

    face: Square
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
        self,
        grey: Image,
        *,
        step: float,
        hits: int,
        smallest: float = 0,
        largest: float | None = None,
        mirrored: bool = False,
    ) -> list[Detection]:
        """Return the faces in a grey picture.

        Args:
            grey: (H, W) uint8.
            step: ratio, above 1, between one face size searched and the next.
            hits: a face needs more overlapping windows than this.
            smallest: width of the smallest face in pixels.
            largest: width of the largest face in pixels; None for no limit.
            mirrored: look for the mirror image of what the cascade was trained on.
        """
        limit = round(largest) if largest else 0
        with self._lock:
            boxes, counts = self._classifier.detectMultiScale2(
                cv2.flip(grey, 1) if mirrored else grey,
                scaleFactor=step,
                minNeighbors=hits,
                minSize=(round(smallest),) * 2,
                maxSize=(limit,) * 2,
            )
        width = grey.shape[1]
        return [
            Detection(Square(width - x - size if mirrored else x, y, size), int(count))
            for (x, y, size, _), count in zip(np.array(boxes, int).tolist(), np.ravel(counts), strict=True)
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
        small = shrink(grey, scale)
        found = self._find(self._frontal, small, smallest * scale)
        if self._profile:
            # The cascade knows one side of the head only; the mirrored picture shows it the other.
            found += self._find(self._profile, small, smallest * scale)
            found += self._find(self._profile, small, smallest * scale, mirrored=True)
        boxes = (d.face.scaled(1 / scale).box(grey.shape) for d in strongest(found))
        return sorted((box for box in boxes if box), key=lambda box: box.x)

    def _find(self, cascade: Cascade, grey: Image, smallest: float, *, mirrored: bool = False) -> list[Detection]:
        return cascade.find(
            grey,
            step=self._settings.scale_factor,
            hits=self._settings.min_neighbors,
            smallest=smallest,
            mirrored=mirrored,
        )


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
    height, width = grey.shape
    size = max(1, round(width * scale)), max(1, round(height * scale))
    whole = min(int(1 / scale), height, width)
    if whole > 1:
        # Averaging a whole number of pixels is many times faster than a broken one; the rest may be interpolated.
        rows, columns = height // whole, width // whole
        grey = cv2.resize(grey[: rows * whole, : columns * whole], (columns, rows), interpolation=cv2.INTER_AREA)
    return grey if size == grey.shape[::-1] else cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR)


def strongest(detections: list[Detection]) -> list[Detection]:
    """Return one detection a face: of those that cover one another, the one with the most hits."""
    kept: list[Detection] = []
    for detection in sorted(detections, key=lambda d: d.hits, reverse=True):
        if all(detection.face.overlap(other.face) < SAME_FACE for other in kept):
            kept.append(detection)
    return kept
