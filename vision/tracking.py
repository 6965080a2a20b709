"""Follows faces from frame to frame, so that each keeps its number.

Every frame, each face is found again by its looks, which costs next to nothing. A few times a second a part of the
picture is searched for new faces; in the same frame, so that the others need no cascade, one confirms that known faces
are still there, and corrects their boxes. What no cascade has confirmed for a while is given up.
"""

from dataclasses import dataclass, field
from math import ceil
from typing import Final

from config import DetectorSettings
from entities import Box, Image
from vision.geometry import Square
from vision.pyramid import Pyramid
from vision.search import GLANCE, STARE, WIDE, FaceSearch, Sighting
from vision.template import Template

_CYCLE: Final = 0.25
"""Seconds in which the whole picture is searched once for new faces."""
_ALIKE: Final = 0.6
"""Correlation from which a face counts as found again by its looks."""
_RESEMBLES: Final = 0.4
"""Correlation from which a face that a cascade sees may be the one that was lost out of sight there."""
_CARRY: Final = 0.8
"""Seconds for which a face is shown, at most, that still looks alike, but is not confirmed: it turned away."""
_GRACE: Final = 0.25
"""Seconds for which a face is shown that is not to be seen at all."""
_MEMORY: Final = 2.0
"""Seconds for which a lost face is remembered, to be known again."""
_PULL: Final = 0.3
"""How far a box goes, at least, towards where a cascade sees the face: all the way would make it tremble."""
_SAME_PLACE: Final = 0.3
"""A proposal of which this share overlaps a known face is no news."""
_COLLISION: Final = 0.6
"""Two tracks of which this share overlaps have come to follow one face."""
_NOMINAL_STEP: Final = 1 / 30
"""Seconds between two frames where their clock goes backwards, as in a file that starts again."""


@dataclass(slots=True, eq=False)
class Track:
    """One face, followed over time. Times are seconds on the tracker's own clock."""

    id: int
    face: Square
    template: Template
    confirmed_at: float
    """When a cascade last saw the face."""
    looked_at: float
    """When a cascade last looked for it."""
    seen_at: float
    """When it was last found, by a cascade or by its looks."""
    proven: bool
    """Whether it is certain enough to be shown."""
    trust: float
    """For how many seconds it may go unconfirmed: the longer it has been seen, the longer."""
    likeness: float = 1.0
    """How alike the face is, in this frame, to when it was last confirmed; at most 1."""
    box: Box = field(init=False)
    """`face` in whole pixels, clipped to the frame; set before the track is shown."""

    @property
    def alike(self) -> bool:
        """Whether the face was found in this frame by its looks."""
        return self.likeness >= _ALIKE


