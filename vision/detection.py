"""Which detector finds the faces, and how it is asked: here one is chosen, once for the whole application."""

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Final

import numpy as np

from config import DetectorSettings
from entities import Box, Image
from errors import ModelError
from vision.detectors.detector import Detection, Detector
from vision.detectors.haar import Haar
from vision.detectors.yunet import YuNet

DETECTORS: Final[dict[str, Callable[[], Detector]]] = {"yunet": YuNet, "haar": Haar}
"""By the name that `detector.kind` gives them."""
BEST: Final = "yunet"
"""What auto means."""


@lru_cache(maxsize=len(DETECTORS))
def _load(kind: str) -> Detector:
    return DETECTORS[kind]()


def load_detector(settings: DetectorSettings) -> Detector:
    """Return the detector that the settings ask for, the same one each time.

    Raises:
        ModelError: a file that it needs is missing or damaged.
    """
    return _load(BEST if settings.kind == "auto" else settings.kind)


def warm_up(settings: DetectorSettings) -> None:
    """Load the detector and have it compiled, so that the first frame does not wait; what is wrong is told then."""
    with suppress(ModelError):
        load_detector(settings).find(np.zeros((480, 640, 3), np.uint8), 24, thorough=False)


class FaceDetector:
    """Searches single pictures for faces; safe to use from several threads."""

    def __init__(self, settings: DetectorSettings) -> None:
        """Load the detector that the settings ask for.

        Raises:
            ModelError: a file that it needs is missing or damaged.
        """
        self._detector = load_detector(settings)
        self.kind = self._detector.name
        self._share = settings.min_face or self._detector.min_face

    def find(self, image: Image) -> list[Detection]:
        """Return the faces in a picture with what is known of each, from left to right.

        Args:
            image: (H, W), (H, W, 3) BGR or (H, W, 4) BGRA; 8 or 16 bits a channel.
        """
        found = self._detector.find(image, self._share * min(image.shape[:2]), thorough=True)
        return sorted((d for d in found if d.face.box(image.shape)), key=lambda d: d.face.x)

    def detect(self, image: Image) -> list[Box]:
        """Return the faces in a picture, as `find` does: upright boxes, framed as the network wants them."""
        return [box for detection in self.find(image) if (box := detection.face.box(image.shape))]
