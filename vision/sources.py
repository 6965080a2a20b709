"""Where frames come from: webcam, video file, network camera, or the bundled demo clip.

Files and network addresses are read with PyAV (see `decoding`), webcams with OpenCV, which knows the camera
interface of every operating system. A source only reads, as fast as it is asked; `capture` paces it by the
clock, keeps its newest frame and opens it again when it fails.
"""

import logging
import os
import platform
import re
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, wait
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, Final, Protocol

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from config import DEMO_CLIP, VideoSettings
from entities import Frame, Image
from errors import SourceError
from vision.decoding import FrameCap, PictureConverter, decoded, fitted_size, opened, reason, timed
from vision.videos import OPTIONS as FOREIGN_FILE_OPTIONS

log = logging.getLogger(__name__)

NETWORK_SCHEMES: Final = ("rtsp", "rtsps", "http", "https", "rtmp", "rtmps", "srt", "udp", "rtp")
NETWORK_OPTIONS: Final = {"rtsp_transport": "tcp", "analyzeduration": "1000000"}
"""FFmpeg's options: no packets lost on the way, and at most a second's look at what the stream is."""
NETWORK_TIMEOUT: Final = 5.0
"""Seconds without data after which a network camera counts as gone."""
WEBCAM_TIMEOUT: Final = 10.0
"""Seconds that a webcam may take to open and give its first picture."""
AUTO_TIMEOUT: Final = 5.0
"""The same where `auto` looks for one."""
NO_ANSWER: Final = "It does not answer. Unplug it and plug it in again."
WEBCAMS_TRIED: Final = 4
"""How many webcam numbers `auto` tries where the system cannot list them."""
VIDEO_DEVICES: Final = Path("/sys/class/video4linux")
"""Where Linux describes its video devices."""
STILL_SECONDS: Final = 0.2
"""How long a still picture stands before it is shown again."""
DEMO_NAME: Final = "Demo clip"
HOW_TO_CHOOSE: Final = (
    'Choose another with "Change video", or start with "make run SOURCE=0" (python app.py --source 0) for the first '
    "webcam, a video file's path or a camera's address, or set \"source\" in config.toml."
)

FOREIGN_ADDRESS_OPTIONS: Final = {
    "max_redirects": "0",
    "format_whitelist": FOREIGN_FILE_OPTIONS["format_whitelist"]
    + ",rtsp,mpjpeg,mjpeg,jpeg_pipe,png_pipe,live_flv,h264,hevc",
}
"""FFmpeg's options for addresses from strangers: it follows no HTTP redirect, and opens no playlist or the like (HLS,
DASH, SDP), which could name other hosts. An RTSP server can still redirect it to another; no option forbids that."""

Frames = Generator[Frame, None, None]


@dataclass(frozen=True, slots=True)
class LentVideo:
    """A video file from a stranger, who may take it away at any time."""

    path: Path
    name: str
    """What it is called in the page and in messages."""
    instead: int | str
    """What is shown from then on, as in the `source` setting."""


@dataclass(frozen=True, slots=True)
class ForeignAddress:
    """A network camera's address from a stranger; no playlist's, which could lead to any host."""

    address: str


Spec = int | str | LentVideo | ForeignAddress
"""What can be shown: a `source` setting, or what strangers may choose."""


class Source(Protocol):
    """Something that gives frames."""

    @property
    def name(self) -> str:
        """What it is called in the page and in messages; never holds a password."""
        ...

    @property
    def live(self) -> bool:
        """Whether it shows the present, so that frames not fetched in time are lost."""
        ...

    @property
    def note(self) -> str:
        """What the user should know although frames come; mostly empty."""
        ...

    def frames(self) -> Frames:
        """Open the source and yield its frames; closing the iterator closes the source.

        Ends where the source has ended for good. Blocks for as long as the device or network does.

        Raises:
            SourceError: It cannot be opened, or no longer read; another call may succeed.

        """
        ...


