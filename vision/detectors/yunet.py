"""YuNet (Wu, Peng and Yu, 2023, Machine Intelligence Research 20): faces of 10 to 300 pixels, with five points each.

What it says of a face becomes a square as Haar's cascade frames faces, turned as the head is.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import atan2, degrees, hypot, sqrt
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from entities import Image
from vision.crops import upright
from vision.detectors.detector import SAME_FACE, Detection, strongest
from vision.detectors.yunet_network import WEIGHTS, YuNetNetwork, check
from vision.geometry import Square
from vision.pixels import resize, to_colour

PROFILE: Final = 45.0
"""Degrees of yaw from which a face is seen from the side: FER2013 has few that are turned further."""

_SURE: Final = 0.8
"""What scores less has to score that much in a closer look: real faces nearly always do, and nothing else does."""
_PIXELS: Final = 12
"""The smallest face that is wanted is shown to the network this many pixels wide, in one of many frames."""
_THOROUGH_PIXELS: Final = 20
"""The same in a single picture."""
_LARGEST: Final = 1600
"""Longer side, in pixels, of what the network is shown at most."""
_ENLARGED: Final = 4.0
"""How many times, at most, a small picture is enlarged for it."""
_TURNS: Final = (-35.0, 35.0)
"""Degrees by which a single picture is also turned: beyond some 45, the network misses faces."""
_SIDE: Final = 2.0
"""Side of the square, in geometric means of the distance between the eyes and that from eyes to mouth."""
_RISE: Final = 0.03
"""The square's middle is this share of its side above the middle between eyes and mouth."""
_NOSE: Final = 0.43
"""How far the tip of the nose is before the eyes, in distances between the eyes: 27 of 63 mm."""
_FURTHER: Final = 1.5
"""A face is turned by this many times what the points say of its roll, which is less than it is."""
_STRAIGHT: Final = 0.7
"""Degrees of roll below which a picture of a face is upright."""
_SAME_PLACE: Final = 0.2
"""How far a settled face may be from where it is found, in widths of it: the whole picture tells it coarsely."""
_SAME_SIZE: Final = 0.2
"""How much larger or smaller it may be found."""
_LOOKS: Final = 3
"""How often, at most, a new face of a video is looked at closer; a known one once, as upright as it was before."""
_THOROUGH_LOOKS: Final = 6
"""The same in a single picture."""
_LOOK_PIXELS: Final = 112
"""Width of what is looked at."""
_LOOK_ROOM: Final = 1.8
"""The same in widths of the face."""
_LOOK_NEAR: Final = 0.25
"""How far from its middle the face may be, in widths of what is looked at."""


