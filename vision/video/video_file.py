"""A whole video file, or some frames of it, at their own times, within limits: what analysis reads."""

from bisect import bisect_left
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from math import inf
from pathlib import Path
from typing import Final, Self, cast

import av
import cv2

from entities import Frame
from errors import SourceError, VideoSizeError
from vision.pixels import letterboxed
from vision.sampling import EVERY_FRAME, Sampling
from vision.video.conversion import PictureConverter, Timed, deinterlaced
from vision.video.decoding import check_size, opened, track_note
from vision.video.skipping import DecodingPlan
from vision.video.timestamps import SteadyClock, Timing, read_timing, time_of, timed, usual_step

OPTIONS: Final = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,mxf,dv,"
    "h264,hevc,m4v,obu,ivf,mjpeg,yuv4mpegpipe",
    "protocol_whitelist": "file",
}
"""FFmpeg opens these containers only, told by their content. A playlist could name other files and hosts."""

_LARGEST_SIDE: Final = 1 << 15
_PROGRESSIVE: Final = 1
"""FFmpeg's AV_FIELD_PROGRESSIVE; 0 is unknown, and higher ones are interlaced."""


def is_video(path: Path) -> bool:
    """Whether a file has a moving picture that can be decoded, by its content and not by its name."""
    try:
        with opened(f"file:{path}", options=OPTIONS):
            return True
    except VideoSizeError:
        return True
    except SourceError:
        return False


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a video is, before it has been decoded to its end."""

    width: int
    height: int
    """Size in pixels of the first picture as it is to be shown: upright, with square pixels."""
    fps: float
    """Mean frames a second, as far as the file tells."""
    timing: Timing
    """How long it is, and how the times in the file run."""
    note: str = ""
    """Which of several video tracks it is; mostly empty."""

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the end of the last."""
        return self.timing.duration