class FileSource:
    """A video file, played once or again and again. A still picture is shown on and on."""

    live = False

    def __init__(
        self,
        path: Path,
        settings: VideoSettings,
        *,
        name: str = "",
        note: str = "",
        options: dict[str, str] | None = None,
    ) -> None:
        self.name = name or path.name
        self.note = note
        self.path = path
        self._options = options
        self._settings = settings
        self._breaks_off = False

    def frames(self) -> Frames:
        """Yield frames with `time` from the start of the file, which begins again with each round."""
        index = 0
        while True:
            first = index
            for image, seconds in self._play():
                frame = Frame(image, index, time.monotonic(), seconds)
                yield frame
                index += 1
            if index == first:
                raise SourceError("No picture in it can be read. It is damaged, or cut off.")
            if not self._settings.loop:
                return
            if index == first + 1:
                yield from held(frame)

    def _play(self) -> Iterator[tuple[Image, float]]:
        if self.path.is_file() and not self.path.stat().st_size:
            raise SourceError("The file is empty. Choose another.")
        converter, cap = PictureConverter(self._settings), FrameCap(self._settings.max_fps)
        seconds = -1.0
        with opened(f"file:{self.path}", options=self._options) as (container, stream):
            stream.thread_type = "AUTO"
            try:
                for frame, seconds in timed(decoded(container, stream), stream):
                    if cap.accepts(seconds):
                        yield converter.convert(frame), seconds
            except av.error.FFmpegError as error:
                if seconds < 0:
                    raise
                if not self._breaks_off:  # it will in each round
                    log.warning("%s breaks off after %.1f s: %s", self.name, seconds, reason(error))
                self._breaks_off = True


class NetworkSource:
    """A camera or stream at an address (RTSP, MJPEG over HTTP, HLS, ...), or a recording there.

    A camera shows what is now. A recording plays at its own pace, and again from its start where that is set.
    """

    note = ""

    def __init__(
        self,
        address: str,
        settings: VideoSettings,
        *,
        timeout: float | None = None,
        options: dict[str, str] | None = None,
    ) -> None:
        self.name = without_secrets(address)
        self.live = True
        self._options = {**NETWORK_OPTIONS, **(options or {})}
        self._address = address
        self._settings = settings
        self._timeout = NETWORK_TIMEOUT if timeout is None else timeout

    def frames(self) -> Frames:
        """Yield frames as they arrive; a camera's never end, but fail where the stream does."""
        index = 0
        converter = PictureConverter(self._settings)
        while True:
            first, cap = index, FrameCap(self._settings.max_fps)
            with opened(self._address, options=self._options, timeout=self._timeout) as (container, stream):
                stream.thread_type = "SLICE"  # threads by frame would show each picture some frames late
                self.live = container.duration is None
                # HTTP live streams come in pieces of some seconds each, which have to be paced, too.
                in_bursts = not self.live or container.format.name == "hls"
                for frame, seconds in timed(decoded(container, stream, live=not in_bursts), stream):
                    now = time.monotonic()
                    if cap.accepts(seconds if in_bursts else now):
                        yield Frame(converter.convert(frame), index, now, seconds if in_bursts else None)
                        index += 1
            if self.live or index == first:
                raise SourceError("The stream ended.")
            if not self._settings.loop:
                return


def held(frame: Frame) -> Frames:
    """Yield one picture for ever, some times a second."""
    for index in count(frame.index + 1):
        frame = replace(frame, index=index, captured_at=time.monotonic(), time=(frame.time or 0) + STILL_SECONDS)
        yield frame


