"""A whole video file, frame after frame at its own times, within limits: what analysis reads."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from math import inf
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import av
import cv2
import numpy as np

from entities import Frame, Image
from errors import SourceError
from vision.conversion import PictureConverter, deinterlaced
from vision.decoding import check_size, opened
from vision.timestamps import SteadyClock, Timing, read_timing, timed, usual_step

OPTIONS: Final = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,mxf,dv,"
    "h264,hevc,m4v,obu,ivf,mjpeg,yuv4mpegpipe",
    "protocol_whitelist": "file",
}
"""FFmpeg opens these containers only, told by their content. A playlist could name other files and hosts."""

_LARGEST_SIDE: Final = 1 << 15


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

    Raises:
        SourceError: Missing, broken, or without a moving picture.
        VideoSizeError: Larger than allowed.

    """

    def __init__(self, path: Path, max_megapixels: float = 40, max_seconds: float = inf) -> None:
        self._max_pixels = round(max_megapixels * 1e6)
        file = f"file:{path}"
        with opened(file, options=OPTIONS, max_pixels=self._max_pixels) as (container, track):
            timing = read_timing(container, track, max_seconds)
        with ExitStack() as stack:
            self._container, self._track = stack.enter_context(
                opened(file, options=OPTIONS, max_pixels=self._max_pixels)
            )
            self._track.thread_type = "AUTO"
            step = usual_step(self._track)
            self._clock = SteadyClock(step, timing.longest_gap, restarts=len(timing.parts) > 1)
            frames = self._decode()
            first = next(frames, None)
            if first is None:
                raise SourceError("No picture in it can be read. Save it again, or choose another.")
            self._frames = chain([first], frames)
            width, height = PictureConverter(self._track, _LARGEST_SIDE, _LARGEST_SIDE).full_size(first)
            check_size(width, height, self._max_pixels)
            self._converter = PictureConverter(self._track, width, height)
            self.info = VideoInfo(width, height, 1 / step, timing)
            self._stack = stack.pop_all()

    def frames(self) -> Iterator[Frame]:
        """Yield the frames, once: (H, W, 3) uint8 BGR; `time` rises from 0, and `captured_at` equals it.

        Raises:
            VideoSizeError: A frame is larger than allowed.

        """
        for index, (frame, time) in enumerate(deinterlaced(timed(self._frames, self._clock))):
            image = letterboxed(self._converter.convert(frame), self.info.width, self.info.height)
            yield Frame(image=image, index=index, captured_at=time, time=time)

    @property
    def end(self) -> float:
        """Seconds from the first frame to the end of the latest that was decoded."""
        return self._clock.end

    def close(self) -> None:
        """Close the file. Closing twice is fine."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _decode(self) -> Iterator[av.VideoFrame]:
        try:
            for packet in self._container.demux(self._track):
                for frame in self._decoded(packet):
                    check_size(frame.width, frame.height, self._max_pixels)
                    yield frame
        except av.error.FFmpegError:  # the rest of the file is missing
            return

    def _decoded(self, packet: "av.Packet[av.VideoStream]") -> list[av.VideoFrame]:
        try:
            return packet.decode()
        except (av.error.InvalidDataError, av.error.ArgumentError):  # damaged, or refused for its size
            codec = self._track.codec_context
            check_size(codec.width, codec.height, self._max_pixels)
            return []


def letterboxed(image: Image, width: int, height: int) -> Image:
    """Return the picture in the middle of one of this size, as large as its proportions let it be, with black bars."""
    if image.shape[:2] == (height, width):
        return image
    scale = min(width / image.shape[1], height / image.shape[0])
    inside = max(1, round(scale * image.shape[1])), max(1, round(scale * image.shape[0]))
    x, y = (width - inside[0]) // 2, (height - inside[1]) // 2
    canvas = np.zeros((height, width, 3), np.uint8)
    canvas[y : y + inside[1], x : x + inside[0]] = cv2.resize(image, inside)
    return canvas
