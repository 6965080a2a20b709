"""Follows a face by what it looked like last (template matching by normalised correlation)."""

from dataclasses import dataclass
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from entities import Image
from vision.geometry import Square
from vision.pyramid import Pyramid

_PIXELS: Final = 16
"""A template is at least this many pixels wide, and less than twice as many, unless the face itself is smaller."""
_REACH: Final = 0.35
"""How far a face may move between two frames, in widths of the face."""
_INERTIA: Final = 0.7
"""How much likeness a place has to have more than another, for each squared width that it is further away."""


@dataclass(frozen=True, slots=True)
class Template:
    """The appearance of a face at one moment."""

    patch: Image
    level: int
    """The level of the pyramid that the patch was taken from."""
    offset: tuple[float, float]
    """How far right and below of the patch's corner the face begins, in pixels of that level: what rounding took."""

    @property
    def small(self) -> bool:
        """Whether the face has fewer pixels than a template should have: people look alike then."""
        return max(self.patch.shape) < _PIXELS  # of one that is cut off, a side is shorter

    @classmethod
    def of(cls, pyramid: Pyramid, face: Square) -> Self | None:
        """Take the appearance of a face; None if too little of it is in the picture."""
        level = pyramid.level_for(face.size, _PIXELS)
        small = face.scaled(1 / 2**level)
        box = small.box(pyramid[level].shape)
        if box is None or min(box.width, box.height) < _PIXELS // 2:
            return None
        return cls(box.crop(pyramid[level]).copy(), level, (small.x - box.x, small.y - box.y))

    def find(self, pyramid: Pyramid, near: Square) -> tuple[Square, float]:
        """Return where the face is now, and how alike it looks: 1 is the same, 0 has nothing in common.

        The size of the face does not change.
        """
        picture = pyramid[self.level]
        face = near.scaled(1 / 2**self.level)
        margin = face.size * _REACH
        left, top = max(0, round(face.x - margin)), max(0, round(face.y - margin))
        height, width = self.patch.shape
        area = picture[top : round(face.y + height + margin), left : round(face.x + width + margin)]
        if area.shape[0] < height or area.shape[1] < width:
            return near, 0.0
        alike = cv2.matchTemplate(area, self.patch, cv2.TM_CCOEFF_NORMED)
        # Faces rarely jump: of two places that look about as alike, the nearer one is right.
        across = (np.arange(alike.shape[1]) + left - face.x) / face.size
        down = (np.arange(alike.shape[0]) + top - face.y) / face.size
        likely = alike - _INERTIA * (across**2 + down[:, None] ** 2)
        y, x = divmod(int(likely.argmax()), alike.shape[1])
        moved = Square(left + x + _vertex(alike[y], x), top + y + _vertex(alike[:, x], y), face.size, face.roll)
        moved = moved.moved(*self.offset)
        return moved.scaled(2**self.level), float(alike[y, x])

    def likeness(self, other: "Template") -> float:
        """Return how alike another face looks, -1 to 1, whatever its size."""
        patch = cv2.resize(other.patch, self.patch.shape[::-1], interpolation=cv2.INTER_LINEAR)
        return float(cv2.matchTemplate(patch, self.patch, cv2.TM_CCOEFF_NORMED)[0, 0])


def _vertex(values: NDArray[np.float32], peak: int) -> float:
    """Return how far, within half a step, the top of the parabola through a peak is from it."""
    if not 0 < peak < len(values) - 1:
        return 0.0
    before, at, after = (float(v) for v in values[peak - 1 : peak + 2])
    bend = before - 2 * at + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0
