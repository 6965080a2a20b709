"""How good a picture of a face is: whether what a network says of it can be relied on."""

from dataclasses import dataclass
from math import hypot
from typing import Final

import cv2
import numpy as np

from entities import Face, Image
from vision.pixels import to_grey

_SIDE: Final = 48
"""Pixels to which a face is resized before it is judged: the network sees no more of it."""
_MIN_HEIGHT: Final = 24.0
_MIN_SHARPNESS: Final = 0.03
_BRIGHTNESS: Final = (40.0, 220.0)
_MIN_SCORE: Final = 0.7


@dataclass(frozen=True, slots=True)
class Quality:
    """The quality of one face's picture."""

    face_height: float
    """Pixels from chin to forehead, as the face is framed; more than the box has where the picture's edge cuts it."""
    sharpness: float
    """Variance of the Laplacian (Pech-Pacheco et al., 2000) of the face at 48x48, divided by the variance of its grey
    values, so that neither size nor contrast count: about 0.5 in a sharp photograph, 0.03 where it is blurred by a
    Gaussian whose sigma is 4 % of the width."""
    brightness: float
    """Mean grey value, 0-255."""
    score: float | None
    """How sure the detector is, 0-1; None where it gives no probability, as Haar."""
    profile: bool
    """Whether the face is seen from the side."""

    @property
    def usable(self) -> bool:
        """Whether a study may count the face.

        That is: seen from the front, 24 pixels high or more, sharpness at least 0.03, brightness 40 to 220, and a score
        of at least 0.7 where there is one.
        """
        return (
            not self.profile
            and self.face_height >= _MIN_HEIGHT
            and self.sharpness >= _MIN_SHARPNESS
            and _BRIGHTNESS[0] <= self.brightness <= _BRIGHTNESS[1]
            and (self.score is None or self.score >= _MIN_SCORE)
        )


def quality_of(face: Face, image: Image) -> Quality:
    """Judge the picture of a face.

    Args:
        face: Where it is.
        image: (H, W, 3) BGR or (H, W) grey uint8 that shows it.

    """
    crop = cv2.resize(to_grey(face.box.crop(image)), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    edges = cv2.Laplacian(crop, cv2.CV_32F)[1:-1, 1:-1]  # what is beyond the crop's own edge is not known
    (brightness, contrast), (_, contours) = (np.ravel(cv2.meanStdDev(picture)) for picture in (crop, edges))
    sharpness = float(contours / contrast) ** 2 if contrast else 0.0
    return Quality(_height(face), sharpness, float(brightness), face.score, face.profile)


def _height(face: Face) -> float:
    if not face.corners:
        return float(face.box.height)
    (left, top), _, _, (chin_left, chin_top) = face.corners
    return hypot(chin_left - left, chin_top - top)
