"""Clips of a known length with one and two faces, made from photographs and short videos."""

import shutil
from collections.abc import Iterator
from itertools import cycle, islice
from math import pi, sin
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np

from config import ROOT
from entities import Image
from vision.pictures import read_picture
from vision.pixels import letterboxed
from vision.video.video_file import VideoFile

SIZE: Final = (640, 360)
FPS: Final = 30
SAMPLES: Final = ROOT.parent / "shared" / "samples"
PORTRAITS: Final = ROOT / "tests" / "data"
_SCENES: Final = 4
"""How many clips differ; more are copies of these."""
_BORDER: Final = 24
"""Pixels by which a picture moves to and fro."""


def make_clips(folder: Path, count: int, seconds: float) -> list[Path]:
    """Write clips of 640x360 at 30 frames a second, in turn with one face and with two; return their paths.

    Faces come from the samples beside the repository where they are there, otherwise from two portraits.

    Args:
        folder: It is there already.
        count: How many.
        seconds: How long each is.

    """
    paths = [folder / f"clip-{number}.mp4" for number in range(count)]
    for number, path in enumerate(paths):
        if number < _SCENES:
            _write(path, _scene(number), round(seconds * FPS))
        else:
            shutil.copyfile(paths[number % _SCENES], path)
    return paths


def _scene(number: int) -> Iterator[Image]:
    """Yield pictures without end; even numbers show one face, odd ones two."""
    one, two = SAMPLES / "neutral_to_smile.mp4", SAMPLES / "two_faces_turning.mp4"
    moving = two if number % 2 else one
    if number < 2 and moving.is_file():
        return _swinging(_to_and_fro(moving), number)
    portraits = [PORTRAITS / name for name in ("astronaut.png", "grace_hopper.jpg")]
    first = portraits[number // 2 % len(portraits)]
    shown = [first] if number % 2 == 0 else portraits[:2]
    pictures = [letterboxed(read_picture(path, 1).image, SIZE[0] // len(shown), SIZE[1]) for path in shown]
    return _swinging(cycle([np.hstack(pictures)]), number)


def _to_and_fro(path: Path) -> Iterator[Image]:
    """Yield a video's pictures forwards and backwards, again and again."""
    with VideoFile(path) as video:
        pictures = [letterboxed(frame.image, *SIZE) for frame in video.frames()]
    return cycle([*pictures, *pictures[-2:0:-1]])


def _swinging(pictures: Iterator[Image], number: int) -> Iterator[Image]:
    """Yield the pictures as a camera in a hand would show them, with a little noise."""
    noise = np.random.default_rng(number).integers(0, 7, (SIZE[1] + 64, SIZE[0] + 64, 3), np.uint8)
    for index, picture in enumerate(pictures):
        across = round(_BORDER * sin(2 * pi * index / (7.3 * FPS)))
        down = round(_BORDER / 2 * sin(2 * pi * index / (5.1 * FPS) + number))
        moved = cv2.warpAffine(
            picture, np.array([[1, 0, across], [0, 1, down]], float), SIZE, borderMode=cv2.BORDER_REPLICATE
        )
        top, left = index * 7 % 64, index * 11 % 64
        yield np.asarray(cv2.add(moved, noise[top : top + SIZE[1], left : left + SIZE[0]]), np.uint8)


def _write(path: Path, pictures: Iterator[Image], count: int) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "superfast", "crf": "26"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for picture in islice(pictures, count):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    return path
