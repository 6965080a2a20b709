"""Webcams at this computer, read with OpenCV, which knows the camera interface of every operating system."""

import os
import platform
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import cv2
from numpy.typing import NDArray

from config import VideoSettings
from entities import Frame, Image
from errors import SourceError
from vision.pictures import eight_bits, used_bits
from vision.pixels import shrunk, to_colour
from vision.sources.base import Frames
from vision.video.decoding import FrameCap

WEBCAM_TIMEOUT: Final = 10.0
"""Seconds that a webcam may take to open and give its first picture."""
NO_ANSWER: Final = "It does not answer. Unplug it and plug it in again."
WEBCAMS_TRIED: Final = 4
"""How many webcam numbers `auto` tries where the system cannot list them."""
VIDEO_DEVICES: Final = Path("/sys/class/video4linux")
"""Where Linux describes its video devices."""
DEVICE: Final = re.compile(r"/dev/video(\d+)")


class Webcam(Protocol):
    """What is used of cv2.VideoCapture."""

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Whether the device could be opened."""
        ...

    def read(self) -> tuple[bool, NDArray[Any] | None]:
        """Return whether there is a next picture, and it."""
        ...

    def set(self, setting: int, value: float) -> bool:
        """Ask for another value of one of OpenCV's CAP_PROP_*; return whether it was taken."""
        ...

    def release(self) -> None:
        """Close the device."""
        ...


class WebcamSource:
    """A camera at this computer.

    Args:
        device: Its number, or on Linux a path that leads to it, such as one in /dev/v4l/by-id; it is followed at each
            opening. A camera that comes back under another number is known by its name, and among several of that name
            by where it is plugged in; another one never takes its place.
        settings: Size and rate that it is asked for; larger pictures are shrunk.
        open_camera: Opens the camera of a number.
        timeout: Seconds that it may take to open and give its first picture.

    """

    live = True
    note = ""

    def __init__(
        self,
        device: int | Path,
        settings: VideoSettings,
        *,
        open_camera: Callable[[int], Webcam] | None = None,
        timeout: float = WEBCAM_TIMEOUT,
    ) -> None:
        self.name = f"Webcam {device}" if isinstance(device, int) else device.name
        self._device = device
        self._known_as = _Identity()
        self._others: set[_Identity] = set()
        """The webcams that were there beside it."""
        self._settings = settings
        self._open_camera = open_camera or open_webcam
        self._timeout = timeout
        self._asking: threading.Thread | None = None

    def frames(self) -> Frames:
        """Yield frames as they arrive; never ends, but fails where the camera does."""
        camera, first = self._first_picture()
        picture: NDArray[Any] | None = first
        cap = FrameCap(self._settings.max_fps)
        index = bits = 0
        try:
            while picture is not None:
                now = time.monotonic()
                if cap.accepts(now):
                    bits = max(bits, used_bits(picture))
                    yield Frame(as_bgr(picture, self._settings, bits), index, now)
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
        number = self._number()
        self._asking = threading.Thread(target=self._ask, args=(number, answer), name="open-webcam", daemon=True)
        self._asking.start()
        wait([answer], self._timeout)
        if answer.cancel():
            raise SourceError(NO_ANSWER)
        camera, picture = answer.result()
        if picture is None:
            camera.release()
            raise SourceError(why_no_webcam(number))
        self._known_as = _identity(number)
        self._others = {_identity(other) for other in _first_channels() if other != number}
        return camera, picture

    def _number(self) -> int:
        """Return the number of the camera that is meant, which another one may have by now."""
        if isinstance(self._device, int):
            number = self._device
        elif match := DEVICE.fullmatch(str(self._device.resolve())):
            number = int(match[1])
        else:
            raise SourceError(f"There is no webcam at {self._device}. Plug it in, or check the path.")
        if not self._known_as.name or _identity(number) == self._known_as:
            return number
        same = {other: _identity(other) for other in _first_channels()}
        same = {other: identity for other, identity in same.items() if identity.name == self._known_as.name}
        back = [other for other, identity in same.items() if identity == self._known_as] or [
            other for other, identity in same.items() if identity not in self._others
        ]
        if not back and same:
            raise SourceError(f"{self.name} is not plugged in; another camera of its name is. Plug it in again.")
        return back[0] if back else number

    def _ask(self, number: int, answer: "Future[tuple[Webcam, NDArray[Any] | None]]") -> None:
        camera = self._open_camera(number)
        if camera.isOpened():
            self._ask_for_mode(camera)
        picture = read_webcam(camera) if camera.isOpened() else None
        if answer.set_running_or_notify_cancel():
            answer.set_result((camera, picture))
        else:  # too late
            camera.release()

    def _ask_for_mode(self, camera: Webcam) -> None:
        """Ask for the size and rate that are wanted; drivers give what they can, and few pictures of raw pixels."""
        camera.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        camera.set(cv2.CAP_PROP_FRAME_WIDTH, self._settings.max_width)
        camera.set(cv2.CAP_PROP_FRAME_HEIGHT, self._settings.max_height)
        camera.set(cv2.CAP_PROP_FPS, self._settings.max_fps)


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
    return {number: webcam_name(number) for number in _first_channels()}


class _Identity(NamedTuple):
    """What tells a webcam from others, whatever its number; empty where the system says nothing."""

    name: str = ""
    port: str = ""


def _identity(number: int) -> _Identity:
    try:
        port = (VIDEO_DEVICES / f"video{number}" / "device").readlink().name
    except OSError:
        port = ""
    return _Identity(_described(number, "name"), port)


def is_webcam(path: Path) -> bool:
    """Whether a path is that of a webcam on Linux, or a link to one; it may be plugged in later."""
    return path.is_relative_to("/dev/v4l") or DEVICE.fullmatch(str(path.resolve())) is not None


def _first_channels() -> list[int]:
    """Return the webcams that may be there; what they offer besides their picture has another index."""
    return [number for number in webcam_numbers() if _described(number, "index") in {"", "0"}]


def webcam_name(number: int) -> str:
    """Return what a webcam is called in the page."""
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


def as_bgr(picture: NDArray[Any], settings: VideoSettings, bits: int) -> Image:
    """Return an OpenCV picture as (H, W, 3) uint8 BGR within the size limits.

    Args:
        picture: Of uint8 or uint16; grey or with alpha, too.
        settings: The limits.
        bits: How many of uint16's are used: by far not all, by many cameras for industry or infrared.

    """
    return shrunk(to_colour(eight_bits(picture, bits)), settings.max_width, settings.max_height)