class VideoFile:
    """A video file opened for reading. Use it as a context manager, or close it.

    Frames are turned as the file says, have square pixels, and are all as large as the first one: where the size
    changes in the middle, later pictures are fitted into the first one's with black bars. Damaged parts are skipped,
    and a file that was cut off ends early.

    Args:
        path: A file in one of the containers in OPTIONS.
        max_megapixels: Largest frame in millions of pixels; much larger ones are not even decoded.
        max_seconds: Of a video that is longer, just this is told.
        sampling: Which frames are looked at. The others are decoded as far as that is needed for these.

    Raises:
        SourceError: Missing, broken, or without a moving picture.
        VideoSizeError: Larger than allowed.

    """

    def __init__(
        self, path: Path, max_megapixels: float = 40, max_seconds: float = inf, sampling: Sampling = EVERY_FRAME
    ) -> None:
        self.sampling: Final = sampling
        self._max_pixels = round(max_megapixels * 1e6)
        self._damaged = 0
        """Packets and frames that are not as they were recorded."""
        file = f"file:{path}"
        with opened(file, options=OPTIONS, max_pixels=self._max_pixels) as (container, track):
            timing = read_timing(container, track, max_seconds)
        with ExitStack() as stack:
            self._container, self._track = stack.enter_context(
                opened(file, options=OPTIONS, max_pixels=self._max_pixels)
            )
            self._track.thread_type = "AUTO"
            self._track.codec_context.thread_count = cv2.getNumThreads()
            step = usual_step(self._track)
            sought = self._seek(timing)
            self._clock = SteadyClock(
                step,
                timing.max_gap,
                restarts=len(timing.parts) > 1,
                shift=timing.parts[0].shift if sought else None,
            )
            self._plan: DecodingPlan | None = None
            self._sent: list[float] = []
            """Times of the packets that were decoded before it could be planned which others are."""
            frames = self._decode()
            first = next(frames, None)
            if first is None:
                raise SourceError("No picture in it can be read. Save it again, or choose another.")
            self._index = bisect_left(timing.shown, first.time or 0.0) if sought else 0
            self._frames = chain([first], frames)
            self._plan = self._planned(timing, first)
            width, height = PictureConverter(self._track, _LARGEST_SIDE, _LARGEST_SIDE).full_size(first)
            check_size(width, height, self._max_pixels)
            self._converter = PictureConverter(self._track, width, height)
            self.info = VideoInfo(width, height, 1 / step, timing, track_note(self._container, self._track))
            self._stack = stack.pop_all()

    def frames(self) -> Iterator[Frame]:
        """Yield the frames that are looked at, once: (H, W, 3) uint8 BGR; `time` rises, and `captured_at` equals it.

        Raises:
            VideoSizeError: A frame is larger than allowed.

        """
        for index, (frame, time) in self._planned_frames(self._plan) if self._plan else self._picked_frames():
            self._damaged += frame.is_corrupt
            image = letterboxed(self._converter.convert(frame), self.info.width, self.info.height)
            yield Frame(image=image, index=index, captured_at=time, time=time)

    @property
    def begin(self) -> float:
        """Seconds from the first frame of the file to where it is looked at."""
        return min(self.sampling.begin, self.info.duration)

    @property
    def length(self) -> float:
        """Seconds of it that are looked at, as far as the file tells."""
        return max(0.0, min(self.sampling.end, self.info.duration) - self.begin)

    @property
    def end(self) -> float:
        """Seconds from the first frame of the file to the end of the latest that was decoded and is looked at."""
        return max(self.begin, min(self._clock.end, self.sampling.end))

    def _seek(self, timing: Timing) -> bool:
        """Go to a key frame before the first frame that is looked at, where that can be done; return whether it was."""
        if not (self.sampling.begin and timing.shown and self._track.time_base):
            return False
        target = self.sampling.begin - timing.parts[0].shift
        keys = zip(timing.keys, timing.keys_decoded, strict=True)
        key, decoded = max((key for key in keys if key[0] <= target), default=(-inf, 0.0))
        if key <= timing.shown[0]:
            return False
        self._container.seek(round(decoded / self._track.time_base), stream=self._track)
        return True

    def _planned(self, timing: Timing, first: av.VideoFrame) -> DecodingPlan | None:
        """Plan what to leave out, where the file says before it is decoded which frames will be looked at.

        Args:
            timing: Of the file.
            first: The frame that was decoded first.

        """
        # Interlaced frames are mixed with their neighbours, which have to be there.
        interlaced = first.interlaced_frame or self._track.codec_context.field_order > _PROGRESSIVE
        if not self.sampling.is_sparse or interlaced or not timing.restarts or first.time not in timing.shown:
            return None
        start = bisect_left(timing.shown, first.time)
        is_wanted = self.sampling.picker()
        places = (
            (shown, (index, self._clock.at(shown))) for index, shown in enumerate(timing.shown[start:], self._index)
        )
        plan = DecodingPlan({shown: place for shown, place in places if is_wanted(*place)}, timing.restarts)
        for shown in self._sent:
            plan.verdict(shown)
        return plan

    def _planned_frames(self, plan: DecodingPlan) -> Iterator[tuple[int, Timed]]:
        for frame in self._frames:
            if place := plan.wanted.get(frame.time):
                index, time = place
                yield index, (frame, time)

    def _picked_frames(self) -> Iterator[tuple[int, Timed]]:
        is_wanted = self.sampling.picker()
        for index, (frame, time) in enumerate(deinterlaced(timed(self._frames, self._clock)), self._index):
            if time >= self.sampling.end:
                return
            if is_wanted(index, time):
                yield index, (frame, time)

    @property
    def note(self) -> str:
        """What somebody has to know of what was read so far: which track it is, and what is damaged; mostly empty."""
        missing, damaged = self.info.timing.missing, self._damaged
        pieces = "piece" if damaged == 1 else "pieces"
        cut = f"It is cut off: {missing:.1f} s that its header tells of are missing." if missing else ""
        broken = f"It is damaged: {damaged} {pieces} could not be read." if damaged else ""
        return " ".join(filter(None, [self.info.note, cut, broken, self._gap_note()]))

    def _gap_note(self) -> str:
        """Return in words where no pictures come, in the part that is looked at."""
        gaps = [gap for gap in self.info.timing.gaps() if self.sampling.begin <= gap[0] < self.sampling.end]
        if not gaps:
            return ""
        begin, seconds = max(gaps, key=lambda gap: gap[1])
        several = f"{len(gaps)} times, for up to" if len(gaps) > 1 else "for"
        return f"No pictures come {several} {seconds:.1f} s, at {begin:.1f} s."

    def close(self) -> None:
        """Close the file. Closing twice is fine."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _decode(self) -> Iterator[av.VideoFrame]:
        begun = False
        try:
            for packet in self._container.demux(self._track):
                if self._plan:
                    if self._plan.is_done:
                        yield from self._decoded(self._end_packet())
                        return
                    if not self._is_needed(packet, self._plan):
                        continue
                elif not begun and (time := time_of(packet)) is not None:
                    self._sent.append(time)
                for frame in self._decoded(packet):
                    begun = True
                    check_size(frame.width, frame.height, self._max_pixels)
                    yield frame
        except av.error.FFmpegError:  # the rest of the file is missing
            return

    def _is_needed(self, packet: "av.Packet[av.VideoStream]", plan: DecodingPlan) -> bool:
        """Whether a packet is decoded; tell the decoder how."""
        time = time_of(packet)
        verdict = "DEFAULT" if time is None else plan.verdict(time)  # None is the end
        if verdict:
            self._track.codec_context.skip_frame = verdict
        return verdict is not None

    def _end_packet(self) -> "av.Packet[av.VideoStream]":
        """Return what lets the decoder give the frames that it still has."""
        packet = cast("av.Packet[av.VideoStream]", av.Packet())
        packet.stream, packet.time_base = self._track, cast("Fraction", self._track.time_base)
        return packet

    def _decoded(self, packet: "av.Packet[av.VideoStream]") -> list[av.VideoFrame]:
        try:
            frames = packet.decode()
        except (av.error.InvalidDataError, av.error.ArgumentError):  # damaged, or refused for its size
            codec = self._track.codec_context
            check_size(codec.width, codec.height, self._max_pixels)
            self._damaged += 1
            return []
        self._damaged += packet.is_corrupt  # a part of it is lost, as numbers in a transport stream tell
        return frames
