"""Looks through a video for new faces, a few face sizes a frame, so that no frame costs much.

A coarse search proposes, and a close look decides. The false alarms of one cascade rarely fool another that was trained
differently, so a new face has to convince two. The stricter of them, which is also the faster, confirms known faces.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from config import DetectorSettings
from vision.detection import WINDOW, Cascade, Detection, shrink, strongest
from vision.geometry import Square
from vision.pyramid import Pyramid

_COARSE_STEP: Final = 1.2
_PARTS: Final = ((1.0, 1.35), (1.35, 1e9))
"""Ranges of face sizes that cost about the same to search, as multiples of the smallest face."""


@dataclass(frozen=True, slots=True)
class Look:
    """How closely a cascade looks at one place."""

    pixels: int
    """The face is shrunk to about this width: with fewer pixels, fewer windows overlap it, and it costs less."""
    reach: float
    """How far from the expected place a face may be, in widths of it."""
    spread: float
    """How much larger or smaller than expected a face may be, as a ratio above 1."""


GLANCE: Final = Look(30, 0.25, 1.2)
"""At a face that is where it was: enough nearly always."""
STARE: Final = Look(64, 0.15, 1.2)
"""At a face that a glance did not see."""
WIDE: Final = Look(64, 0.35, 1.35)
"""For a face that has moved, nobody knows where."""
_CLOSE: Final = Look(64, 0.25, 1.35)


@dataclass(frozen=True, slots=True)
class View:
    """A cascade with the side of the head that it sees."""

    cascade: Cascade
    mirrored: bool = False


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something that is, or might be, a face."""

    face: Square
    view: View
    certain: bool = False
    """Whether the cascades leave no doubt."""


class FaceSearch:
    """Finds new faces in a video, and known ones again; for one thread."""

    def __init__(self, settings: DetectorSettings) -> None:
        """Load the cascades.

        Raises:
            ModelError: a cascade is missing.
        """
        self._settings = settings
        self._frontal = View(Cascade("frontalface_default"))
        self._strict = View(Cascade("frontalface_alt2"))
        self._profiles: list[View] = []
        if settings.profile:
            profile = Cascade("profileface")
            self._profiles = [View(profile), View(profile, mirrored=True)]
        self.parts = len(_PARTS) * (1 + len(self._profiles))

    def propose(self, pyramid: Pyramid, part: int) -> list[Sighting]:
        """Return where faces might be, of the sizes and in the view of one part of the search.

        Args:
            pyramid: the frame.
            part: 0 to `parts` - 1.
        """
        view = [self._frontal, *self._profiles][part // len(_PARTS)]
        unit = max(WINDOW, self._settings.min_face * min(pyramid.shape))
        low, high = (unit * ratio for ratio in _PARTS[part % len(_PARTS)])
        found = []
        for level, smallest, largest in _octaves(pyramid, low, high):
            hits = view.cascade.find(
                pyramid[level],
                step=_COARSE_STEP,
                hits=1,
                smallest=smallest / 2**level,
                largest=largest / 2**level,
                mirrored=view.mirrored,
            )
            found += [Detection(d.face.scaled(2**level), d.hits) for d in hits]
        return [Sighting(d.face, view) for d in strongest(found)]

    def verify(self, pyramid: Pyramid, proposal: Sighting) -> Sighting | None:
        """Return the face at a proposal; None if on a close look there is none."""
        needed: float = self._settings.min_neighbors
        view, place, hits = proposal.view, proposal.face, 0
        if view is self._frontal:
            strict = self._look(pyramid, self._strict, place, _CLOSE)
            if strict is None:
                return None
            place, hits, needed = strict.face, strict.hits, 1.5 * needed
        seen = self._look(pyramid, view, place, _CLOSE)
        if seen is None or seen.hits + hits <= needed:
            return None
        return Sighting(seen.face, view, certain=seen.hits + hits > 2 * needed)

    def confirm(self, pyramid: Pyramid, near: Square, look: Look) -> Square | None:
        """Return where a known face is; None if it is not seen."""
        for view in (self._strict, *self._profiles):
            seen = self._look(pyramid, view, near, look)
            if seen:
                return seen.face
        return None

    def _look(self, pyramid: Pyramid, view: View, near: Square, look: Look) -> Detection | None:
        """Return the surest face near to where one is expected, of about the expected size."""
        level = pyramid.level_for(near.size, look.pixels)
        picture = pyramid[level]
        expected = near.scaled(1 / 2**level)
        margin = look.reach * expected.size
        left, top = max(0, round(expected.x - margin)), max(0, round(expected.y - margin))
        right, bottom = round(expected.x + expected.size + margin), round(expected.y + expected.size + margin)
        area = picture[top:bottom, left:right]
        scale = min(1.0, look.pixels / expected.size)
        if min(area.shape) * scale < WINDOW:
            return None
        found = view.cascade.find(
            shrink(area, scale),
            step=self._settings.scale_factor,
            hits=1,
            smallest=scale * expected.size / look.spread,
            largest=scale * expected.size * look.spread,
            mirrored=view.mirrored,
        )
        seen = max(found, key=lambda d: d.hits, default=None)
        return seen and Detection(seen.face.scaled(1 / scale).moved(left, top).scaled(2**level), seen.hits)


def _octaves(pyramid: Pyramid, low: float, high: float) -> Iterator[tuple[int, float, float]]:
    """Yield level, smallest and largest face so that each is searched where it is one to two windows wide."""
    high = min(high, *pyramid.shape)
    while low <= high:
        level = pyramid.level_for(low, WINDOW)
        end = min(high, WINDOW * 2.0 ** (level + 1))
        yield level, low, end
        low = end * 1.0001
