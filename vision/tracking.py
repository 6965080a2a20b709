"""Follows faces from frame to frame, so that each keeps its number.

Every frame, each face is found again by its looks, which costs next to nothing. A few times a second the detector
searches a whole frame; of live video on another thread, at low priority, while frames go on: no frame waits for a
search. What it finds then confirms known faces, corrects their boxes, and shows new ones. What no search has confirmed
for a while is given up.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from typing import Final

from config import DetectorSettings
from entities import Box, Image
from process import yield_to_others
from vision.detection import load_detector
from vision.detectors.detector import Detection
from vision.geometry import Square
from vision.pixels import to_grey
from vision.pyramid import Pyramid
from vision.template import Template

_PERIOD: Final = 0.18
"""Seconds, at least, from the start of one search to that of the next: a new face is to be shown within 0.3."""
_CALM_PERIOD: Final = 0.4
"""The same for a file, where no frame is late, while all faces in view are steady: searches take most of the time."""
_STEADY: Final = 0.8
"""Correlation from which a face hardly changes."""
_SETTLED: Final = 0.04
"""What a search may move or resize it by, at most, in widths of it."""
_LARGE: Final = 40.0
"""Width in pixels from which a face can count as steady: the box of a smaller one changes with every search."""
_ALIKE: Final = 0.6
"""Correlation from which a face counts as found again by its looks."""
_RESEMBLES: Final = 0.4
"""Correlation from which what a search finds may be a face that is not found by its looks there."""
_RECOGNISED: Final = 0.7
"""Correlation from which a face is taken for one that was lost. Of FER2013's faces, as wide as a template, two
different people reach it in one pair of 400, or 200 with the two views of a lost one; 0.6 in one of 85."""
_RECOGNISED_SMALL: Final = 0.95
"""The same where a face is narrower than a template should be: people in one dim, coarse video reach 0.83."""
_COMING: Final = 0.4
"""Seconds for which a face that the edge of live video cuts off has no number, while somebody is lost who it may be: a
part of a face looks like nobody."""
_UNLIKE: Final = 0.1
"""How far below that its correlation with every other face must be."""
_MAX_UNCONFIRMED: Final = 0.8
"""Seconds, at most, for which a face is shown that still matches its template but that no search confirms, as when a
head turns away."""
_GRACE: Final = 0.25
"""Seconds for which a face stays on screen after it was last seen."""
_REMEMBERED: Final = 2.5
_REMEMBERED_LIVE: Final = 30.0
"""Seconds for which a lost face is remembered after a search last confirmed it, so that it can get its number back: in
a file, whose numbers can be merged later, and in live video, where they cannot."""
_PULL: Final = 0.3
"""How far a box goes, at least, towards where a search finds the face: all the way would make it tremble."""
_NEAR: Final = 0.5
"""How far a face may be from where a search finds it, in widths of it."""
_SAME_PLACE: Final = 0.3
"""A detection that overlaps a known face by this share is not a new face."""
_COLLISION: Final = 0.6
"""Two tracks of which this share overlaps have come to follow one face."""
_MAX_BEHIND: Final = 30
"""Frames that go on, at most, while a search is under way, through which what it finds new is followed."""
_NOMINAL_STEP: Final = 1 / 30
"""Seconds between two frames where their clock goes backwards, as in a file that starts again."""

_searches: Final = ThreadPoolExecutor(1, "face-search", initializer=yield_to_others)
"""One thread, of low priority, for all videos of this process: searches wait for each other, frames for none."""


@dataclass(slots=True, eq=False)
class Track:
    """One face, followed over time. Times are seconds on the tracker's own clock."""

    id: int
    detection: Detection
    """What the last search that found it said of the face, which is now here."""
    template: Template
    """Its looks when a search last confirmed it."""
    first: Template
    """Its looks when it was new: a video that starts again shows them again."""
    confirmed_at: float
    """When a search last found the face."""
    seen_at: float
    """When it was last found, by a search or by its looks."""
    refined_at: float
    """When a search last looked at it closer, and did not merely find it still there."""
    likeness: float = 1.0
    """How alike the face is, in this frame, to when it was last confirmed; at most 1."""
    drift: float = inf
    """How far the last search found it from where it was, and how much larger or smaller, in widths of it."""
    box: Box = field(init=False)
    """`face`, were it upright, in whole pixels, clipped to the frame; set before the track is shown."""

    @property
    def alike(self) -> bool:
        """Whether the face was found in this frame by its looks."""
        return self.likeness >= _ALIKE

    @property
    def calm(self) -> bool:
        """Whether the face hardly changes."""
        return self.face.size >= _LARGE and self.likeness >= _STEADY and self.drift <= _SETTLED

    @property
    def face(self) -> Square:
        """Where the face is."""
        return self.detection.face

    def resemblance(self, other: Template) -> float:
        """Return how alike another face looks to what is known of this one, -1 to 1."""
        return max(self.template.likeness(other), self.first.likeness(other))

    def move(self, face: Square) -> None:
        """Say where the face is now."""
        self.detection = replace(self.detection, face=face)


