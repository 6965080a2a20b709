"""One clock for a whole video, although a file's times may start again or leap where recordings were joined."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import inf
from typing import Any, Final

import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vision.video.conversion import Timed
from vision.video.decoding import decodable
from vision.video.skipping import begins_anew

USUAL_FPS: Final = 25
"""Frames a second of a video that does not say."""
MAX_GAP: Final = 10.0
"""Seconds between two frames above which the times are wrong, and not the frames missing."""
MAX_FPS: Final = 240
"""Frames a second that a video may have."""
SMALLEST_STEP: Final = 1 / 90_000
"""Seconds by which times rise at least."""
_WITH_LENGTH: Final = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi")
"""FFmpeg's names of containers whose header tells how long they are, and not what comes last in the file."""
_MIN_MISSING: Final = 1.0
"""Seconds by which a file is shorter than its header tells, if it was cut off."""
_MIN_GAP: Final = 0.5
"""Seconds without a picture that are worth a word."""
_WIDE_STEP: Final = 5
"""How much longer than usual such a gap lasts, at least."""
_SOUND_BEHIND: Final = 5.0
"""Seconds that sound ends before or after the pictures of its part, at most."""
_JITTER: Final = 0.1
"""Seconds by which sound may go back without starting again."""


class SteadyClock:
    """Turns the times in a file into seconds from the first, which rise.

    Where the file's times go back, or leap by more than `max_gap`, time runs on by one frame.

    Args:
        step: Seconds from one frame to the next, as far as the file tells.
        max_gap: Seconds that may pass between two frames.
        restarts: Whether times that go back begin anew; else they are frames in the wrong order.
        shift: Seconds to add to the file's times, where frames are not read from the first on.

    """

    def __init__(
        self, step: float, max_gap: float = MAX_GAP, *, restarts: bool = True, shift: float | None = None
    ) -> None:
        self.step = step
        """Seconds from one frame to the next, as they last were."""
        self._least, self._most = 0.0 if restarts else -inf, max_gap
        self._shift = shift
        self._previous: float | None = None
        self._now = -step

    def at(self, raw: float | None) -> float:
        """Return when the frame at `raw`, in the file's own seconds, is shown; None where the file does not say."""
        if raw is None:
            raw = 0.0 if self._previous is None else self._previous + self.step
        delta = self.step if self._previous is None else raw - self._previous
        if self._shift is None or not self._least <= delta <= self._most:
            self._shift = self._now + self.step - raw
        elif delta > SMALLEST_STEP:
            self.step = delta
        self._previous = raw
        self._now = max(raw + self._shift, self._now + SMALLEST_STEP)
        return self._now

    @property
    def end(self) -> float:
        """When the latest frame ends."""
        return self._now + self.step


def timed(frames: Iterable[VideoFrame], clock: SteadyClock) -> Iterator[Timed]:
    """Yield frames with their times by the clock."""
    for frame in frames:
        yield frame, clock.at(frame.time)


def time_of(packet: "Packet[Any]") -> float | None:
    """Return when a packet's picture is shown, as its frame's `time` has it: in the file's own seconds."""
    return None if packet.pts is None or not packet.time_base else float(packet.pts * packet.time_base)


def usual_step(track: VideoStream) -> float:
    """Return the seconds from one frame to the next, as far as the file tells."""
    return 1 / float(track.average_rate or track.guessed_rate or USUAL_FPS)


