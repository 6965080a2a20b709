"""Recordings that are unusual, made by the tests that need them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from entities import Image


def marked(width: int = 96, height: int = 64) -> Image:
    """Return a dark picture with a different colour in three corners, which tells all eight orientations apart."""
    image = np.full((height, width, 3), 20, np.uint8)
    rows, columns = height // 4, width // 4
    image[:rows, :columns] = (0, 0, 255)
    image[:rows, -columns:] = (0, 255, 0)
    image[-rows:, :columns] = (255, 0, 0)
    return image


ORIENTATIONS = {
    1: (1, 0, 0, 1),
    2: (-1, 0, 0, 1),
    3: (-1, 0, 0, -1),
    4: (1, 0, 0, -1),
    5: (0, 1, 1, 0),
    6: (0, 1, -1, 0),
    7: (0, -1, -1, 0),
    8: (0, -1, 1, 0),
}
"""EXIF's orientations (the picture as stored is to be ...) as the a, b, c, d of a display matrix, x' = ax + cy."""


def as_stored(upright: Image, orientation: int) -> Image:
    """Return how a picture is stored that is upright only after it was turned as an EXIF orientation says."""
    undo = {
        1: lambda image: image,
        2: lambda image: image[:, ::-1],
        3: lambda image: image[::-1, ::-1],
        4: lambda image: image[::-1],
        5: lambda image: image.swapaxes(0, 1),
        6: lambda image: np.rot90(image, 1),
        7: lambda image: np.rot90(image, 2).swapaxes(0, 1),
        8: lambda image: np.rot90(image, -1),
    }
    return np.ascontiguousarray(undo[orientation](upright))


def say_oriented(path: Path, orientation: int) -> Path:
    """Write a display matrix into an MP4's track header (ISO/IEC 14496-12, 8.3.2)."""
    a, b, c, d = ORIENTATIONS[orientation]
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    numbers = (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    for index, number in enumerate(numbers):
        data[matrix + 4 * index : matrix + 4 * index + 4] = number.to_bytes(4, "big", signed=True)
    path.write_bytes(data)
    return path


def encode(
    path: Path,
    frames: Sequence[av.VideoFrame],
    *,
    codec: str = "libx264",
    fps: int = 25,
    aspect: Fraction | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Write frames of one size and pixel format, as they are, with what they say about their colours."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps, options=options or {})
        assert isinstance(stream, av.VideoStream)
        first = frames[0]
        stream.width, stream.height, stream.pix_fmt = first.width, first.height, first.format.name
        context = stream.codec_context
        if aspect:
            context.sample_aspect_ratio = aspect
        context.color_trc, context.color_primaries = first.color_trc, first.color_primaries
        context.colorspace, context.color_range = first.colorspace, first.color_range
        for index, frame in enumerate(frames):
            frame.pts, frame.time_base = index, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def frame_of(image: Image, pixels: str = "yuv420p") -> av.VideoFrame:
    """Return a BGR picture as a frame."""
    return av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format=pixels)


def squeezed(image: Image, aspect: Fraction) -> Image:
    """Return a picture whose pixels, once they are `aspect` as wide as high, show the given one."""
    height, width = image.shape[:2]
    return np.asarray(cv2.resize(image, (round(width / aspect), height), interpolation=cv2.INTER_AREA), np.uint8)


def hdr_frame(image: Image, transfer: str) -> av.VideoFrame:
    """Return a BGR picture (BT.709) as a frame of BT.2020 in PQ or HLG, its white at 203 cd/m2 (ITU-R BT.2408)."""
    linear = (image[..., ::-1].astype(np.float64) / 255) ** 2.4
    to_bt2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
    light = linear @ to_bt2020.T * 203
    signal = pq(light) if transfer == "pq" else hlg(light)
    red, green, blue = signal[..., 0], signal[..., 1], signal[..., 2]
    luma = 0.2627 * red + 0.678 * green + 0.0593 * blue
    chroma = [(blue - luma) / 1.8814, (red - luma) / 1.4746]
    planes = [64 + 876 * luma, *(512 + 896 * cv2.resize(one, None, fx=0.5, fy=0.5) for one in chroma)]
    height, width = luma.shape
    stacked = np.concatenate([plane.ravel() for plane in planes]).round().astype(np.uint16)
    frame = av.VideoFrame.from_ndarray(stacked.reshape(height * 3 // 2, width), format="yuv420p10le")
    frame.color_trc = 16 if transfer == "pq" else 18
    frame.color_primaries, frame.colorspace, frame.color_range = 9, 9, 1
    return frame


def pq(light: np.ndarray) -> np.ndarray:
    """Return the signal (0-1) of light in cd/m2 by SMPTE ST 2084."""
    power = (light / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def hlg(light: np.ndarray) -> np.ndarray:
    """Return the signal (0-1) of light in cd/m2 on a display of 1000 by ARIB STD-B67 (ITU-R BT.2100)."""
    weights = np.array([0.2627, 0.678, 0.0593])
    shown = np.maximum(light / 1000, 1e-9)
    scene = shown * ((shown @ weights) ** (1 / 1.2 - 1))[..., None]
    high = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), high)


def interlaced_frames(images: Iterator[Image]) -> list[av.VideoFrame]:
    """Return frames of which each weaves together two pictures, one in its even and one in its odd rows."""
    pictures = list(images)
    woven = []
    for even, odd in zip(pictures[::2], pictures[1::2], strict=False):
        image = even.copy()
        image[1::2] = odd[1::2]
        woven.append(frame_of(image))
    return woven
