"""Writes an MP4 that browsers play: H.264 pictures at their own times, and the original's sound."""

from collections.abc import Callable
from contextlib import ExitStack, nullcontext, suppress
from fractions import Fraction
from pathlib import Path
from typing import Final, Self

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter

from analysis.output.sound import Sound
from entities import Image
from vision.video.decoding import open_container
from vision.video.video_file import OPTIONS, VideoInfo

CLOCK: Final = 90_000
"""Ticks a second: 24, 25, 30 and 60 frames a second and their NTSC variants are whole numbers of them."""
_NO_PICTURES: Final = {"max_pixels": "1"}
"""FFmpeg's option for a file of which only the sound is of interest."""
_X264: Final = {"preset": "ultrafast", "crf": "25", "x264-params": "cabac=1:deblock=0,0"}
"""As close to the pictures as "veryfast" at 21, in less than half of its time, in files up to half as large again."""


class VideoWriter:
    """An MP4 file under construction: index in front, one key frame a second at least, so that it can be scrubbed.

    No B-frames: the file then needs no edit list, and scrubbing is quick. Use it as a context manager;
    the file is complete when that ends without an error.

    Args:
        path: The new file.
        info: Of the original.
        original: The video file whose sound is taken along, as long as the pictures last: copied where it is AAC,
            converted otherwise.
        check: Called again and again while sound is written; what it raises comes from `write` or at the end.

    Raises:
        OSError: The file cannot be written; the disk is full, for example. Comes from `write` or at the end.

    """

    def __init__(self, path: Path, info: VideoInfo, original: Path, check: Callable[[], None] = lambda: None) -> None:
        self._width, self._height = info.width + info.width % 2, info.height + info.height % 2
        self._duration = self._usual = 1 / info.fps
        self._end = 0.0
        self._reformatter = VideoReformatter()
        with ExitStack() as stack:
            self._container: OutputContainer = stack.enter_context(
                av.open(f"file:{path}", "w", format="mp4", options={"movflags": "+faststart"})
            )
            self._stream = self._container.add_stream("libx264", rate=Fraction(info.fps).limit_denominator(CLOCK))
            self._configure(info)
            source = stack.enter_context(open_container(f"file:{original}", {**OPTIONS, **_NO_PICTURES}))
            self._sound = Sound(source, info.timing, self._container, check)
            self._stack = stack.pop_all()

    @property
    def sound(self) -> str:
        """What became of the sound: "copied", "converted" or "none"."""
        return self._sound.kept

    def write(self, image: Image, time: float, duration: float | None = None) -> None:
        """Append a (H, W, 3) BGR picture, shown from `time` (seconds, rising) on.

        It lasts until the next one; the last one for its duration, in seconds, or for as long as usual.
        """
        if image.shape[:2] != (self._height, self._width):  # H.264 in 4:2:0 has even sides
            missing = (self._height - image.shape[0], self._width - image.shape[1])
            image = np.asarray(cv2.copyMakeBorder(image, 0, missing[0], 0, missing[1], cv2.BORDER_REPLICATE), np.uint8)
        frame = self._reformatter.reformat(
            av.VideoFrame.from_numpy_buffer(image, format="bgr24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            threads=cv2.getNumThreads(),
        )
        frame.pts, frame.time_base = round(time * CLOCK), Fraction(1, CLOCK)
        self._mux(frame)
        self._sound.copy_until(time)
        self._duration = self._usual if duration is None else duration
        self._end = time + self._duration

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Complete the file; what failed is closed, whatever state it is in, and of no use."""
        whole = False
        try:
            if kind is None:
                self._mux(None)
                self._sound.copy_until(self._end)
                whole = True
        finally:
            # Completing a half-written file fails where writing it failed.
            with nullcontext() if whole else suppress(OSError, ValueError):
                self._stack.close()

    def _configure(self, info: VideoInfo) -> None:
        stream, codec = self._stream, self._stream.codec_context
        stream.width, stream.height, stream.pix_fmt = self._width, self._height, "yuv420p"
        codec.time_base = Fraction(1, CLOCK)
        codec.max_b_frames = 0
        codec.gop_size = max(1, round(info.fps))
        codec.colorspace, codec.color_range = Colorspace.ITU709, ColorRange.MPEG
        codec.color_primaries, codec.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        codec.options = _X264
        codec.thread_count = cv2.getNumThreads()

    def _mux(self, frame: av.VideoFrame | None) -> None:
        for packet in self._stream.encode(frame):
            packet.duration = round(self._duration * CLOCK)
            self._container.mux(packet)
