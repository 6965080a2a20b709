"""Shuffled batches of training faces, each face changed at random every time it is shown."""

import os
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from training.data.augmentation import Augmentation, augment, share_images

PROCESSES: Final = min((os.cpu_count() or 1) // 4, 4)
"""Processes that make batches ahead of a GPU, which would wait for one; with few cores, the network needs them all."""


class Batches(keras.utils.PyDataset):
    """Batches of faces (b, 48, 48, 1) uint8 and, for each head, targets (b, 7) float32.

    From the epoch `refine_from` on, faces are whole and clear, as most faces in front of a camera are: what was learned
    from hidden and blurred ones is refined on these (He et al., 2019, arXiv:1909.09148).

    What a batch holds depends on `seed`, the epoch and its place in the epoch alone, so that training resumed after a
    stop, or with another number of `processes`, sees what it would have seen.
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
        processes: int = PROCESSES,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.images, self.targets = images, targets
        self.batch_size, self.seed = batch_size, seed
        self.augmentation = augmentation or Augmentation()
        self.refine_from = refine_from
        self._ahead = dict[int, Future[NDArray[np.uint8]]]()
        self._processes = processes
        self._pool: ProcessPoolExecutor | None = None
        if processes > 1:
            # Not forked: a copy of a process that uses a GPU may hang.
            self._pool = ProcessPoolExecutor(
                processes, get_context("spawn"), initializer=share_images, initargs=(images,)
            )
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        """Shuffle for an epoch, counted from 0."""
        self.epoch = epoch
        refines = self.refine_from is not None and epoch >= self.refine_from
        self.now = replace(self.augmentation, erased=0.0, degraded=0.0) if refines else self.augmentation
        self.order = np.random.default_rng((self.seed, epoch)).permutation(len(self.images))
        for future in self._ahead.values():
            future.cancel()
        self._ahead.clear()

    def close(self) -> None:
        """End the processes that make batches."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def __len__(self) -> int:
        return len(self.images) // self.batch_size or 1

    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], dict[str, NDArray[np.float32]]]:
        faces, rows = self._faces(index), self._rows(index)
        return faces[..., np.newaxis], {head: targets[rows] for head, targets in self.targets.items()}

    def _rows(self, index: int) -> NDArray[np.int64]:
        return self.order[index * self.batch_size : (index + 1) * self.batch_size]

    def _faces(self, index: int) -> NDArray[np.uint8]:
        if not self._pool:
            return augment(self.images[self._rows(index)], self.now, (self.seed, self.epoch, index))
        for ahead in range(index, min(index + 4 * self._processes, len(self))):
            if ahead not in self._ahead:
                key = (self.seed, self.epoch, ahead)
                self._ahead[ahead] = self._pool.submit(augment, self._rows(ahead), self.now, key)
        return self._ahead.pop(index).result()
