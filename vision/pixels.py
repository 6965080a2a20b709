"""Pictures in the form that detectors want: grey, and no larger than need be."""

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
