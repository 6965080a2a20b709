"""Where a face is, between whole pixels."""

from dataclasses import dataclass
from math import hypot
from typing import Self

from entities import Box


@dataclass(frozen=True, slots=True)
class Square:
    """A face as Haar frames it: left, top and width in pixels, not rounded, not clipped."""

    x: float
    y: float
    size: float

    @classmethod
    def of(cls, box: Box) -> Self:
        """Return the square with a box's left, top and width."""
        return cls(box.x, box.y, box.width)

    def scaled(self, factor: float) -> "Square":
        """Return the same face in a picture `factor` times as large."""
        return Square(self.x * factor, self.y * factor, self.size * factor)

    def moved(self, x: float, y: float) -> "Square":
        """Return the same face in a picture that begins this much further to the left and top."""
        return Square(self.x + x, self.y + y, self.size)

    def towards(self, other: "Square", share: float) -> "Square":
        """Return the square that lies `share` (0-1) of the way to another."""
        return Square(
            self.x + share * (other.x - self.x),
            self.y + share * (other.y - self.y),
            self.size + share * (other.size - self.size),
        )

    def distance(self, other: "Square") -> float:
        """Return how far the centres are apart, in widths of the larger one."""
        apart = (self.size - other.size) / 2
        return hypot(self.x - other.x + apart, self.y - other.y + apart) / max(self.size, other.size)

    def overlap(self, other: "Square") -> float:
        """Return the share (0-1) of the smaller one that lies inside the other."""
        width = min(self.x + self.size, other.x + other.size) - max(self.x, other.x)
        height = min(self.y + self.size, other.y + other.size) - max(self.y, other.y)
        return max(0.0, width) * max(0.0, height) / min(self.size, other.size) ** 2

    def box(self, shape: tuple[int, ...]) -> Box | None:
        """Return the part inside a picture of `shape` (height, width, ...) in whole pixels; None if there is none."""
        left, top, size = round(self.x), round(self.y), round(self.size)
        right, bottom = min(left + size, shape[1]), min(top + size, shape[0])
        left, top = max(0, left), max(0, top)
        return Box(left, top, right - left, bottom - top) if right > left and bottom > top else None
