"""Decoded frames -> upright BGR pictures with square pixels in BT.709's colours, progressive, and of a size wanted."""

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain
from typing import Final, NamedTuple, cast

import av
import cv2
import numpy as np
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorTrc, VideoReformatter
from av.video.stream import VideoStream

from entities import Image
from vision.pixels import fitted_size

WIDEST_PIXEL: Final = 8
"""Pixels of another shape than up to 8:1 or 1:8 are an error in the file."""
_WIDE_COLOURS: Final = {ColorPrimaries.BT2020, ColorPrimaries.SMPTE432}
_HDR: Final = {ColorTrc.SMPTE2084: "smpte2084", ColorTrc.ARIB_STD_B67: "arib-std-b67"}
"""Transfer functions of high dynamic range, PQ and HLG (ITU-R BT.2100), as FFmpeg's filters call them."""

Timed = tuple[VideoFrame, float]
"""A frame, and when it is shown, in seconds from the first."""


class Orientation(NamedTuple):
    """How a frame is shown: first mirrored along its main diagonal, then left to right, then top to bottom."""

    transposed: bool = False
    mirrored: bool = False
    upside_down: bool = False

    def applied(self, picture: Image) -> Image:
        """Return the picture as it is to be shown."""
        if self.transposed:
            picture = np.asarray(cv2.transpose(picture), np.uint8)
        if not (self.mirrored or self.upside_down):
            return picture
        axis = -1 if self.mirrored and self.upside_down else int(self.mirrored)
        return np.asarray(cv2.flip(picture, axis), np.uint8)


class PictureConverter:
    """Frames of one track -> (H, W, 3) uint8 BGR: upright, with square pixels, and shrunk to fit.

    High dynamic range becomes BT.709's as ITU-R BT.2408 has it: reference white, 203 cd/m2, is white, and what is
    brighter is white, too.

    Args:
        track: The track that the frames are of; it knows the shape of their pixels.
        max_width: Width in pixels that pictures have at most.
        max_height: Their height at most.

    """

    def __init__(self, track: VideoStream, max_width: int, max_height: int) -> None:
        self._track = track
        self._coded_aspect = track.codec_context.sample_aspect_ratio
        self._limits = (max_width, max_height)
        self._reformatter = VideoReformatter()
        self._graphs: dict[tuple[object, ...], Graph] = {}

    def convert(self, frame: VideoFrame) -> Image:
        """Return the frame's picture; its size may change from frame to frame."""
        orientation = orientation_of(frame)
        limits = self._limits[::-1] if orientation.transposed else self._limits
        size = fitted_size(*square_size(frame.width, frame.height, self._aspect()), *limits)
        if frame.color_trc in _HDR or frame.color_primaries in _WIDE_COLOURS:
            shown = self._in_bt709(frame, *size)
        else:
            shown = self._reformatter.reformat(frame, *size, "bgr24", threads=cv2.getNumThreads())
        return orientation.applied(np.asarray(shown.to_ndarray(), np.uint8))

    def full_size(self, frame: VideoFrame) -> tuple[int, int]:
        """Return width and height of the frame as it is to be shown, before it is shrunk."""
        width, height = square_size(frame.width, frame.height, self._aspect())
        return (height, width) if orientation_of(frame).transposed else (width, height)

    def _aspect(self) -> Fraction:
        """Return the width of one pixel divided by its height: the file's word, until the pictures' own changes."""
        coded = self._track.codec_context.sample_aspect_ratio
        said = coded if self._coded_aspect and coded != self._coded_aspect else self._track.sample_aspect_ratio or coded
        return said if said and Fraction(1, WIDEST_PIXEL) <= said <= WIDEST_PIXEL else Fraction(1)

    def _in_bt709(self, frame: VideoFrame, width: int, height: int) -> VideoFrame:
        look = (frame.width, frame.height, frame.format.name, frame.color_trc, frame.color_primaries, width, height)
        if look not in self._graphs:
            transfer = _HDR.get(ColorTrc(frame.color_trc), "bt709")
            colours = (
                f"intent=relative_colorimetric:in_transfer={transfer}:out_transfer=bt709:"
                "out_primaries=bt709:out_range=full"
            )
            self._graphs = {
                look: _graph(frame, ("scale", f"{width}:{height}"), ("scale", colours), ("format", "pix_fmts=bgr24"))
            }
        (graph,) = self._graphs.values()
        graph.vpush(frame)
        return graph.vpull()


def square_size(width: int, height: int, aspect: Fraction) -> tuple[int, int]:
    """Return the size of a picture once its pixels, `aspect` as wide as high, are square: one side grows."""
    return (round(width * aspect), height) if aspect > 1 else (width, round(height / aspect))


def orientation_of(frame: VideoFrame) -> Orientation:
    """Return how the frame is to be shown, by its display matrix (ISO/IEC 14496-12, 8.3.2), if it has one."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return Orientation()
    a, b, _, c, d = (int(number) for number in np.frombuffer(cast("bytes", data), np.int32)[:5])
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(mirrored=a < 0, upside_down=d < 0)
    return Orientation(transposed=True, mirrored=c < 0, upside_down=b < 0)


def deinterlaced(frames: Iterable[Timed]) -> Iterator[Timed]:
    """Yield the frames, those flagged as interlaced made progressive (FFmpeg's bwdif).

    From the first such frame on, frames come one later: the filter looks at the one before and the one after.
    """
    graph: Graph | None = None
    look: tuple[object, ...] = ()
    times: deque[float] = deque()
    for frame, time in chain(frames, [(None, 0.0)]):
        new_look = (frame.width, frame.height, frame.format.name) if frame else ()
        if graph and new_look != look:
            graph.vpush(None)
            yield from _pulled(graph, times)
            graph = None
        if frame is None:
            return
        if graph is None and not frame.interlaced_frame:
            yield frame, time
            continue
        if graph is None:
            graph, look = _graph(frame, ("bwdif", "mode=send_frame:deint=interlaced")), new_look
        times.append(time)
        graph.vpush(frame)
        yield from _pulled(graph, times)


def _pulled(graph: Graph, times: deque[float]) -> Iterator[Timed]:
    """Yield the frames that the filter has done, each with the next of the times."""
    while times:
        try:
            frame = graph.vpull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        yield frame, times.popleft()


def _graph(frame: VideoFrame, *filters: tuple[str, str]) -> Graph:
    """Return these of FFmpeg's filters, one after the other, for frames like this one."""
    graph = Graph()
    nodes = [
        graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or Fraction(1, 1000)
        ),
        *(graph.add(name, options) for name, options in filters),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*nodes).configure()
    return graph
