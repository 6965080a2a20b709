"""Video files and streams -> decoded frames, or what is wrong with them in words, with PyAV.

PyAV rather than OpenCV, because it gives presentation times, orientation and errors in words, converts and
shrinks in one step (swscale: grey, 16-bit, 10-bit and alpha too), and bounds how long it waits for data.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from errno import EPROTONOSUPPORT
from typing import Final, TypeVar

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from errors import SourceError, TransportRefusedError, UnknownFormatError, VideoSizeError
from vision.video.allocation import bound_blocks

bound_blocks()

MAX_PIXELS: Final = 8192 * 8192
"""Larger pictures are refused before memory is taken for them; 8K video is half of this."""

WAITED: Final = 0.002
"""Seconds that reading a packet takes at least if it was not there yet."""
MAX_BEHIND: Final = 1.0
"""Seconds without such waiting after which a live stream counts as faster than its decoder."""


class FrameCap:
    """Picks from a video's frames so that at most `max_fps` a second remain, evenly spread."""

    def __init__(self, max_fps: float) -> None:
        self._period = 1 / max_fps
        self._due: float | None = None

    def accepts(self, time: float) -> bool:
        """Whether the frame at `time`, in seconds, is to be shown; call once a frame."""
        if self._due is None or time < self._due - 1:  # the first, or the clock was set back
            self._due = time
        if time < self._due - self._period / 4:  # a camera's frames come a little early or late
            return False
        self._due = max(self._due + self._period, time)
        return True


@contextmanager
def opened(
    address: str,
    *,
    options: dict[str, str] | None = None,
    timeout: float | None = None,
    max_pixels: int = MAX_PIXELS,
    demuxer: str | None = None,
) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a video file or stream and yield it with its main video track (`main_track`); closed afterwards.

    Args:
        address: A path or URL as FFmpeg knows it.
        options: FFmpeg's options for opening.
        timeout: Seconds to wait for data, when opening and at each read; None waits for ever.
        max_pixels: Pixels that a picture may have. FFmpeg decodes none much larger, neither to learn what is in a
            file (except FLV and MPEG program streams, which list no tracks) nor afterwards; it sets the track's size
            to 0 x 0 where it refuses one.
        demuxer: FFmpeg's name of what reads it; told by its content if not given.

    Raises:
        SourceError: It cannot be opened or read, or has no video track that can be decoded.
        VideoSizeError: Its pictures are larger than allowed.

    """
    limit = {"max_pixels": str(2 * max_pixels)}  # it counts the sides rounded up to whole blocks
    try:
        with open_container(address, {**limit, **(options or {})}, timeout=timeout, demuxer=demuxer) as container:
            stream = _video_stream(container)
            codec = stream.codec_context
            if codec.width:  # a camera may tell its size later
                check_size(codec.width, codec.height, max_pixels)
            codec.options = limit
            yield container, stream
    except av.error.FFmpegError as error:
        raise _kind_of(error)(reason(error)) from None  # FFmpeg's own message holds the address


def open_container(
    address: str, options: dict[str, str], *, timeout: float | None = None, demuxer: str | None = None
) -> InputContainer:
    """Open what FFmpeg reads; see `opened` for the arguments.

    Raises:
        SourceError: It is of a kind that may not be opened.
        av.error.FFmpegError: It cannot be opened for another reason.

    """
    try:
        return av.open(address, format=demuxer, options=options, timeout=timeout, metadata_errors="replace")
    except av.error.ArgumentError:
        if "format_whitelist" not in options:
            raise
        raise SourceError("A file of this kind cannot be read here. Convert it to MP4, and try again.") from None


def moving_tracks(container: InputContainer) -> list[VideoStream]:
    """Return the video tracks, but for those that are a song's cover."""
    return [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]


def _video_stream(container: InputContainer) -> VideoStream:
    moving = moving_tracks(container)
    if not moving:  # the cover of a song is not a video
        raise SourceError("There is no moving picture in it, only sound or data. Choose one with video.")
    tracks = decodable(moving)
    if not tracks:
        raise SourceError("Its pictures are coded in a way that is not known here. Convert it to H.264 in MP4.")
    return main_track(tracks)


def main_track(tracks: Sequence[VideoStream]) -> VideoStream:
    """Return the track to look at: the default one; of several, or where none is, the one with most pixels a second."""

    def rank(track: VideoStream) -> tuple[bool, float]:
        codec = track.codec_context
        return bool(track.disposition & Disposition.default), codec.width * codec.height * float(
            track.average_rate or 1
        )

    return max(tracks, key=rank)


