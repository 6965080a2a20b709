"""Where a face is, between whole pixels."""

from dataclasses import dataclass, replace
from math import cos, hypot, radians, sin
from typing import Self

from entities import Box, Corners


@dataclass(frozen=True, slots=True)
class Square:
    """A face as Haar frames it, chin to forehead: not rounded, not clipped to the picture."""

    x: float
    y: float
    """Left and top in pixels, before it is turned."""
    size: float
    """Width in pixels."""
    roll: float = 0.0
    """Degrees by which it is turned about its middle, clockwise as seen."""

    @classmethod
    def of(cls, box: Box) -> Self:
        """Return the square with a box's left, top and width."""
        return cls(box.x, box.y, box.width)

    @classmethod
    def around(cls, x: float, y: float, size: float, roll: float = 0.0) -> Self:
        """Return the square with this middle."""
        return cls(x - size / 2, y - size / 2, size, roll)

    @property
    def middle(self) -> tuple[float, float]:
        """Where its middle is."""
        return self.x + self.size / 2, self.y + self.size / 2

    def scaled(self, factor: float) -> "Square":
        """Return the same face in a picture `factor` times as large."""
        return replace(self, x=self.x * factor, y=self.y * factor, size=self.size * factor)

    def moved(self, x: float, y: float) -> "Square":
        """Return the same face in a picture that begins this much further to the left and top."""
        return replace(self, x=self.x + x, y=self.y + y)

    def within(self, frame: "Square") -> "Square":
        """Return, in the whole picture, a face that was found in the turned part of it inside `frame`."""
        x, y = self.middle[0] - frame.size / 2, self.middle[1] - frame.size / 2
        along, across = cos(radians(frame.roll)), sin(radians(frame.roll))
        left, top = frame.middle
        middle = left + x * along - y * across, top + x * across + y * along
        return Square.around(*middle, self.size, self.roll + frame.roll)

    def towards(self, other: "Square", share: float) -> "Square":
        """Return the square that lies `share` (0-1) of the way to another."""
        turn = (other.roll - self.roll + 180) % 360 - 180
        return Square(
            self.x + share * (other.x - self.x),
            self.y + share * (other.y - self.y),
            self.size + share * (other.size - self.size),
            self.roll + share * turn,
        )

    def changed(self, before: "Square", after: "Square") -> "Square":
        """Return the square moved, resized and turned as `after` is compared with `before`."""
        (x, y), (old_x, old_y), (new_x, new_y) = self.middle, before.middle, after.middle
        size = self.size * after.size / before.size
        return Square.around(x + new_x - old_x, y + new_y - old_y, size, self.roll + after.roll - before.roll)

    def distance(self, other: "Square") -> float:
        """Return how far the middles are apart, in widths of the larger one."""
        (x, y), (other_x, other_y) = self.middle, other.middle
        return hypot(x - other_x, y - other_y) / max(self.size, other.size)

    def overlap(self, other: "Square") -> float:
        """Return the share (0-1) of the smaller one that lies inside the other, were both upright."""
        width = min(self.x + self.size, other.x + other.size) - max(self.x, other.x)
        if width <= 0:
            return 0.0
        height = min(self.y + self.size, other.y + other.size) - max(self.y, other.y)
        return width * max(0.0, height) / min(self.size, other.size) ** 2

    def is_inside(self, shape: tuple[int, ...]) -> bool:
        """Whether all of it, were it upright, is inside a picture of `shape` (height, width, ...)."""
        return min(self.x, self.y) >= 0 and self.x + self.size <= shape[1] and self.y + self.size <= shape[0]

    def corners(self) -> Corners:
        """Return its corners, turned: those at the forehead from left to right, then at the chin from right to left."""
        x, y = self.middle
        right, down = self.size / 2 * cos(radians(self.roll)), self.size / 2 * sin(radians(self.roll))
        return (
            (x - right + down, y - down - right),
            (x + right + down, y + down - right),
            (x + right - down, y + down + right),
            (x - right - down, y - down + right),
        )

    def box(self, shape: tuple[int, ...]) -> Box | None:
        """Return what of it, were it upright, is inside a picture of `shape`, in whole pixels; None if nothing is.

        Args:
            shape: height, width, ... of the picture.
        """
        left, top, size = round(self.x), round(self.y), round(self.size)
        right, bottom = min(left + size, shape[1]), min(top + size, shape[0])
        left, top = max(0, left), max(0, top)
        return Box(left, top, right - left, bottom - top) if right > left and bottom > top else None
