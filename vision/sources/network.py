"""Cameras and recordings at an address: RTSP, MJPEG and snapshots over HTTP, HLS, ..."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from av.container import InputContainer
from av.video.stream import VideoStream

from config import VideoSettings
from entities import Frame
from errors import SourceError, TransportRefusedError, UnknownFormatError
from vision.sources.base import Frames
from vision.video.conversion import PictureConverter, Timed, deinterlaced
from vision.video.decoding import FrameCap, decoded, opened
from vision.video.timestamps import SteadyClock, timed, usual_step
from vision.video.video_file import OPTIONS as FOREIGN_FILE_OPTIONS

SCHEMES: Final = ("rtsp", "rtsps", "http", "https", "rtmp", "rtmps", "srt", "udp", "rtp")
NETWORK_OPTIONS: Final = {"analyzeduration": "1000000"}
"""FFmpeg's options: at most a second's look at what the stream is."""
NETWORK_TIMEOUT: Final = 5.0
"""Seconds without data after which a network camera counts as gone."""
SNAPSHOT_SECONDS: Final = 0.5
"""How often a camera that gives one picture at a time is asked for the next."""
FOREIGN_OPTIONS: Final = {
    "max_redirects": "0",
    "format_whitelist": FOREIGN_FILE_OPTIONS["format_whitelist"]
    + ",gif,rtsp,mpjpeg,jpeg_pipe,png_pipe,webp_pipe,bmp_pipe,live_flv",
}
"""FFmpeg's options for addresses from strangers: it follows no HTTP redirect, and opens no playlist or the like (HLS,
DASH, SDP), which could name other hosts. An RTSP server can still redirect it to another; no option forbids that."""


@dataclass(frozen=True, slots=True)
class UntrustedAddress:
    """A network camera's address from a stranger; no playlist's, which could lead to any host."""

    address: str


@dataclass(frozen=True, slots=True)
class _Way:
    """How an address may be opened."""

    options: dict[str, str]
    demuxer: str | None = None


_TCP: Final = _Way({"rtsp_transport": "tcp"})  # no packets lost on the way
_UDP: Final = _Way({"rtsp_transport": "udp"})
_TRANSPORTS: Final = {"auto": (_TCP, _UDP), "tcp": (_TCP,), "udp": (_UDP,)}
_HTTP: Final = (_Way({"formatprobesize": "65536"}), _Way({}, "mjpeg"))
"""By its content; then as JPEG pictures one after the other, whatever is between them: many small cameras send an
MJPEG stream without its first boundary, or do not say what the parts are."""


class NetworkSource:
    """A camera or stream at an address (RTSP, MJPEG over HTTP, HLS, ...), or a recording there.

    A camera shows what is now. A recording plays at its own pace, and again from its start where that is set. A still
    picture is a camera's latest: it is asked for again and again.
    """

    note = ""

    def __init__(
        self,
        address: str,
        settings: VideoSettings,
        *,
        timeout: float | None = None,
        options: dict[str, str] | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._address = escaped(address)
        self.name = without_secrets(self._address)
        self.live = True
        self._options = {**NETWORK_OPTIONS, **(options or {})}
        self._settings = settings
        self._timeout = NETWORK_TIMEOUT if timeout is None else timeout
        self._pause = pause
        self._ways = self._possible_ways()
        self._snapshot = False

    def frames(self) -> Frames:
        """Yield frames as they arrive; a camera's never end, but fail where the stream does."""
        index = 0
        while True:
            opened_at = time.monotonic()
            for frame in self._play(index):
                yield frame
                index = frame.index + 1
            if self._snapshot:
                self._pause(max(0.0, opened_at + SNAPSHOT_SECONDS - time.monotonic()))
            elif self.live:
                raise SourceError("The stream ended.")
            elif not self._settings.loop:
                return

    def _play(self, index: int) -> Iterator[Frame]:
        """Yield what comes, numbered from `index` on, in the first way of opening in which anything does."""
        refusal: SourceError | None = None
        for way in self._ways:
            came = False
            try:
                for frame in self._play_in(way, index):
                    came, self._ways = True, (way,)
                    yield frame
            except SourceError as error:
                if came or not isinstance(error, UnknownFormatError | TransportRefusedError):
                    raise (refusal if refusal and not came else error) from None
                refusal = refusal or error
            if came:
                return
        raise refusal or SourceError("The stream ended.")

    def _play_in(self, way: _Way, index: int) -> Iterator[Frame]:
        options = {**self._options, **way.options}
        cap = FrameCap(self._settings.max_fps)
        with opened(self._address, options=options, timeout=self._timeout, demuxer=way.demuxer) as (container, track):
            track.thread_type = "SLICE"  # threads by frame would show each picture some frames late
            converter = PictureConverter(track, self._settings.max_width, self._settings.max_height)
            self._snapshot = is_still(container)
            self.live = self._snapshot or container.duration is None
            # HTTP live streams come in pieces of some seconds each, which have to be paced, too.
            in_bursts = not self.live or container.format.name == "hls"
            for frame, seconds in self._frames(container, track, live=not in_bursts):
                now = time.monotonic()
                if cap.accepts(seconds if in_bursts else now):
                    yield Frame(converter.convert(frame), index, now, seconds if in_bursts else None)
                    index += 1

    @staticmethod
    def _frames(container: InputContainer, track: VideoStream, *, live: bool) -> Iterator[Timed]:
        return deinterlaced(timed(decoded(container, track, live=live), SteadyClock(usual_step(track))))

    def _possible_ways(self) -> tuple[_Way, ...]:
        scheme = self._address.partition("://")[0].lower()
        if scheme == "rtsp":
            return _TRANSPORTS[self._settings.rtsp_transport]
        if scheme == "rtsps":
            return (_TCP,)
        return _HTTP if scheme in {"http", "https"} else (_Way({}),)


def is_still(container: InputContainer) -> bool:
    """Whether FFmpeg reads a picture file, and no stream."""
    return container.format.name.endswith("_pipe") or container.format.name == "image2"


def escaped(address: str) -> str:
    """Return an address in whose user name and password `/`, `?`, `#` and `@` are escaped (RFC 3986, 3.2.1).

    Those are what stands before the last `@`, unless it is clear that a host stands before the first of these signs.
    """
    scheme, separator, rest = address.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    path = rest[len(authority) :]
    if authority.count("@") < 2 and ("@" not in path or _is_host(authority, path)):
        return address
    credentials, _, place = rest.rpartition("@")
    user, colon, password = credentials.partition(":")
    return f"{scheme}{separator}{quote(unquote(user), '')}{colon}{quote(unquote(password), '')}@{place}"


def _is_host(authority: str, path: str) -> bool:
    """Whether a host is what stands before a path with an `@` in it, and not the beginning of a password."""
    host = re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]+)(:\d*)?", authority.rpartition("@")[2])
    if host is None or path.startswith("#"):
        return False
    return host[1] == authority or host[1] == "localhost" or host[1].startswith("[") or "." in host[1]


def without_secrets(address: str) -> str:
    """Return an address without user name, password and parameters, which may hold keys."""
    scheme, _, rest = escaped(address).partition("://")
    place, *hidden = re.split(r"[?#]", rest, maxsplit=1)
    if hidden and "@" in hidden[0]:  # perhaps part of a password that should have been escaped
        return f"{scheme}://..."
    return f"{scheme}://{place.rpartition('@')[2]}"
