"""A whole video file, frame after frame at its own times, within limits: what analysis reads."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import av
import cv2
import numpy as np

from config import VideoSettings
from entities import Frame
from errors import SourceError
from vision.decoding import USUAL_FPS, PictureConverter, check_size, opened

OPTIONS: Final = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf,gif",
    "protocol_whitelist": "file",
}
"""FFmpeg opens these containers only, told by their content. A playlist could name other files and hosts."""

_AS_LARGE_AS_IT_IS: Final = VideoSettings(max_width=7680, max_height=4320)
_SMALLEST_STEP: Final = 1 / 90_000


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a video is, before it has been read to its end."""

    width: int
    height: int
    """Size of the upright picture in pixels."""
    aspect: Fraction
    """Width of one pixel divided by its height; 1 nearly always."""
    fps: float
    """Mean frames a second, as far as the file tells."""
    duration: float | None
    """Seconds from the first frame to the end of the last, as far as the file tells."""
    start: float
    """Time of the first frame in the file's own seconds, which need not be 0."""


class VideoFile:
    """A video file opened for reading. Use it as a context manager, or close it.

    Frames are turned as the file says, and all are as large as the first one. Damaged parts are skipped, and
    a file that was cut off ends early.

    Args:
        path: A file in one of the containers in OPTIONS.
        max_megapixels: Largest frame in millions of pixels; much larger ones are not even decoded.

    Raises:
        SourceError: Missing, broken, or without a moving picture.
        VideoSizeError: Larger than allowed.

    """

    def __init__(self, path: Path, max_megapixels: float = 40) -> None:
        self._max_pixels = round(max_megapixels * 1e6)
        with ExitStack() as stack:
            self._container, self._stream = stack.enter_context(
                opened(f"file:{path}", options=OPTIONS, max_pixels=self._max_pixels)
            )
            self._stream.thread_type = "AUTO"
            frames = self._decode()
            first = next(frames, None)
            if first is None:
                raise SourceError("No picture in it can be read. Save it again, or choose another.")
            self._frames = chain([first], frames)
            self._converter = PictureConverter(_AS_LARGE_AS_IT_IS)
            self.info = self._describe(first)
            self._stack = stack.pop_all()

    def frames(self) -> Iterator[Frame]:
        """Yield the frames, once: (H, W, 3) uint8 BGR; `time` rises from 0, and `captured_at` equals it.

        Raises:
            VideoSizeError: A frame is larger than allowed.

        """
        info = self.info
        previous = -1 / info.fps
        for index, frame in enumerate(self._frames):
            time = previous + 1 / info.fps if frame.pts is None else frame.time - info.start
            time = max(time, previous + _SMALLEST_STEP)
            image = self._converter.convert(frame)
            if image.shape[:2] != (info.height, info.width):
                image = np.asarray(cv2.resize(image, (info.width, info.height)), np.uint8)
            yield Frame(image=image, index=index, captured_at=time, time=time)
            previous = time

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
            for packet in self._container.demux(self._stream):
                for frame in self._decoded(packet):
                    check_size(frame.width, frame.height, self._max_pixels)
                    yield frame
        except av.error.FFmpegError:  # the rest of the file is missing
            return

    def _decoded(self, packet: "av.Packet[av.VideoStream]") -> list[av.VideoFrame]:
        try:
            return packet.decode()
        except (av.error.InvalidDataError, av.error.ArgumentError):  # damaged, or refused for its size
            codec = self._stream.codec_context
            check_size(codec.width, codec.height, self._max_pixels)
            return []

    def _describe(self, first: av.VideoFrame) -> VideoInfo:
        height, width = self._converter.convert(first).shape[:2]
        aspect = self._stream.sample_aspect_ratio or self._stream.codec_context.sample_aspect_ratio or Fraction(1)
        return VideoInfo(
            width=width,
            height=height,
            aspect=1 / aspect if first.rotation % 180 else aspect,
            fps=float(self._stream.average_rate or self._stream.guessed_rate or USUAL_FPS),
            duration=self._duration(),
            start=0.0 if first.pts is None else first.time,
        )

    def _duration(self) -> float | None:
        if self._stream.duration is not None and self._stream.time_base is not None:
            return float(self._stream.duration * self._stream.time_base)
        return None if self._container.duration is None else self._container.duration / av.time_base
