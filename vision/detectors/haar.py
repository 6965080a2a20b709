"""OpenCV's frontal Haar cascade (Viola and Jones, 2001; Lienhart and Maydt, 2002), with OpenCV's usual parameters.

It finds upright faces that look into the camera, takes some other things for faces, and tells no angles.
"""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Final

import cv2
import numpy as np

from entities import Image
from errors import ModelError
from vision.detectors.detector import Detection
from vision.geometry import Square
from vision.pixels import shrink, to_grey

CASCADE: Final = "haarcascade_frontalface_default.xml"
WINDOW: Final = 24
"""Smallest face, in pixels, that the cascade was trained on."""
STEP: Final = 1.1
"""Ratio between one face size and the next."""
MIN_NEIGHBORS: Final = 5
"""Windows that have to overlap, at least, to make a face."""


class Haar:
    """The detector; safe to use from several threads."""

    name = "haar"
    title = "a Haar cascade"
    min_face = 0.08

    def __init__(self) -> None:
        """Load the cascade.

        Raises:
            ModelError: this OpenCV has no cascades (5.0 dropped them), or the file is missing.
        """
        path = Path(cv2.__file__).parent / "data" / CASCADE
        if not hasattr(cv2, "CascadeClassifier") or not path.is_file():
            raise ModelError(
                f"OpenCV {cv2.__version__} comes without {CASCADE}: install it anew with "
                'pip install "opencv-python-headless>=4.14,<5", or take the detector yunet.'
            )
        self._classifier = cv2.CascadeClassifier(str(path))
        self._lock = Lock()

    def find(
        self,
        image: Image,
        smallest: float,
        *,
        thorough: bool,
        known: Sequence[Square] = (),  # noqa: ARG002 - each search is one by itself
        settled: Sequence[Detection] = (),  # noqa: ARG002
    ) -> list[Detection]:
        """Return the faces in a picture, as `Detector` says."""
        grey = to_grey(image)
        scale = min(1.0, (2 if thorough else 1) * WINDOW / smallest)
        least = max(WINDOW, round(smallest * scale))
        with self._lock:
            boxes, counts = self._classifier.detectMultiScale2(
                shrink(grey, scale), scaleFactor=STEP, minNeighbors=MIN_NEIGHBORS, minSize=(least, least)
            )
        return [
            Detection(Square(x, y, size).scaled(1 / scale), float(count))
            for (x, y, size, _), count in zip(np.array(boxes, int).tolist(), np.ravel(counts), strict=True)
        ]