def track_note(container: InputContainer, track: VideoStream) -> str:
    """Return in words which of several video tracks is looked at; empty where there is one."""
    tracks = moving_tracks(container)
    if len(tracks) < 2:
        return ""
    codec = track.codec_context
    return (
        f"Of its {len(tracks)} video tracks, number {tracks.index(track) + 1} ({codec.width} x {codec.height}) is used."
    )


Track = TypeVar("Track", bound=Stream)


def decodable(tracks: Iterable[Track]) -> list[Track]:
    """Return those of a file's tracks for which there is a decoder."""
    return [track for track in tracks if getattr(track, "codec_context", None)]


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raise VideoSizeError if pictures are larger than allowed, or have no size because FFmpeg refused them."""
    if 0 < width * height <= max_pixels:
        return
    found = f"have {width} x {height} pixels" if width else "are too large"
    raise VideoSizeError(
        f"Its pictures {found}; at most {max_pixels / 1e6:g} megapixels are allowed. Choose a smaller video."
    )


def decoded(container: InputContainer, stream: VideoStream, *, live: bool = False) -> Iterator[VideoFrame]:
    """Yield the frames of a video track; damaged parts are left out, and what follows them is shown.

    Frames of a live stream are left out, too, where they come faster than they are decoded.

    Raises:
        av.error.FFmpegError: Reading failed for another reason than damaged data.

    """
    packets = container.demux(stream)
    for packet in up_to_date(packets) if live else packets:
        try:
            yield from packet.decode()
        except av.error.InvalidDataError:
            continue


def up_to_date(
    packets: Iterable["Packet[VideoStream]"], now: Callable[[], float] = time.monotonic
) -> Iterator["Packet[VideoStream]"]:
    """Leave out packets of a live stream where they come faster than they are decoded.

    As long as reading has to wait for the next packet now and then, nothing queues up. Where it has not for a
    second, packets are thrown away until it has, and decoding goes on with the next key frame.
    """
    waited_at = asked_at = now()
    dropping = False
    for packet in packets:
        if now() - asked_at > WAITED:
            waited_at = now()
        behind = now() - waited_at > MAX_BEHIND
        dropping = behind or (dropping and not packet.is_keyframe)
        if not dropping:
            yield packet
        asked_at = now()


def _kind_of(error: av.error.FFmpegError) -> type[SourceError]:
    """Return which of our errors an error of FFmpeg's is."""
    if isinstance(error, av.error.InvalidDataError):
        return UnknownFormatError
    refused = error.errno == EPROTONOSUPPORT or isinstance(error, av.error.HTTPOtherClientError)
    return TransportRefusedError if refused else SourceError


def reason(error: av.error.FFmpegError) -> str:
    """Say in words what FFmpeg's error means and what to do, without the address, which may hold a password."""
    if error.errno == EPROTONOSUPPORT:
        return 'The camera does not send in this way. Set video.rtsp_transport in config.toml to "auto" or "udp".'
    for kind, words in _REASONS:
        if isinstance(error, kind):
            return words
    return f"It cannot be read, or the connection broke off ({error.strerror})."


_REASONS: Final[tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...]] = (
    (av.error.FileNotFoundError, "There is no such file. Check the path."),
    (av.error.IsADirectoryError, "This is a folder. Choose a file in it."),
    (av.error.PermissionError, "Reading it is not permitted. Check its permissions."),
    (av.error.HTTPUnauthorizedError, "It asks for another user name or password."),
    (av.error.HTTPForbiddenError, "Access is forbidden. Check the user name and password."),
    (av.error.HTTPNotFoundError, "The server is there, but nothing is at this path. Check the address."),
    (av.error.HTTPServerError, "The server is there, but says that it has an error, or too much to do."),
    (av.error.ConnectionRefusedError, "The connection was refused. Is it switched on, and the port right?"),
    (av.error.HTTPOtherClientError, "The server is there, but does not do what it is asked for. Check the address."),
    (
        (av.error.ExitError, av.error.TimeoutError),
        "No answer within the time allowed. Is it switched on and reachable?",
    ),
    (av.error.ArgumentError, "Its pictures are too large, or cannot be decoded. Choose another."),
    (av.error.InvalidDataError, "This is not a video that can be read, or it is damaged or cut off."),
    ((av.error.EOFError, av.error.ConnectionResetError, av.error.BrokenPipeError), "The stream broke off."),
)