class FaceTracker:
    """Finds and follows the faces of one video, frame after frame; for one thread."""

    def __init__(self, settings: DetectorSettings) -> None:
        """Load the cascades.

        Raises:
            ModelError: a cascade is missing.
        """
        self._search = FaceSearch(settings)
        self._next_id = 1
        self.reset()

    def reset(self) -> None:
        """Forget all faces: the next frame is the first of another video, and is searched as a whole."""
        self._tracks: list[Track] = []
        self._lost: list[Track] = []
        self._shape: tuple[int, int] | None = None
        self._frame_time: float | None = None
        self._now = 0.0
        self._part = 0
        self._parts_due = float(self._search.parts)

    def update(self, grey: Image, time: float) -> list[Track]:
        """Return the faces in the next frame, from left to right.

        Args:
            grey: (H, W) uint8; after a change of size all faces are new.
            time: seconds, on any clock, when the frame was taken.
        """
        pyramid = Pyramid(grey)
        if pyramid.shape != self._shape:
            self.reset()
            self._shape = pyramid.shape
        self._advance(time)
        self._follow(pyramid)
        for track in self._due():
            self._confirm(pyramid, track)
        self._give_up()
        self._look_for_new(pyramid)
        return self._visible(pyramid.shape)

    def _advance(self, time: float) -> None:
        if self._frame_time is not None:
            elapsed = time - self._frame_time if time > self._frame_time else _NOMINAL_STEP
            self._now += elapsed
            parts = self._search.parts
            self._parts_due = min(self._parts_due + elapsed / _CYCLE * parts, parts)
        self._frame_time = time

    def _follow(self, pyramid: Pyramid) -> None:
        for track in self._tracks:
            face, track.likeness = track.template.find(pyramid, track.face)
            if track.alike:
                track.face, track.seen_at = face, self._now
        for track in sorted(self._tracks, key=lambda track: track.likeness):
            others = (other for other in self._tracks if other is not track)
            if any(track.face.overlap(other.face) > _COLLISION for other in others):
                self._lose(track)

    def _due(self) -> list[Track]:
        """Return the faces that a cascade has to look at, in turn.

        While no part of the picture is searched, those are only the ones that are in doubt, a quarter of all at most.
        """
        searching = self._parts_due >= 1
        due = [track for track in self._tracks if searching or not (track.proven and track.alike)]
        due.sort(key=lambda track: (track.proven, track.looked_at))
        return due[: ceil(len(self._tracks) / (2 if searching else 4))]

    def _confirm(self, pyramid: Pyramid, track: Track) -> None:
        doubtful = not track.proven or track.confirmed_at < track.looked_at
        track.looked_at = self._now
        look = (STARE if doubtful else GLANCE) if track.alike else WIDE
        seen = self._search.confirm(pyramid, track.face, look)
        face = track.face.towards(seen, _pull(track, seen)) if seen else None
        template = Template.of(pyramid, face) if face else None
        if face and template and (track.alike or track.template.likeness(template) >= _RESEMBLES):
            track.face, track.template, track.likeness = face, template, 1.0
            track.trust = min(track.trust + self._now - track.confirmed_at, _CARRY)
            track.confirmed_at, track.seen_at, track.proven = self._now, self._now, True
        elif not track.proven:
            self._tracks.remove(track)

    def _give_up(self) -> None:
        for track in list(self._tracks):
            if self._now - track.confirmed_at > track.trust or self._now - track.seen_at > _GRACE:
                self._lose(track)
        self._lost = [track for track in self._lost if self._now - track.confirmed_at <= _MEMORY]

    def _lose(self, track: Track) -> None:
        self._tracks.remove(track)
        if track.proven:
            self._lost.append(track)

    def _look_for_new(self, pyramid: Pyramid) -> None:
        while self._parts_due >= 1:
            self._parts_due -= 1
            for proposal in self._search.propose(pyramid, self._part):
                if self._is_news(proposal.face):
                    sighting = self._search.verify(pyramid, proposal)
                    if sighting and self._is_news(sighting.face):
                        self._welcome(pyramid, sighting)
            self._part = (self._part + 1) % self._search.parts

    def _is_news(self, face: Square) -> bool:
        return all(face.overlap(track.face) < _SAME_PLACE for track in self._tracks)

    def _welcome(self, pyramid: Pyramid, sighting: Sighting) -> None:
        """Follow a face: one that was lost, if it resembles that and is not far from it, or a new one."""
        template = Template.of(pyramid, sighting.face)
        if template is None:
            return

        def resemblance(track: Track) -> float:
            return track.template.likeness(template) - 0.3 * track.face.distance(sighting.face)

        known = max(self._lost, key=resemblance, default=None)
        if known is not None and resemblance(known) > 0:
            self._lost.remove(known)
            number = known.id
        else:
            number = self._next_id
            self._next_id += 1
        trust = _CARRY if sighting.certain else _GRACE
        now = self._now
        self._tracks.append(Track(number, sighting.face, template, now, now, now, sighting.certain, trust))

    def _visible(self, shape: tuple[int, int]) -> list[Track]:
        shown = []
        for track in self._tracks:
            box = track.face.box(shape)
            if track.proven and box:
                track.box = box
                shown.append(track)
        return sorted(shown, key=lambda track: track.box.x)


def _pull(track: Track, seen: Square) -> float:
    """Return how far the box should go to where the face is seen: the further off it is, the less can be noise."""
    if not track.alike:
        return 1.0
    error = track.face.distance(seen) + abs(1 - seen.size / track.face.size)
    return min(1.0, _PULL + 3 * error)