@dataclass(frozen=True, slots=True)
class Part:
    """Pictures whose times rise; most videos are one part."""

    position: int
    """Where it begins in the file, in bytes."""
    shift: float
    """Seconds to add to the file's own times."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How the times in a file run."""

    duration: float
    """Seconds from the first frame to the end of the last."""
    parts: tuple[Part, ...]
    max_gap: float = MAX_GAP
    """Seconds that may pass between two frames: any number where there is sound meanwhile."""
    shown: "array[float]" = field(default_factory=lambda: array("d"), repr=False)
    """When each picture is shown, in the file's own seconds, rising; empty where there are several parts."""
    keys: "array[float]" = field(default_factory=lambda: array("d"), repr=False)
    """Those of them that are decoded without others."""
    keys_decoded: "array[float]" = field(default_factory=lambda: array("d"), repr=False)
    """When each of these is decoded, which is what can be sought in a file."""
    restarts: "array[float]" = field(default_factory=lambda: array("d"), repr=False)
    """Those of `shown` at which decoding can begin anew; empty where `shown` does not tell each picture's time."""
    missing: float = 0.0
    """Seconds that the file's header tells of, and that are not in it: it was cut off."""

    def gaps(self) -> list[tuple[float, float]]:
        """Return where no picture comes for much longer than usual: seconds from the first frame, and how many."""
        steps = np.diff(self.shown)
        if not len(steps):
            return []
        wide = np.flatnonzero(steps >= max(_MIN_GAP, _WIDE_STEP * float(np.median(steps))))
        return [(self.shown[place] - self.shown[0], float(steps[place])) for place in wide]


class SoundClock:
    """Turns the times of a video's sound into those of its pictures.

    Args:
        timing: Of the pictures.

    """

    def __init__(self, timing: Timing) -> None:
        self._parts = timing.parts or (Part(0, 0.0),)
        self._positions = [part.position for part in self._parts]
        self._max_gap = timing.max_gap
        self._index = -1
        self._shift = 0.0
        self._previous = 0.0
        self._end = 0.0

    def at(self, raw: float, duration: float, position: int) -> float:
        """Return when a piece of sound is heard, in seconds from the first picture.

        Args:
            raw: Its time in the file's own seconds.
            duration: How many seconds it lasts.
            position: Where it lies in the file, in bytes.

        """
        if self._index < 0:
            self._index = max(0, self._part_at(position))
            self._shift = self._parts[self._index].shift
        elif not -_JITTER <= raw - self._previous <= self._max_gap:
            self._enter_part(raw, position)
        self._previous = raw
        self._end = raw + self._shift + duration
        return raw + self._shift

    def _enter_part(self, raw: float, position: int) -> None:
        """Go on with the part that begins here; sound on its own that jumps just runs on."""
        here = self._part_at(position)
        following = max(here, self._index + 1)
        if following < len(self._parts):
            shift = self._parts[following].shift
            if here > self._index or abs(raw + shift - self._end) <= _SOUND_BEHIND:
                self._index, self._shift = following, shift
                return
        self._shift = self._end - raw

    def _part_at(self, position: int) -> int:
        return bisect_right(self._positions, position) - 1


def read_timing(container: InputContainer, track: VideoStream, max_seconds: float = inf) -> Timing:
    """Read a file's packets, without decoding them, and return how its times run.

    Args:
        container: Opened, and not read from yet.
        track: The track whose pictures count.
        max_seconds: A video that is longer is not read to its end; nor is one that has as many frames as MAX_FPS
            a second would be.

    """
    sound = next(iter(decodable(container.streams.audio)), None)
    scan = _Scan(usual_step(track))
    whole = True
    try:
        for packet in container.demux([track, sound] if sound else [track]):
            if packet.stream is track:
                scan.add_picture(packet)
            else:
                scan.add_sound(packet)
            if scan.end > max_seconds or scan.pictures > max_seconds * MAX_FPS:
                whole = False
                break
    except FFmpegError:  # the rest of the file is missing
        pass
    timing = scan.timing()
    if not whole or len(timing.parts) > 1 or container.format.name not in _WITH_LENGTH or not container.duration:
        return timing
    missing = _told_end(container, track) - scan.last
    return replace(timing, missing=missing if missing > _MIN_MISSING else 0.0)


def _told_end(container: InputContainer, track: VideoStream) -> float:
    """Return when pictures and sound end by the header, in the file's own seconds."""
    if container.format.name == "avi":  # of which FFmpeg corrects the length by the file's size
        return float(track.frames * (track.time_base or 0))
    return ((container.start_time or 0) + (container.duration or 0)) / 1e6