@dataclass(frozen=True, slots=True)
class _Search:
    """A frame in which the detector looks for faces."""

    pyramid: Pyramid
    places: dict[Track, Square]
    """Where the known faces were in it."""
    found: Future[list[Detection]]
    since: list[Pyramid] = field(default_factory=list)
    """The frames after that one, up to the present one."""


class FaceTracker:
    """Finds and follows the faces of one video, frame after frame; for one thread."""

    def __init__(self, settings: DetectorSettings, *, live: bool = False) -> None:
        """Load the detector.

        Args:
            settings: which detector, and how it searches.
            live: take in what a search finds when it is done, so that no frame has to wait for it. Otherwise it is
                taken in with the next frame, and the same video gives the same faces each time.

        Raises:
            ModelError: a cascade is missing.
        """
        self._detector = load_detector(settings)
        self._share = settings.min_face or self._detector.min_face
        self._live = live
        self._remembered = _REMEMBERED_LIVE if live else _REMEMBERED
        self._next_id = 1
        self.reset()

    @property
    def numbers(self) -> set[int]:
        """Of the faces that are followed, and of those that may get their number back."""
        return {track.id for track in (*self._tracks, *self._lost)}

    def reset(self) -> None:
        """Forget all faces: the next frame is the first of another video, and is searched before it is shown."""
        self._tracks: list[Track] = []
        self._lost: list[Track] = []
        self._shape: tuple[int, int] | None = None
        self._frame_time: float | None = None
        self._now = 0.0
        self._search: _Search | None = None
        self._coming_since: float | None = None
        """Since when a face is cut off that has no number yet."""
        self._due: tuple[Image, Pyramid] | None = None
        """The frame that is to be searched, once there is time."""
        self._searched_at = -inf
        self._answered_at = -inf
        """When the last search began that has ended."""

    def cut(self) -> None:
        """Say that the next frame does not go on from the last: faces get their numbers back by their looks alone."""
        for track in list(self._tracks):
            self._lose(track)
        self._search = self._due = self._frame_time = self._coming_since = None
        self._searched_at = -inf

    def update(self, image: Image, time: float, grey: Image | None = None) -> list[Track]:
        """Return the faces in the next frame, from left to right.

        Args:
            image: (H, W), or (H, W, 3) BGR, uint8; after a change of size all faces are new. It must not change later.
            time: seconds, on any clock, when the frame was taken.
            grey: the same picture in grey, where that is at hand.
        """
        pyramid = Pyramid(to_grey(image) if grey is None else grey)
        if pyramid.shape != self._shape:
            self.reset()
            self._shape = pyramid.shape
        elapsed = self._advance(time)
        self._follow(pyramid)
        if self._search and len(self._search.since) <= _MAX_BEHIND:
            self._search.since.append(pyramid)
        if self._search and (not self._live or self._search.found.done()):
            self._take_in(self._search)
        self._due = None
        if self._search is None and self._now - self._searched_at >= self._period:
            self._due = image, pyramid
        # The first frame, or one of few: the next may be too late.
        if elapsed > _GRACE and (search := self._search or self.search()):
            self._take_in(search)
        elif not self._live:
            self.search()
        self._drop_unseen()
        return self._visible(pyramid.shape)

    def search(self) -> _Search | None:
        """Begin the search that is due, if one is, in the frame that came last.

        Of live video it goes on beside whatever follows: call this when the frame itself needs no processor any more.
        """
        if self._due:
            (image, pyramid), self._due = self._due, None
            self._search = self._begin_search(image, pyramid)
        return self._search

    @property
    def _period(self) -> float:
        """Seconds, at least, from one search to the next."""
        if self._live or not self._tracks:
            return _PERIOD
        calm = all(track.calm and track.confirmed_at >= self._searched_at for track in self._tracks)
        return _CALM_PERIOD if calm else _PERIOD

    def _advance(self, time: float) -> float:
        """Put the clock forward; return by how many seconds."""
        elapsed = inf if self._frame_time is None else time - self._frame_time
        self._frame_time = time
        if elapsed < inf:
            self._now += elapsed if elapsed > 0 else _NOMINAL_STEP
        return elapsed

    def _follow(self, pyramid: Pyramid) -> None:
        for track in self._tracks:
            face, track.likeness = track.template.find(pyramid, track.face)
            if track.alike:
                track.move(face)
                track.seen_at = self._now
        for track in sorted(self._tracks, key=lambda track: track.likeness):
            others = (other for other in self._tracks if other is not track)
            if any(track.face.overlap(other.face) > _COLLISION for other in others):
                self._lose(track)

    def _begin_search(self, image: Image, pyramid: Pyramid) -> _Search:
        places = {track: track.face for track in self._tracks}
        # Of live video searches are frequent, so that new faces show soon; known ones need no closer look each time.
        settled = [t for t in self._tracks if self._live and t.calm and self._now - t.refined_at < _CALM_PERIOD]
        search = partial(
            self._detector.find,
            image,
            self._share * min(pyramid.shape),
            thorough=False,
            known=tuple(places.values()),
            settled=tuple(track.detection for track in settled),
        )
        found = _searches.submit(search) if self._live else _done(search())
        self._searched_at = self._now
        return _Search(pyramid, places, found)

    def _take_in(self, search: _Search) -> None:
        """Learn from what a search found in an earlier frame, after waiting for it where it is not done."""
        self._search, self._answered_at = None, self._searched_at
        templates = [(d, Template.of(search.pyramid, d.face)) for d in search.found.result()]
        unmatched = {detection: template for detection, template in templates if template}
        for track, detection in self._matches(search, unmatched):
            self._confirm(track, search.places[track], detection, search.pyramid)
            del unmatched[detection]
        coming = False
        for detection, template in sorted(unmatched.items(), key=lambda item: item[0].face.x):
            now = _carried(template, detection.face, search.since)
            if now and all(now.overlap(track.face) < _SAME_PLACE for track in self._tracks):
                known = self._recognise(template)
                if not known and self._is_coming(detection.face, search.pyramid.shape):
                    coming = True
                else:
                    self._start_track(replace(detection, face=now), template, known)
        if not coming:
            self._coming_since = None

    def _is_coming(self, face: Square, shape: tuple[int, int]) -> bool:
        """Whether a face is better looked at again once it is in view as a whole, to see whether it is a lost one."""
        if not self._live or not self._lost or face.is_inside(shape):
            return False
        if self._coming_since is None:
            self._coming_since = self._searched_at
        return self._searched_at - self._coming_since < _COMING

    def _matches(self, search: _Search, found: dict[Detection, Template]) -> list[tuple[Track, Detection]]:
        """Return which track each detection belongs to, as far as it belongs to one.

        The nearest and most alike first, so that neighbouring faces do not swap numbers.
        """
        pairs = []
        for track in self._tracks:
            for detection, template in found.items():
                distance = detection.face.distance(search.places[track]) if track in search.places else 1.0
                likeness = track.template.likeness(template)
                if distance <= _NEAR and (track.alike or likeness >= _RESEMBLES):
                    pairs.append((likeness - distance, track, detection))
        matches: list[tuple[Track, Detection]] = []
        for _, track, detection in sorted(pairs, key=lambda pair: -pair[0]):
            if all(track is not t and detection is not d for t, d in matches):
                matches.append((track, detection))
        return matches

    def _confirm(self, track: Track, place: Square, detection: Detection, pyramid: Pyramid) -> None:
        """Correct a track by what a search found where it was at `place`."""
        if detection.face != place:
            track.drift, track.refined_at = _error(place, detection.face), self._searched_at
        seen = place.towards(detection.face, _pull(place, detection.face) if track.alike else 1.0)
        template = Template.of(pyramid, seen)
        if template:
            track.template, track.likeness = template, 1.0
        track.detection = replace(detection, face=track.face.changed(place, seen))
        track.confirmed_at, track.seen_at = self._searched_at, self._now

    def _drop_unseen(self) -> None:
        for track in list(self._tracks):
            missed = track.confirmed_at < self._answered_at  # while none has ended, as on a busy computer, nobody is
            if (missed and self._now - track.confirmed_at > _MAX_UNCONFIRMED) or self._now - track.seen_at > _GRACE:
                self._lose(track)
        self._lost = [track for track in self._lost if self._now - track.confirmed_at <= self._remembered]

    def _lose(self, track: Track) -> None:
        self._tracks.remove(track)
        self._lost.append(track)

    def _start_track(self, detection: Detection, template: Template, known: Track | None) -> None:
        """Follow a face: one that was lost, or a new one."""
        if known:
            self._lost.remove(known)
            number, first = known.id, known.first
        else:
            number, first = self._next_id, template
            self._next_id += 1
        self._tracks.append(
            Track(
                number,
                detection,
                template,
                first,
                confirmed_at=self._searched_at,
                refined_at=self._searched_at,
                seen_at=self._now,
            )
        )

    def _recognise(self, template: Template) -> Track | None:
        """Return the lost face that looks like this one, if no other does: a new number is better than a wrong one."""
        alike = [(track.resemblance(template), track) for track in (*self._lost, *self._tracks)]
        alike.sort(key=lambda pair: -pair[0])
        if not alike or alike[0][1] not in self._lost:
            return None
        likeness, best = alike[0]
        small = template.small or best.template.small
        if likeness < (_RECOGNISED_SMALL if small else _RECOGNISED):
            return None
        return best if len(alike) < 2 or alike[1][0] <= likeness - _UNLIKE else None

    def _visible(self, shape: tuple[int, int]) -> list[Track]:
        shown = []
        for track in self._tracks:
            box = track.face.box(shape)
            if box:
                track.box = box
                shown.append(track)
        return sorted(shown, key=lambda track: track.box.x)


def _carried(template: Template, face: Square, frames: Sequence[Pyramid]) -> Square | None:
    """Return where a face is after so many frames; None where it is lost on the way: the next search may find it."""
    if len(frames) > _MAX_BEHIND:
        return None
    for frame in frames:
        face, likeness = template.find(frame, face)
        if likeness < _ALIKE:
            return None
    return face


def _done(found: list[Detection]) -> Future[list[Detection]]:
    """Return what a search found as a search on another thread gives it."""
    future = Future[list[Detection]]()
    future.set_result(found)
    return future


def _error(face: Square, seen: Square) -> float:
    """Return how far a face is seen from where it was thought to be, in widths of it, its size included."""
    return face.distance(seen) + abs(1 - seen.size / face.size)


def _pull(face: Square, seen: Square) -> float:
    """Return how far the box should go to where the face is seen: the further off it is, the less can be noise."""
    turn = abs((seen.roll - face.roll + 180) % 360 - 180)
    return min(1.0, _PULL + 5 * (_error(face, seen) + turn / 90))
