"""Which detector finds the faces, and how it is asked: here one is chosen, once for the whole application."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from config import DetectorSettings
from entities import Box, Image
from errors import ModelError
from vision.detectors.detector import Detection, Detector
from vision.detectors.haar import Haar
from vision.detectors.yunet import YuNet

DETECTORS: Final[dict[str, Callable[[DetectorSettings], Detector]]] = {"haar": Haar, "yunet": YuNet}
"""By the name that `detector.kind` gives them."""
BEST: Final = "yunet"
"""What auto means, where it can be used."""
ALWAYS: Final = "haar"
"""What needs no file of its own."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The detector that is used, and why not another."""

    detector: Detector
    note: str
    """Which one it is, in a sentence for the user, and what the better one, or the one asked for, would need."""
    fallback: bool = False
    """Whether another was asked for by name."""


@lru_cache(maxsize=4)
def choose(settings: DetectorSettings) -> Choice:
    """Return the detector that the settings ask for; Haar where that one cannot be used.

    Raises:
        ModelError: Haar's cascades are missing.
    """
    kind = BEST if settings.kind == "auto" else settings.kind
    try:
        return Choice(DETECTORS[kind](settings), f"{DETECTORS[kind].__name__} finds the faces.")
    except ModelError as error:
        if kind == ALWAYS:
            raise
        note = f"Haar finds the faces; {DETECTORS[kind].__name__} would find more. {error} Then start again."
        return Choice(DETECTORS[ALWAYS](settings), note, fallback=settings.kind == kind)


class FaceDetector:
    """Searches single pictures for faces; safe to use from several threads."""

    def __init__(self, settings: DetectorSettings) -> None:
        """Load the detector that the settings ask for.

        Raises:
            ModelError: Haar's cascades are missing.
        """
        choice = choose(settings)
        self._detector, self.note = choice.detector, choice.note
        self.kind = choice.detector.name
        self._share = settings.min_face or choice.detector.min_face

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
