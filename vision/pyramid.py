"""One picture at several sizes, each half of the one before."""

import cv2

from entities import Image


class Pyramid:
    """A grey picture and its halves, made when they are first needed."""

    def __init__(self, grey: Image) -> None:
        """Take an (H, W) uint8 picture."""
        self._levels = [grey]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the whole picture."""
        height, width = self._levels[0].shape
        return height, width

    def level_for(self, size: float, pixels: float) -> int:
        """Return the smallest level on which something `size` pixels wide is still `pixels` wide; 0 is the picture."""
        level = 0
        while size >= 2 * pixels and min(self.shape) >> level >= 2:
            size /= 2
            level += 1
        return level

    def __getitem__(self, level: int) -> Image:
        """Return the picture at 1 / 2**level of its size."""
        while len(self._levels) <= level:
            last = self._levels[-1]
            rows, columns = last.shape[0] // 2, last.shape[1] // 2
            even = last[: 2 * rows, : 2 * columns]
            self._levels.append(cv2.resize(even, (columns, rows), interpolation=cv2.INTER_AREA))
        return self._levels[level]
