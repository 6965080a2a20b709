"""How well faces are found, and their expressions told, in pictures that are turned or made smaller."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from entities import Image
from vision.crops import crop_face
from vision.detection import FaceDetector
from vision.detectors.detector import Detection
from vision.pictures import is_picture, read_picture
from vision.pixels import to_grey
from vision.video.video_file import VideoFile

ANGLES: Final = (0, 20, -20, 40, -40)
"""Degrees, clockwise."""
SCALES: Final = (0.5, 0.25)
FRAME_STEP: Final = 12
"""Of a video, each so many frames one is taken."""
MAX_MEGAPIXELS: Final = 50.0
NEAR: Final = 0.3
"""A face is found again if its middle is no further off than this, in widths of it."""

Predict = Callable[[Sequence[Image]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class _Seen:
    """The faces of one picture."""

    found: list[Detection]
    probabilities: NDArray[np.float32]


def load_pictures(paths: Sequence[Path]) -> list[Image]:
    """Return the pictures, and some frames of the videos, of these files, BGR.

    Raises:
        FacialExpressionError: One cannot be read.

    """
    pictures = []
    for path in paths:
        if is_picture(path):
            pictures.append(read_picture(path, MAX_MEGAPIXELS).image)
        else:
            with VideoFile(path) as video:
                pictures += [frame.image for frame in video.frames() if frame.index % FRAME_STEP == 0]
    return pictures


def measure_turning(detector: FaceDetector, predict: Predict, pictures: Sequence[Image]) -> dict[str, Any]:
    """Return the share of faces found, and how often the answer is that for the picture as it was.

    Args:
        detector: Finds the faces.
        predict: Names their expressions, as `Classifier.predict`.
        pictures: BGR or grey; what the detector finds in them as they are is what there is to find.

    Returns:
        `faces`: how many there are; `conditions`: by name, `found` and `agreement` (shares, 0-1; None without a face)
        and `false`, how many were found where none is.

    """

    def look(picture: Image) -> _Seen:
        found, grey = detector.find(picture), to_grey(picture)
        crops = [crop_face(grey, box, d.corners) for d in found if (box := d.face.box(grey.shape))]
        return _Seen(found, predict(crops))

    originals = [look(picture) for picture in pictures]
    changes = {f"turned by {angle} degrees": (angle, 1.0) for angle in ANGLES}
    changes |= {f"at {scale:g} of its size": (0, scale) for scale in SCALES}
    conditions = {}
    for name, (angle, scale) in changes.items():
        seen = [
            (original, *_changed(look, picture, angle, scale))
            for picture, original in zip(pictures, originals, strict=True)
        ]
        conditions[name] = _summarise(seen)
    return {"faces": sum(len(seen.found) for seen in originals), "conditions": conditions}


def _changed(
    look: Callable[[Image], _Seen], picture: Image, angle: float, scale: float
) -> tuple[_Seen, NDArray[np.float64]]:
    """Return what is seen in the picture turned about its middle and scaled, and the (2, 3) matrix that did it."""
    height, width = picture.shape[:2]
    side = float(np.hypot(width, height)) if angle else 0.0  # room for all of it
    size = round(scale * max(side, width)), round(scale * max(side, height))
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -angle, scale)
    matrix[:, 2] += np.array(size) / 2 - (width / 2, height / 2)
    if angle:
        changed = cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    else:
        changed = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return look(np.asarray(changed, np.uint8)), np.asarray(matrix, float)


def _summarise(pictures: Sequence[tuple[_Seen, _Seen, NDArray[np.float64]]]) -> dict[str, float | None]:
    """Compare what is seen in changed pictures with what was seen before, given the matrices that changed them."""
    faces = found = agree = false = 0
    for before, after, matrix in pictures:
        scale = float(np.hypot(*matrix[0, :2]))
        left = set(range(len(after.found)))
        for face, answer in zip(before.found, before.probabilities, strict=True):
            place = matrix @ (*face.face.middle, 1.0)
            match = next((i for i in left if _near(after.found[i], place, face.face.size * scale)), None)
            if match is not None:
                left.remove(match)
                found += 1
                agree += int(after.probabilities[match].argmax() == answer.argmax())
        faces += len(before.found)
        false += len(left)
    return {
        "found": found / faces if faces else None,
        "agreement": agree / found if found else None,
        "false": false,
    }


def _near(detection: Detection, place: NDArray[np.float64], size: float) -> bool:
    x, y = detection.face.middle
    return float(np.hypot(x - place[0], y - place[1])) <= NEAR * size