class Webcam(Protocol):
    """What is used of cv2.VideoCapture."""

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Whether the device could be opened."""
        ...

    def read(self) -> tuple[bool, NDArray[Any] | None]:
        """Return whether there is a next picture, and it."""
        ...

    def release(self) -> None:
        """Close the device."""
        ...


class WebcamSource:
    """A camera at this computer, by its number."""

    live = True
    note = ""

    def __init__(
        self,
        number: int,
        settings: VideoSettings,
        *,
        open_camera: Callable[[int], Webcam] | None = None,
        timeout: float = WEBCAM_TIMEOUT,
    ) -> None:
        self.name = f"Webcam {number}"
        self._number = number
        self._settings = settings
        self._open_camera = open_camera or open_webcam
        self._timeout = timeout
        self._asking: threading.Thread | None = None

    def frames(self) -> Frames:
        """Yield frames as they arrive; never ends, but fails where the camera does."""
        camera, first = self._first_picture()
        picture: NDArray[Any] | None = first
        cap = FrameCap(self._settings.max_fps)
        index = 0
        try:
            while picture is not None:
                now = time.monotonic()
                if cap.accepts(now):
                    yield Frame(as_bgr(picture, self._settings), index, now)
                    index += 1
                picture = read_webcam(camera)
        finally:
            camera.release()
        raise SourceError("It stopped giving pictures. Is it still plugged in?")

    def _first_picture(self) -> tuple[Webcam, NDArray[Any]]:
        """Open the camera on a thread of its own, because a driver may never answer."""
        answer: Future[tuple[Webcam, NDArray[Any] | None]] = Future()
        if self._asking and self._asking.is_alive():
            raise SourceError(NO_ANSWER)  # still; asking once more would only leave another thread waiting
        self._asking = threading.Thread(target=self._ask, args=(answer,), name="open-webcam", daemon=True)
        self._asking.start()
        wait([answer], self._timeout)
        if answer.cancel():
            raise SourceError(NO_ANSWER)
        camera, picture = answer.result()
        if picture is None:
            camera.release()
            raise SourceError(why_no_webcam(self._number))
        return camera, picture

    def _ask(self, answer: "Future[tuple[Webcam, NDArray[Any] | None]]") -> None:
        camera = self._open_camera(self._number)
        picture = read_webcam(camera) if camera.isOpened() else None
        if answer.set_running_or_notify_cancel():
            answer.set_result((camera, picture))
        else:  # too late
            camera.release()


class AutoSource:
    """The first webcam that gives a picture or, where there is none, the demo clip."""

    def __init__(self, settings: VideoSettings, *, webcams: Callable[[], list[int]] | None = None) -> None:
        self._settings = settings
        self._webcams = webcams or webcam_numbers
        self._chosen: Source | None = None

    @property
    def name(self) -> str:
        """The chosen source's name."""
        return self._chosen.name if self._chosen else "Automatic"

    @property
    def live(self) -> bool:
        """Whether a webcam was chosen."""
        return self._chosen is None or self._chosen.live

    @property
    def note(self) -> str:
        """What is being done, or why the demo clip is shown."""
        return self._chosen.note if self._chosen else "Looking for a webcam."

    def frames(self) -> Frames:
        """Yield frames of the chosen source; a webcam that was chosen once is waited for, not replaced."""
        if self._chosen:
            yield from self._chosen.frames()
            return
        for number in self._webcams():
            webcam = WebcamSource(number, self._settings, timeout=AUTO_TIMEOUT)
            with closing(webcam.frames()) as frames:
                try:
                    first = next(frames)
                except SourceError as error:
                    log.info("%s: %s", webcam.name, error)
                    continue
                self._chosen = webcam
                yield first
                yield from frames
        self._chosen = demo_source(self._settings, note=f"No webcam gave a picture, so this is a demo. {HOW_TO_CHOOSE}")
        yield from self._chosen.frames()


class LentSource:
    """A video file for as long as it is there, and then something else, with a word on why."""

    def __init__(self, video: LentVideo, settings: VideoSettings) -> None:
        self._path = video.path
        self._lent = FileSource(video.path, settings, name=video.name, options=FOREIGN_FILE_OPTIONS)
        self._instead = open_source(video.instead, settings)
        self._gone = False

    @property
    def name(self) -> str:
        """The name of what is shown."""
        return self._shown.name

    @property
    def live(self) -> bool:
        """Whether something live is shown instead."""
        return self._shown.live

    @property
    def note(self) -> str:
        """Why something else is shown, where that is so."""
        words = f"{self._lent.name} was deleted, so this is shown again."
        return f"{words} {self._instead.note}".strip() if self._gone else ""

    def frames(self) -> Frames:
        """Yield the video's frames; an error says when it is gone, and the next call goes on with the other source."""
        self._gone = self._gone or not self._path.exists()
        if self._gone:
            yield from self._instead.frames()
            return
        try:
            with closing(self._lent.frames()) as frames:
                for frame in frames:
                    if not self._path.exists():  # most systems let an open file be read on
                        break
                    yield frame
                else:
                    return
        except SourceError:
            if self._path.exists():
                raise
        raise SourceError("This video was deleted.")

    @property
    def _shown(self) -> Source:
        return self._instead if self._gone else self._lent


def open_source(spec: Spec, settings: VideoSettings) -> Source:
    """Return the source that a setting names; it is opened when its frames are asked for.

    Args:
        spec: "auto", "demo", a webcam's number, a file's path, or an address such as rtsp://... or http://...; or
            what a stranger may choose, which is opened with more care.
        settings: Size, rate and looping of the frames.

    Raises:
        SourceError: An address of a kind that cannot be played.

    """
    if isinstance(spec, LentVideo):
        return LentSource(spec, settings)
    if isinstance(spec, ForeignAddress):
        return NetworkSource(spec.address, settings, options=FOREIGN_ADDRESS_OPTIONS)
    return _open_setting(str(spec).strip(), settings)


def missing_file(spec: Spec, settings: VideoSettings) -> Path | None:
    """Return the file that a setting names, where there is none of that name; it may still come."""
    source = open_source(spec, settings)
    return source.path if isinstance(source, FileSource) and not source.path.is_file() else None


