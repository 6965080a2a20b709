"""What cameras, compression and Haar's boxes do to a face, done at random to the training faces."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from entities import Image
from training.data.degradation import blur, coarsen, compress, darken, move


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Ranges of the random changes; each face draws its own."""

    rotation: float = 12.0
    """Degrees to either side."""
    scale: tuple[float, float] = (0.82, 1.15)
    """Size of the face; Haar's boxes vary about this much around FER2013's framing."""
    shift: float = 0.07
    """Share of the width and height, to either side."""
    brightness: float = 30.0
    """Grey levels up or down."""
    contrast: tuple[float, float] = (0.6, 1.4)
    degraded: float = 0.25
    """Share of faces that are blurred, re-compressed, enlarged from a few pixels, or dark and noisy."""
    erased: float = 0.5
    """Share of faces with one patch hidden, as by a hand or a mask (Zhong et al., 2017, arXiv:1708.04896)."""

    def __call__(self, face: Image, rng: np.random.Generator) -> Image:
        """Return a changed copy of a grey (h, w) uint8 face."""
        face = self._move(face, rng)
        if rng.random() < self.degraded:
            face = _degrade(face, rng)
        gain, offset = rng.uniform(*self.contrast), rng.uniform(-self.brightness, self.brightness)
        mean = float(face.mean())
        face = np.clip((face - mean) * gain + mean + offset, 0, 255).astype(np.uint8)
        if rng.random() < self.erased:
            _erase(face, rng)
        return face

    def _move(self, face: Image, rng: np.random.Generator) -> Image:
        scale, rotation = rng.uniform(*self.scale), rng.uniform(-self.rotation, self.rotation)
        across, down = rng.uniform(-self.shift, self.shift, 2)
        return move(face, scale, (across, down), rotation, mirrored=rng.random() < 0.5)


def _degrade(face: Image, rng: np.random.Generator) -> Image:
    kind = rng.integers(4)
    if kind == 0:
        return blur(face, rng.uniform(0.5, 1.2))
    if kind == 1:
        return compress(face, int(rng.integers(15, 60)))
    if kind == 2:
        return darken(face, rng.uniform(0.2, 0.7), rng.uniform(2, 10), rng)
    return coarsen(face, max(int(len(face) * rng.uniform(0.4, 0.8)), 8))


def _erase(face: Image, rng: np.random.Generator) -> None:
    height, width = (rng.uniform(0.12, 0.4, 2) * face.shape).astype(int)
    top, left = rng.integers(face.shape[0] - height + 1), rng.integers(face.shape[1] - width + 1)
    face[top : top + height, left : left + width] = rng.integers(256)


def share_images(images: NDArray[np.uint8]) -> None:
    """Keep (n, 48, 48) faces for `augment` in this process, one of several that make batches."""
    global _images  # noqa: PLW0603  # the way to hand something large to a process once
    _images = images
    cv2.setNumThreads(1)


def augment(
    faces: NDArray[np.uint8] | NDArray[np.int64], augmentation: Augmentation, key: tuple[int, ...]
) -> NDArray[np.uint8]:
    """Return changed copies of (b, 48, 48) faces, or of the rows (b,) of those that are shared; `key` seeds chance."""
    rng = np.random.default_rng(key)
    return np.stack([augmentation(face, rng) for face in (_images[faces] if faces.ndim == 1 else faces)])


_images = np.empty((0, 48, 48), np.uint8)
