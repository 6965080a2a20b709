"""YuNet's network: pictures to boxes and five points a face.

OpenVINO runs it, in less than half the time of OpenCV's `cv2.FaceDetectorYN`, and it finds the same. The weights in
models/yunet/ are OpenCV Zoo's, under the MIT licence.
"""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from config import ROOT
from entities import Image
from errors import ModelError

WEIGHTS: Final = ROOT / "models" / "yunet" / "face_detection_yunet_2023mar.onnx"
SHA256: Final = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
"""Of that file."""
RESTORE: Final = "restore it with git checkout models/yunet, or take the detector haar."

_STRIDES: Final = (8, 16, 32)
"""Pixels from one cell to the next in the grids over a picture, for small, medium and large faces."""
_MULTIPLE: Final = _STRIDES[-1]
"""The sides of the network's input are multiples of this."""
_SCORE: Final = 0.6
"""What scores less is no face (scores are 0 to 1)."""
_OVERLAP: Final = 0.3
"""Of detections that share more than this of their union, only the surest is kept."""


class YuNetNetwork:
    """The network, compiled when it is first needed; safe to use from several threads, one of which computes."""

    def __init__(self, weights: Path = WEIGHTS) -> None:
        self._weights = weights
        self._lock = Lock()

    @cached_property
    def _request(self) -> Any:
        from network.runtime import compile_graph, read_picture_network  # which is slow to import

        return compile_graph(read_picture_network(of_any_size(self._weights.read_bytes())), threads=1)

    def run(self, pictures: Sequence[Image]) -> list[NDArray[np.float32]]:
        """Return the faces in each of several (H, W, 3) BGR pictures of one size: (n, 15), the surest first.

        A face is x, y, width, height, the x and y of right eye, left eye, nose, right and left corner of the mouth, all
        in pixels, and a score, 0-1.
        """
        height, width = pictures[0].shape[:2]
        padded = [-(-side // _MULTIPLE) * _MULTIPLE for side in (height, width)]
        batch = np.zeros((len(pictures), *padded, 3), np.uint8)
        batch[:, :height, :width] = pictures
        with self._lock:
            outputs = list(self._request.infer([batch]).values())
            found = [_decode(outputs[level :: len(_STRIDES)], batch.shape, level) for level in range(len(_STRIDES))]
        faces = np.concatenate([faces for faces, _ in found])
        number = np.concatenate([number for _, number in found])
        return [_distinct(faces[number == i]) for i in range(len(pictures))]


def _decode(
    outputs: Sequence[NDArray[np.float32]], shape: Sequence[int], level: int
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Return the faces of one grid as `YuNetNetwork.run` does, (n, 15), and in which picture (n,) each is.

    Args:
        outputs: For each cell of all pictures, how sure it is of a class, and of an object, a box, and five points.
        shape: Of the batch.
        level: Which of _STRIDES the grid has.
    """
    stride = _STRIDES[level]
    columns, cells = shape[2] // stride, shape[1] // stride * (shape[2] // stride)
    sure, there, box, points = (values.reshape(shape[0] * cells, -1) for values in outputs)
    scores = np.sqrt(sure.clip(0, 1) * there.clip(0, 1))[:, 0]
    hits = np.flatnonzero(scores >= _SCORE)
    corner = np.stack([hits % cells % columns, hits % cells // columns], axis=1)
    size = np.exp(box[hits, 2:])
    points = points[hits] + np.tile(corner, 5)
    rows = np.hstack([stride * np.hstack([corner + box[hits, :2] - size / 2, size, points]), scores[hits, None]])
    return rows.astype(np.float32), hits // cells


def _distinct(faces: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each face once, the surest first."""
    kept = cv2.dnn.NMSBoxes(faces[:, :4].tolist(), faces[:, 14].tolist(), _SCORE, _OVERLAP)
    return faces[np.array(kept, int)]


def of_any_size(weights: bytes) -> bytes:
    """Return the file for inputs of any size: it says 640 by 640, and of all runtimes only OpenCV passes over that."""
    # Dimensions of an ONNX file: the number 640, and as many bytes that give a name instead.
    number, height, width = b"\x0a\x03\x08\x80\x05", b"\x0a\x03\x12\x01h", b"\x0a\x03\x12\x01w"
    return weights.replace(2 * number, height + width, 1)


def check(weights: Path) -> None:
    """Raise ModelError where this is not the file of YuNet's weights; it says what to do."""
    try:
        found = hashlib.sha256(weights.read_bytes()).hexdigest()
    except OSError as error:
        reason = "is not there" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise ModelError(f"The face detector's file {weights} {reason}: {RESTORE}") from error
    if found != SHA256:
        raise ModelError(f"The face detector's file {weights} is damaged: {RESTORE}")
