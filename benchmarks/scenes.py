"""What is measured: videos at a given size, and a scene of many faces made from one of them."""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from config import DetectorSettings
from entities import Box, Frame, Image
from errors import SourceError
from vision.pixels import letterboxed
from vision.tracking import FaceTracker
from vision.video.video_file import VideoFile

_APART: Final = 5
"""Frames between what neighbours in a scene of many faces do."""
_ROOM: Final = 1.7
"""Width of a tile in widths of its face."""


@dataclass(frozen=True, slots=True)
class VideoScene:
    """A video, fitted into a size with bars at the sides where its shape is another."""

    path: Path
    size: tuple[int, int]

    @property
    def name(self) -> str:
        """The file and the size."""
        return f"{self.path.stem} {self.size[0]}x{self.size[1]}"

    def frames(self) -> Iterator[Frame]:
        """Yield the frames.

        Raises:
            SourceError: The video cannot be read.

        """
        with VideoFile(self.path) as video:
            for frame in video.frames():
                yield Frame(letterboxed(frame.image, *self.size), frame.index, frame.captured_at, frame.time)


@dataclass(frozen=True, slots=True)
class CrowdScene:
    """Many times the face of a video, side by side, each a moment behind the one before, every other one mirrored."""

    path: Path
    size: tuple[int, int]
    faces: int

    @property
    def name(self) -> str:
        """The number of faces and the size."""
        return f"{self.faces} faces {self.size[0]}x{self.size[1]}"

    @property
    def _columns(self) -> int:
        return max(1, round(math.sqrt(2 * self.faces)))  # twice as many as rows, since pictures are wide

    def frames(self) -> Iterator[Frame]:
        """Yield the frames, from the first in which the video shows a face.

        Raises:
            SourceError: The video cannot be read, or shows no face.

        """
        rows = -(-self.faces // self._columns)
        tile = self.size[0] // self._columns, self.size[1] // rows
        tracker = FaceTracker(DetectorSettings())
        past: deque[Image] = deque(maxlen=_APART * (self.faces - 1) + 1)
        face: Box | None = None
        with VideoFile(self.path) as video:
            for frame in video.frames():
                tracks = tracker.update(frame.image, frame.captured_at)
                face = max((track.box for track in tracks), key=lambda box: box.width, default=face)
                if face:
                    past.appendleft(_portrait(frame.image, face, tile))
                    yield Frame(self._compose(past, tile), frame.index, frame.captured_at, frame.time)
        if face is None:
            raise SourceError(f"{self.path} shows no face to make a scene of many from: choose another, or --faces 0.")

    def _compose(self, past: deque[Image], tile: tuple[int, int]) -> Image:
        canvas = np.full((self.size[1], self.size[0], 3), 110, np.uint8)
        for number in range(self.faces):
            picture = past[min(_APART * number, len(past) - 1)]
            row, column = divmod(number, self._columns)
            place = Box(column * tile[0], row * tile[1], *tile).crop(canvas)
            place[:] = picture[:, ::-1] if number % 2 else picture
        return canvas


Scene = VideoScene | CrowdScene
"""Frames of one size that can be gone through again and again; their times are seconds of the video."""


def own_size(path: Path) -> tuple[int, int]:
    """Return a video's width and height.

    Raises:
        SourceError: It cannot be read.

    """
    with VideoFile(path) as video:
        return video.info.width, video.info.height


def _portrait(image: Image, face: Box, tile: tuple[int, int]) -> Image:
    """Return a face in the middle of a picture of the tile's size."""
    width = face.width * _ROOM
    size = round(width), round(width * tile[1] / tile[0])
    middle = face.x + face.width / 2, face.y + face.height / 2
    part = cv2.getRectSubPix(image, size, middle)
    return np.asarray(cv2.resize(part, tile, interpolation=cv2.INTER_AREA), np.uint8)