def _open_setting(text: str, settings: VideoSettings) -> Source:
    if text == "auto":
        return AutoSource(settings)
    if text == "demo":
        return demo_source(settings)
    if match := re.fullmatch(r"(?:/dev/video)?(\d+)", text):
        return WebcamSource(int(match[1]), settings)
    if match := re.match(r"([A-Za-z][A-Za-z0-9+.-]+)://", text):
        if match[1].lower() not in NETWORK_SCHEMES:
            raise SourceError(f"Addresses that begin with {match[0]} cannot be played; use rtsp:// or http(s)://.")
        return NetworkSource(text, settings)
    return FileSource(Path(text).expanduser(), settings)


def demo_source(settings: VideoSettings, *, note: str = "") -> FileSource:
    """Return the bundled clip, which always plays again."""
    return FileSource(DEMO_CLIP, settings.model_copy(update={"loop": True}), name=DEMO_NAME, note=note)


def without_secrets(address: str) -> str:
    """Return an address without user name, password and parameters, which may hold keys."""
    scheme, _, rest = address.partition("://")
    place, *hidden = re.split(r"[?#]", rest, maxsplit=1)
    if hidden and "@" in hidden[0]:  # perhaps part of a password that should have been escaped
        return f"{scheme}://..."
    return f"{scheme}://{place.rpartition('@')[2]}"


def open_webcam(number: int) -> Webcam:
    """Open a webcam through the system's own interface; the others only write warnings."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)  # it warns at each attempt; we say why once
    interfaces = {"Linux": cv2.CAP_V4L2, "Darwin": cv2.CAP_AVFOUNDATION, "Windows": cv2.CAP_DSHOW}
    if platform.system() == "Darwin":  # OpenCV asks for permission on the main thread only; the system asks anyway
        os.environ.setdefault("OPENCV_AVFOUNDATION_SKIP_AUTH", "1")
    return cv2.VideoCapture(number, interfaces.get(platform.system(), cv2.CAP_ANY))


def read_webcam(camera: Webcam) -> NDArray[Any] | None:
    """Return the camera's next picture as OpenCV gives it, or None if there is none."""
    try:
        got, picture = camera.read()
    except cv2.error:
        return None
    return picture if got and picture is not None and picture.size else None


def webcam_numbers() -> list[int]:
    """Return the numbers of webcams that may be there."""
    if platform.system() != "Linux":
        return list(range(WEBCAMS_TRIED))
    devices = (re.fullmatch(r"video(\d+)", path.name) for path in Path("/dev").glob("video*"))
    return sorted(int(match[1]) for match in devices if match)


def webcams() -> dict[int, str]:
    """Return the webcams that may be there, by number, with their names; none is opened or disturbed.

    Only Linux tells their names without that; it lists each webcam's other channels, too, which are left out.
    """
    return {number: _webcam_name(number) for number in webcam_numbers() if _described(number, "index") in {"", "0"}}


def _webcam_name(number: int) -> str:
    described = _described(number, "name")
    return f"Webcam {number}: {described}" if described else f"Webcam {number}"


def _described(number: int, what: str) -> str:
    """Return what Linux says about a video device; empty where nothing is said."""
    try:
        return (VIDEO_DEVICES / f"video{number}" / what).read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def why_no_webcam(number: int) -> str:
    """Say in words what keeps a webcam from giving pictures, as far as the system tells."""
    device = Path(f"/dev/video{number}")
    if platform.system() == "Linux" and not device.exists():
        return "There is no such webcam. Plug it in, or choose another number. WSL and Docker need it passed through."
    if platform.system() == "Linux" and not os.access(device, os.R_OK | os.W_OK):
        return 'You may not use it. Add your user to the group "video" and log in again.'
    return "It gives no picture. Close other programs that use it, and allow camera access in the privacy settings."


def as_bgr(picture: NDArray[Any], settings: VideoSettings) -> Image:
    """Return an OpenCV picture (grey, 16-bit or with alpha, too) as (H, W, 3) uint8 BGR within the size limits."""
    if picture.dtype == np.uint16:
        picture = (picture // 256).astype(np.uint8)
    if picture.ndim == 2 or picture.shape[2] == 1:
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    elif picture.shape[2] == 4:
        picture = cv2.cvtColor(picture, cv2.COLOR_BGRA2BGR)
    height, width = picture.shape[:2]
    size = fitted_size(width, height, settings.max_width, settings.max_height)
    if size != (width, height):
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(picture, dtype=np.uint8)