class YuNet:
    """The detector; safe to use from several threads."""

    name = "yunet"
    title = "YuNet"
    min_face = 0.04

    def __init__(self, weights: Path = WEIGHTS) -> None:
        """Load the network.

        Raises:
            ModelError: the file is missing, or another than YuNet's; says what to do.
        """
        check(weights)
        self._network, self._closer = YuNetNetwork(weights), YuNetNetwork(weights)

    def find(
        self,
        image: Image,
        smallest: float,
        *,
        thorough: bool,
        known: Sequence[Square] = (),
        settled: Sequence[Detection] = (),
    ) -> list[Detection]:
        """Return the faces in a picture, as `Detector` says; each that is not settled is looked at closer."""
        colour = to_colour(image)
        scale = (_THOROUGH_PIXELS if thorough else _PIXELS) / smallest
        scale = min(scale, _LARGEST / max(colour.shape), _ENLARGED)
        if min(colour.shape[:2]) * scale < _PIXELS:
            return []
        found = [_detection(points).scaled(1 / scale) for points in self._run(resize(colour, scale))]
        if thorough:
            found += [detection for turn in _TURNS for detection in self._find_turned(colour, scale, turn)]
        seen = [
            _same(detection, settled) or self._look_closer(colour, detection, known, thorough=thorough)
            for detection in strongest(found)
        ]
        return strongest([detection for detection in seen if detection and detection.face.size >= smallest])

    def _run(self, image: Image) -> NDArray[np.float32]:
        return self._network.run([image])[0]

    def _find_turned(self, image: Image, scale: float, turn: float) -> list[Detection]:
        """Return the faces that the network finds when the picture is turned back by so many degrees."""
        height, width = image.shape[:2]
        whole = Square.around(width / 2, height / 2, hypot(width, height), turn)
        turned = self._run(upright(image, whole.corners(), round(whole.size * scale)))
        found = [_detection(points).scaled(1 / scale) for points in turned]
        return [replace(detection, face=detection.face.within(whole)) for detection in found]

    def _look_closer(
        self, image: Image, first: Detection, known: Sequence[Square], *, thorough: bool
    ) -> Detection | None:
        """Return a face as it is found in pictures of it alone; None if it was doubtful and is so still."""
        looks = _THOROUGH_LOOKS if thorough else _LOOKS
        start = first
        before = max(known, key=first.face.overlap, default=None)
        if before is not None and first.face.overlap(before) >= SAME_FACE:
            roll = max(before.roll, first.face.roll, key=abs)
            start, looks = replace(first, face=replace(first.face, roll=roll)), 1
        closer = self._straightened(image, start, looks)
        if closer is None:
            return first if first.score >= _SURE else None
        return closer if max(first.score, closer.score) >= _SURE else None

    def _straightened(self, image: Image, first: Detection, looks: int) -> Detection | None:
        """Return a face as it is found in pictures that are turned upright by what the one before said.

        What the points say of the roll falls short, so that each look takes but part of what is left of it.
        """
        detection = first
        for _ in range(looks):
            room = Square.around(*detection.face.middle, detection.face.size * _LOOK_ROOM, detection.face.roll)
            seen = self._look(upright(image, room.corners(), _LOOK_PIXELS))
            if seen is None:
                break
            face = seen.face.scaled(room.size / _LOOK_PIXELS).within(room)
            roll = room.roll + _FURTHER * seen.face.roll
            detection = replace(seen, face=replace(face, roll=roll))
            if abs(seen.face.roll) < _STRAIGHT:
                break
        return None if detection is first else detection

    def _look(self, picture: Image) -> Detection | None:
        """Return the face in the middle of a picture, the mean of what is seen there and in a mirror; None if none is.

        The mean halves the tremble of the points, and what they are wrong by on one side only.
        """
        straight, mirrored = self._closer.run([picture, cv2.flip(picture, 1)])
        seen = [*straight, *map(_mirrored, mirrored)]
        middle = Square(0, 0, _LOOK_PIXELS)
        near = [points for points in seen if _detection(points).face.distance(middle) < _LOOK_NEAR]
        return _detection(np.mean(near, axis=0)) if near else None


def _detection(found: NDArray[np.float32]) -> Detection:
    """Return what one row of the network's answer says."""
    right_eye, left_eye, nose, right_mouth, left_mouth = found[4:14].astype(float).reshape(5, 2)
    eyes, mouth = (right_eye + left_eye) / 2, (right_mouth + left_mouth) / 2
    down = mouth - eyes
    length = max(float(np.hypot(*down)), 1e-6)
    down /= length
    right = np.array([down[1], -down[0]])
    apart = max(float((left_eye - right_eye) @ right), 0.0)
    # Both are seen shortened where a head is turned, and the nose aside by as much as it stands out.
    aside = float((nose - (eyes + mouth) / 2) @ right) / _NOSE
    yaw = degrees(atan2(aside, apart))
    side = _SIDE * sqrt(hypot(apart, aside) * length)
    x, y = (eyes + mouth) / 2 - _RISE * side * down
    roll = degrees(atan2(-down[0], down[1]))
    return Detection(Square.around(x, y, side, roll), float(found[14]), yaw=yaw, profile=abs(yaw) > PROFILE)


def _same(found: Detection, settled: Sequence[Detection]) -> Detection | None:
    """Return the settled face that was found again, about where and as large as it was; None if there is none."""
    for face in settled:
        if found.face.distance(face.face) <= _SAME_PLACE and abs(1 - found.face.size / face.face.size) <= _SAME_SIZE:
            return replace(face, score=found.score)
    return None


def _mirrored(found: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a row of the network's answer for the mirror image of a closer look."""
    turned = found.copy()
    turned[0] = _LOOK_PIXELS - found[0] - found[2]
    points = found[4:14].reshape(5, 2)[[1, 0, 2, 4, 3]]  # left and right change places
    turned[4:14] = (points * (-1, 1) + (_LOOK_PIXELS, 0)).ravel()
    return turned
