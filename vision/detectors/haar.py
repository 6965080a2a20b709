"""OpenCV's Haar cascades (Viola and Jones, 2001; Lienhart and Maydt, 2002): upright faces that look this way.

A search proposes, and a close look decides: the false alarms of one cascade rarely fool another that was trained
differently, so a face seen from the front has to convince two. The stricter of them, which is also the faster, finds
known faces again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Final

import cv2
import numpy as np

from config import DetectorSettings
from entities import Image
from errors import ModelError
from vision.detectors.detector import SAME_FACE, Detection, strongest
from vision.geometry import Square
from vision.pixels import shrink, to_grey
from vision.pyramid import Pyramid

WINDOW: Final = 24
"""Smallest face, in pixels, that the frontal cascades were trained on."""

_COARSE_STEP: Final = 1.2
"""Ratio between one face size and the next in one of many frames, where another try will come soon."""


@dataclass(frozen=True, slots=True)
class _Look:
    """How closely a cascade looks at one place."""

    reach: float
    """How far from the expected place a face may be, in widths of it."""
    spread: float
    """How much larger or smaller than expected a face may be, as a ratio above 1."""
    pixels: int = 64
    """The face is shrunk to about this width."""


_CLOSE: Final = _Look(0.25, 1.35)
"""At something that might be a face."""
_KNOWN: Final = (_Look(0.25, 1.2, pixels=30), _Look(0.35, 1.35))
"""At a face that was there a moment ago: a glance, which is enough nearly always, and then a wider look."""


class Cascade:
    """One of the cascades that come with OpenCV; safe to use from several threads."""

    def __init__(self, name: str, *, mirrored: bool = False) -> None:
        """Load the cascade; `mirrored` finds the mirror image of what it was trained on.

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
        self._mirrored = mirrored
        self._lock = Lock()

    def find(
        self, grey: Image, *, step: float, hits: int, smallest: float = 0, largest: float | None = None
    ) -> list[Detection]:
        """Return the faces in a grey picture; the score of each is how many overlapping windows took it for one.

        Args:
            grey: (H, W) uint8.
            step: ratio, above 1, between one face size searched and the next.
            hits: a face needs more overlapping windows than this.
            smallest: width of the smallest face in pixels.
            largest: width of the largest face in pixels; None for no limit.
        """
        limit = round(largest) if largest else 0
        with self._lock:
            boxes, counts = self._classifier.detectMultiScale2(
                cv2.flip(grey, 1) if self._mirrored else grey,
                scaleFactor=step,
                minNeighbors=hits,
                minSize=(round(smallest),) * 2,
                maxSize=(limit,) * 2,
            )
        width = grey.shape[1]
        return [
            Detection(Square(width - x - size if self._mirrored else x, y, size), float(count))
            for (x, y, size, _), count in zip(np.array(boxes, int).tolist(), np.ravel(counts), strict=True)
        ]


class Haar:
    """The detector; safe to use from several threads."""

    name = "haar"
    min_face = 0.08
    exact = False

    def __init__(self, settings: DetectorSettings) -> None:
        """Load the cascades that the settings ask for.

        Raises:
            ModelError: a cascade is missing.
        """
        self._settings = settings
        self._frontal = Cascade("frontalface_default")
        self._strict = Cascade("frontalface_alt2")
        # That cascade knows one side of the head only.
        self._profiles = [Cascade("profileface", mirrored=m) for m in (False, True)] if settings.profile else []

    def find(self, image: Image, smallest: float, *, thorough: bool, known: Sequence[Square] = ()) -> list[Detection]:
        """Return the faces in a picture, as `Detector` says."""
        pyramid = Pyramid(to_grey(image))
        found = [seen for face in known if (seen := self._confirm(pyramid, face))]
        smallest = max(WINDOW, smallest)
        for view in (self._frontal, *self._profiles):
            for proposal in self._propose(view, pyramid, smallest, thorough=thorough):
                if all(proposal.face.overlap(other.face) < SAME_FACE for other in found):
                    seen = self._second_look(view, pyramid, proposal)
                    if seen:
                        found.append(replace(seen, profile=view is not self._frontal))
        return strongest(found)

    def _propose(self, view: Cascade, pyramid: Pyramid, smallest: float, *, thorough: bool) -> list[Detection]:
        """Return where faces might be."""
        if thorough:
            settings, scale = self._settings, min(1.0, 2 * WINDOW / smallest)
            small = shrink(pyramid[0], scale)
            found = view.find(small, step=settings.scale_factor, hits=settings.min_neighbors, smallest=smallest * scale)
            return strongest([d.scaled(1 / scale) for d in found])
        found = []
        for level, low, high in _octaves(pyramid, smallest):
            octave = view.find(
                pyramid[level], step=_COARSE_STEP, hits=1, smallest=low / 2**level, largest=high / 2**level
            )
            found += [d.scaled(2**level) for d in octave]
        return strongest(found)

    def _second_look(self, view: Cascade, pyramid: Pyramid, proposal: Detection) -> Detection | None:
        """Return the face at a proposal; None if on a close look there is none."""
        needed: float = self._settings.min_neighbors
        place, score = proposal.face, 0.0
        if view is self._frontal:
            strict = self._look(self._strict, pyramid, place, _CLOSE)
            if strict is None:
                return None
            place, score, needed = strict.face, strict.score, 1.5 * needed
        seen = self._look(view, pyramid, place, _CLOSE)
        if seen is None or seen.score + score <= needed:
            return None
        return replace(seen, score=seen.score + score, certain=seen.score + score > 2 * needed)

    def _confirm(self, pyramid: Pyramid, near: Square) -> Detection | None:
        """Return where a known face is; None if it is not seen."""
        for look in _KNOWN:
            for view in (self._strict, *self._profiles):
                seen = self._look(view, pyramid, near, look)
                if seen:
                    return replace(seen, profile=view is not self._strict)
        return None

    def _look(self, view: Cascade, pyramid: Pyramid, near: Square, look: _Look) -> Detection | None:
        """Return the surest face near to where one is expected, of about the expected size."""
        level = pyramid.level_for(near.size, look.pixels)
        picture = pyramid[level]
        expected = near.scaled(1 / 2**level)
        margin = look.reach * expected.size
        left, top = max(0, round(expected.x - margin)), max(0, round(expected.y - margin))
        right, bottom = round(expected.x + expected.size + margin), round(expected.y + expected.size + margin)
        area = picture[top:bottom, left:right]
        scale = min(1.0, look.pixels / expected.size)
        if min(area.shape) * scale < WINDOW:
            return None
        found = view.find(
            shrink(area, scale),
            step=self._settings.scale_factor,
            hits=1,
            smallest=scale * expected.size / look.spread,
            largest=scale * expected.size * look.spread,
        )
        seen = max(found, key=lambda d: d.score, default=None)
        return seen and replace(seen, face=seen.face.scaled(1 / scale).moved(left, top).scaled(2**level))


def _octaves(pyramid: Pyramid, low: float) -> Iterator[tuple[int, float, float]]:
    """Yield level, smallest and largest face so that each is searched where it is one to two windows wide."""
    largest = min(pyramid.shape)
    while low <= largest:
        level = pyramid.level_for(low, WINDOW)
        high = min(largest, WINDOW * 2.0 ** (level + 1))
        yield level, low, high
        low = high * 1.0001
