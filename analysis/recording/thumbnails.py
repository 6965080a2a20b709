"""Small pictures of faces, by which people see who is who."""

from base64 import b64encode
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np

from entities import Box, Image
from vision.annotation import encode_jpeg

SIDE: Final = 72
"""Pixels of a thumbnail, which is square."""
MARGIN: Final = 0.15
"""Around the face, as a share of its box."""
_BETTER: Final = 1.3
"""A face has to be so many times as large as before to be cut out again."""
_QUALITY: Final = 80


class Thumbnails:
    """The largest picture of each face of a video, as far as it has been seen."""

    def __init__(self) -> None:
        self._pictures: dict[int, tuple[int, Image]] = {}

    def offer(self, number: int, box: Box, picture: Image) -> None:
        """Cut the face out of a (H, W, 3) BGR picture, if it is clearly larger there than before."""
        area = box.width * box.height
        if number not in self._pictures or area > _BETTER * self._pictures[number][0]:
            self._pictures[number] = area, cut(picture, box)

    def address(self, number: int) -> str:
        """Return a face's picture as a data: address; empty where there is none."""
        return data_address(self._pictures[number][1]) if number in self._pictures else ""


def cut(picture: Image, box: Box) -> Image:
    """Return a (SIDE, SIDE, 3) picture of the face in the box, with what is around it."""
    side = max(1, round(max(box.width, box.height) * (1 + 2 * MARGIN)))
    left, top = box.x + (box.width - side) // 2, box.y + (box.height - side) // 2
    padded = cv2.copyMakeBorder(
        picture[max(0, top) : max(0, top + side), max(0, left) : max(0, left + side)],
        max(0, -top),
        max(0, top + side - picture.shape[0]),
        max(0, -left),
        max(0, left + side - picture.shape[1]),
        cv2.BORDER_REPLICATE,
    )
    return np.asarray(cv2.resize(padded, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def cut_from_video(path: Path, time: float, box: Box) -> str:
    """Return a face that an annotated video shows at a time (seconds), as a data: address; empty if it is over."""
    with av.open(f"file:{path}") as container:
        stream = container.streams.video[0]
        container.seek(round(time * 1e6))
        for frame in container.decode(stream):
            if frame.time >= time - 1e-3:
                return data_address(cut(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8), box))
    return ""


def data_address(picture: Image, quality: int = _QUALITY) -> str:
    """Return a picture as a data: address, which needs no file of its own; quality is JPEG's, 1-100."""
    return "data:image/jpeg;base64," + b64encode(encode_jpeg(picture, quality)).decode()
