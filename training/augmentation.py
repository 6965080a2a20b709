"""What cameras, compression and Haar's boxes do to a face, done at random to the training faces."""

from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from entities import Image
from training.degradation import blur, coarsen, compress, darken, move


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


class Batches(keras.utils.PyDataset):
    """Shuffled, augmented batches of faces (b, 48, 48, 1) uint8 and, for each head, targets (b, 7) float32.

    From the epoch `refine_from` on, faces are whole and clear, as most faces in front of a camera are: what was learned
    from hidden and blurred ones is refined on these (He et al., 2019, arXiv:1909.09148).

    What a batch holds depends on `seed`, the epoch and its place in the epoch alone, so that
    training resumed after a stop sees what it would have seen.
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        targets: dict[str, NDArray[np.float32]],
        *,
        batch_size: int = 128,
        seed: int = 0,
        augmentation: Augmentation | None = None,
        refine_from: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.images, self.targets = images, targets
        self.batch_size, self.seed = batch_size, seed
        self.augmentation = augmentation or Augmentation()
        self.refine_from = refine_from
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        """Shuffle for an epoch, counted from 0."""
        self.epoch = epoch
        refines = self.refine_from is not None and epoch >= self.refine_from
        self.now = replace(self.augmentation, erased=0.0, degraded=0.0) if refines else self.augmentation
        self.order = np.random.default_rng((self.seed, epoch)).permutation(len(self.images))

    def __len__(self) -> int:
        return len(self.images) // self.batch_size or 1

    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], dict[str, NDArray[np.float32]]]:
        rng = np.random.default_rng((self.seed, self.epoch, index))
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        faces = np.stack([self.now(self.images[row], rng) for row in rows])
        return faces[..., np.newaxis], {head: targets[rows] for head, targets in self.targets.items()}