class _Scan:
    """What the packets of a video say, one after the other."""

    def __init__(self, step: float) -> None:
        self.pictures = 0
        self._step = step
        self._parts: list[Part] = []
        self._shown, self._keys, self._keys_decoded, self._restarts = (array("d") for _ in range(4))
        self._exact = True
        """Whether each picture says when it is shown."""
        self._cut_after: int | None = None
        """After how many pictures some were last cut away; None where none were."""
        self._begun = 0.0
        """When the last part begins, in seconds from the first frame."""
        self._first = self._last = 0.0
        """When the last part's first and last pictures are shown, in the file's own seconds."""
        self._decoded: float | None = None
        """When the latest picture is decoded: in the order of the packets, which pictures need not be shown in."""
        self._heard_from = self._heard = -inf
        """When sound without a leap began, and how far it goes."""
        self._max_gap = MAX_GAP
        self._unexplained = False

    @property
    def end(self) -> float:
        """Seconds from the first frame to the end of the last so far."""
        return self._begun + self._last - self._first + self._step if self.pictures else 0.0

    @property
    def last(self) -> float:
        """Where pictures and sound end so far, in the file's own seconds."""
        return max(self._last + self._step, self._heard)

    def timing(self) -> Timing:
        """Return what was found."""
        self._note_part()
        max_gap = MAX_GAP if self._unexplained else self._max_gap
        # Pieces that were cut away may lie in the file in an order of their own: it is read from the beginning.
        if len(self._parts) > 1 or self._cut_after:
            return Timing(self.end, tuple(self._parts), max_gap)
        shown = array("d", sorted(self._shown))
        exact = self._exact and self._cut_after is None and all(one < other for one, other in pairwise(shown))
        restarts = self._restarts if exact else array("d")
        return Timing(self.end, tuple(self._parts), max_gap, shown, self._keys, self._keys_decoded, restarts)

    def add_sound(self, packet: "Packet[Stream]") -> None:
        """Take in a piece of sound."""
        heard = time_of(packet)
        if heard is None:
            return
        if not -_JITTER <= heard - self._heard <= MAX_GAP:
            self._heard_from = heard
        self._heard = heard

    def add_picture(self, packet: "Packet[Stream]") -> None:
        """Take in a picture; one that an edit list cuts away (it is only there to decode others) counts for nothing."""
        if not packet.size:  # the end
            return
        if packet.is_discard:
            self._cut_after = self.pictures
            return
        base = packet.time_base or 0
        decoded = None if packet.dts is None else float(packet.dts * base)
        given = time_of(packet)
        shown = given if given is not None else decoded if decoded is not None else self._last + self._step
        if not self._parts:
            self._begin_part(0.0, shown, packet)
        elif decoded is not None and self._decoded is not None:
            if self._jumps(self._decoded, decoded):
                self._begin_part(self.end, shown, packet)
            elif SMALLEST_STEP < decoded - self._decoded <= MAX_GAP:
                self._step = decoded - self._decoded
        self._shown.append(shown)
        if packet.is_keyframe:
            self._keys.append(shown)
            self._keys_decoded.append(shown if decoded is None else decoded)
        if begins_anew(packet):
            self._restarts.append(shown)
        self._exact = self._exact and given is not None
        self._first, self._last = min(self._first, shown), max(self._last, shown)
        self._decoded = decoded
        self.pictures += 1

    def _jumps(self, previous: float, decoded: float) -> bool:
        if decoded - previous <= MAX_GAP:
            return decoded < previous
        if self._heard_from < previous + MAX_GAP and self._heard > decoded - MAX_GAP:
            self._max_gap = inf
            return False
        self._unexplained = True
        return True

    def _begin_part(self, begun: float, shown: float, packet: "Packet[Stream]") -> None:
        self._note_part()
        self._begun, self._first, self._last = begun, shown, shown
        self._parts.append(Part(max(0, packet.pos or 0), 0.0))

    def _note_part(self) -> None:
        if self._parts:
            self._parts[-1] = Part(self._parts[-1].position, self._begun - self._first)
