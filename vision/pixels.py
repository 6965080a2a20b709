"""Pictures in other forms: grey or coloured, smaller, or with bars around them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from entities import Image


def to_8_bits(image: NDArray[np.uint8] | NDArray[np.uint16]) -> Image:
    """Return a picture with 8 bits a channel: 16 bits are cut."""
    return (image >> 8).astype(np.uint8) if image.dtype == np.uint16 else image.astype(np.uint8, copy=False)


def to_grey(image: NDArray[np.uint8] | NDArray[np.uint16]) -> Image:
    """Return a picture as (H, W) uint8: grey as it is, BGR and BGRA converted, 16 bits cut to 8."""
    pixels = to_8_bits(image)
    if pixels.ndim == 2:
        return pixels
    if pixels.shape[2] == 1:
        return pixels[:, :, 0]
    return cv2.cvtColor(pixels, cv2.COLOR_BGRA2GRAY if pixels.shape[2] == 4 else cv2.COLOR_BGR2GRAY)


def to_colour(image: NDArray[np.uint8] | NDArray[np.uint16]) -> Image:
    """Return a picture as (H, W, 3) uint8: BGR as it is, grey and BGRA converted, 16 bits cut to 8."""
    pixels = to_8_bits(image)
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
    return cv2.cvtColor(pixels, cv2.COLOR_BGRA2BGR) if pixels.shape[2] == 4 else pixels


def shrink(image: Image, scale: float) -> Image:
    """Return the picture at `scale` (at most 1) of its size; the picture itself where that is 1."""
    height, width = image.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    whole = min(int(1 / scale), height, width)
    if whole > 1:
        # Averaging a whole number of pixels is many times faster than a broken one; the rest may be interpolated.
        rows, columns = height // whole, width // whole
        image = cv2.resize(image[: rows * whole, : columns * whole], (columns, rows), interpolation=cv2.INTER_AREA)
    return image if size == image.shape[1::-1] else cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)


def resize(image: Image, scale: float) -> Image:
    """Return the picture at `scale` of its size, larger or smaller."""
    if scale <= 1:
        return shrink(image, scale)
    size = round(image.shape[1] * scale), round(image.shape[0] * scale)
    return cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)


def fitted_size(width: int, height: int, max_width: int, max_height: int) -> tuple[int, int]:
    """Return the size in pixels, shrunk to fit the limits with its proportions kept; never enlarged."""
    scale = min(1.0, max_width / width, max_height / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def shrunk(image: Image, max_width: int, max_height: int) -> Image:
    """Return the picture, shrunk to fit if it is larger: slower than `shrink`, and finer."""
    height, width = image.shape[:2]
    size = fitted_size(width, height, max_width, max_height)
    return image if size == (width, height) else cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def letterboxed(image: Image, width: int, height: int) -> Image:
    """Return the picture in the middle of one of this size, as large as its proportions let it be, with black bars."""
    if image.shape[:2] == (height, width):
        return image
    scale = min(width / image.shape[1], height / image.shape[0])
    inside = max(1, round(scale * image.shape[1])), max(1, round(scale * image.shape[0]))
    x, y = (width - inside[0]) // 2, (height - inside[1]) // 2
    canvas = np.zeros((height, width, 3), np.uint8)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas[y : y + inside[1], x : x + inside[0]] = cv2.resize(image, inside, interpolation=way)
    return canvas
