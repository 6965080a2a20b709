"""What lenses, sensors, compression and distance do to the picture of a face: a grey (h, w) uint8 array."""

import cv2
import numpy as np

from entities import Image


def blur(face: Image, sigma: float) -> Image:
    """Return the face out of focus, by a Gaussian whose standard deviation is in pixels."""
    return cv2.GaussianBlur(face, (0, 0), sigma)


def compress(face: Image, quality: int) -> Image:
    """Return the face as a JPEG of this quality, 0 to 100, keeps it."""
    _, jpeg = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE), np.uint8)


def darken(face: Image, light: float, noise: float, rng: np.random.Generator) -> Image:
    """Return the face in a share `light` of the light, with a sensor's noise of so many grey levels."""
    return np.clip(face * light + rng.normal(0, noise, face.shape), 0, 255).astype(np.uint8)


def coarsen(face: Image, pixels: int) -> Image:
    """Return the face enlarged from `pixels` x `pixels`, as from far away."""
    few = cv2.resize(face, (pixels, pixels), interpolation=cv2.INTER_AREA)
    return cv2.resize(few, face.shape[::-1], interpolation=cv2.INTER_LINEAR)


def move(
    face: Image, scale: float, shift: tuple[float, float], rotation: float = 0.0, *, mirrored: bool = False
) -> Image:
    """Return the face in another frame: scaled, shifted by shares of its width and height, turned by degrees."""
    height, width = face.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), rotation, scale)
    matrix[:, 2] += np.multiply(shift, (width, height))
    if mirrored:
        matrix = matrix @ np.array([[-1, 0, width - 1], [0, 1, 0], [0, 0, 1]], np.float64)
    moved: Image = cv2.warpAffine(face, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101)
    return moved
