"""A real browser, a real server in this process, and what every page has to keep: no errors, a strict policy."""

import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import av
import cv2
import numpy as np
import pytest
from flask import Flask
from numpy.typing import NDArray
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, expect, sync_playwright

from app import create_app
from camera import VideoCamera
from config import DEMO_CLIP, ROOT, ServerSettings, Settings, UploadSettings, VideoSettings
from entities import EXPRESSIONS, Classifier
from model import FacialExpressionModel
from tests.helpers.fake_camera import FakeCamera
from web.serving.server import Server

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
SCREENSHOTS = Path(__file__).parent.parent / "screenshots"
PATIENCE_MS = 30_000
"""Long enough for a computer that is busy with other work; nothing waits longer than it has to."""
expect.set_options(timeout=PATIENCE_MS)
CAMERA_FPS = 15
SERVER_FPS = 10
"""Enough for what pages show; what a test waits for is not there sooner with more, which cost most of its work."""
_UNUSED = (
    # What Playwright switches off; of two such flags, Chromium takes the last one.
    *("AimEnabled", "DestroyProfileOnBrowserClose", "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades", "LensOverlay"),
    *("MediaRouter", "NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding", "PreconnectToSearch"),
    "ThirdPartyStoragePartitioning",
    # Pages of Chromium's own below its address bar, which every window loads, and which cost more than ours.
    *("WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup", "WebUIOmniboxPopup"),
)
FLAGS = (
    "--no-sandbox",  # Chromium's own sandbox does not work for root in a container; the pages are our own
    "--use-fake-ui-for-media-stream",
    f"--disable-features={','.join(_UNUSED)}",
)


class Mood:
    """A classifier that sees in every face what the test says."""

    def __init__(self, expression: str = "Happy", confidence: float = 0.88) -> None:
        self.expression, self.confidence = expression, confidence

    def predict(self, faces: Any) -> NDArray[np.float32]:
        """Return (n, 7) probabilities."""
        rest = (1 - self.confidence) / (len(EXPRESSIONS) - 1)
        row = [self.confidence if name == self.expression else rest for name in EXPRESSIONS]
        return np.tile(np.array(row, np.float32), (len(faces), 1))


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serve the application on a free port; give its address."""
    server = Server(app, ServerSettings(port=0, max_viewers=8))
    server.listen()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.bind_addr[1]}/"
    finally:
        server.stop()
        thread.join(10)


def live_video(source: Path, folder: Path, classifier: Classifier) -> Iterator[str]:
    """Serve the real application, showing a source; give its address."""
    video, uploads = VideoSettings(max_fps=SERVER_FPS), UploadSettings(folder=folder)
    settings = Settings(source=str(source), uploads=uploads, video=video)
    camera = VideoCamera(settings, lambda: classifier)
    with serving(create_app(settings, camera)) as address:
        yield address
        camera.close()


@cache
def demo_footage() -> bytes:
    """Return the demo clip's first 50 frames as the MJPEG of a fake camera."""
    video, frames = cv2.VideoCapture(str(DEMO_CLIP)), list[bytes]()
    for _ in range(50):
        read, frame = video.read()
        assert read
        frames.append(cv2.imencode(".jpg", cv2.resize(frame, (640, 360)))[1].tobytes())
    return b"".join(frames)


def as_y4m(footage: bytes) -> bytes:
    """Return an MJPEG as a YUV4MPEG2 of CAMERA_FPS; Chromium shows MJPEGs at 30, and decodes each picture each time."""
    with av.open(io.BytesIO(footage), "r", format="mjpeg") as video:
        frames = [frame.reformat(format="yuv420p") for frame in video.decode(video=0)]
    head = f"YUV4MPEG2 W{frames[0].width} H{frames[0].height} F{CAMERA_FPS}:1\n".encode()
    return head + b"".join(b"FRAME\n" + frame.to_ndarray().tobytes() for frame in frames)


@pytest.fixture(scope="module")
def camera_footage() -> bytes | None:
    """Return the MJPEG that the browser's camera shows; a file of tests that needs a camera has its own."""
    return None


class Browsers:
    """A browser without a camera and one with, for all tests of this folder that follow one another."""

    def __init__(self) -> None:
        self._playwright: Playwright | None = None
        self._open: dict[bool, tuple[bytes | None, Browser]] = {}

    def get(self, chromium: str, footage: bytes | None, folder: Callable[[], Path]) -> Browser:
        """Return a browser whose camera shows an MJPEG, or that has none; what it plays goes into a new folder."""
        kind = footage is not None
        shown, browser = self._open.get(kind, (None, None))
        if browser and shown == footage:
            return browser
        if browser:
            browser.close()
        flags = list(FLAGS)
        if footage is not None:
            path = folder() / "footage.y4m"
            path.write_bytes(as_y4m(footage))
            flags += ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={path}"]
        self._playwright = self._playwright or sync_playwright().start()
        browser = self._playwright.chromium.launch(executable_path=chromium, args=flags)
        self._open[kind] = footage, browser
        return browser

    def close(self) -> None:
        """End all, with Playwright's event loop, which would be in other tests' way."""
        for _, browser in self._open.values():
            browser.close()
        self._open.clear()
        if self._playwright:
            self._playwright.stop()
        self._playwright = None


BROWSERS = Browsers()


@pytest.hookimpl(trylast=True)  # after the fixtures, which close their pages
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """End the browsers where a test of another folder comes next, or none."""
    if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
        BROWSERS.close()


@pytest.fixture(scope="module")
def browser(chromium: str, camera_footage: bytes | None, tmp_path_factory: pytest.TempPathFactory) -> Browser:
    """Return the browser for a file of tests."""
    return BROWSERS.get(chromium, camera_footage, lambda: tmp_path_factory.mktemp("camera"))


@pytest.fixture
def complaints() -> list[str]:
    """Return what consoles say against pages; a test that provokes something takes it out."""
    return []


@pytest.fixture
def new_page(browser: Browser, complaints: list[str]) -> Iterator[Callable[..., Page]]:
    """Return a function that opens an empty page in a context of its own; complaints in its console fail the test."""

    def listen(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(f"{message.text} {message.location['url']}".strip())

    with ExitStack() as contexts:

        def open_page(**options: Any) -> Page:
            # Without motion, colours stand at once, so that axe does not measure them half-way.
            usual = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"}
            context = browser.new_context(**{**usual, **options})
            contexts.callback(context.close)
            context.set_default_timeout(PATIENCE_MS)
            page = context.new_page()
            page.on("console", listen)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            return page

        yield open_page
    # A test's server may stop before its page is closed; that is no fault of the page's.
    assert [text for text in complaints if "net::ERR_" not in text] == []


@pytest.fixture
def mood() -> Mood:
    """Return the classifier of `live_app`."""
    return Mood()


@pytest.fixture
def live_app(mood: Mood, tmp_path: Path) -> Iterator[str]:
    """Serve the real application, showing the demo clip; give its address."""
    yield from live_video(DEMO_CLIP, tmp_path / "uploads", mood)


@pytest.fixture
def live_app_as_shipped(tmp_path: Path) -> Iterator[str]:
    """Serve the real application with the network that ships; give its address."""
    yield from live_video(
        DEMO_CLIP, tmp_path / "uploads", FacialExpressionModel(ROOT / "model.json", ROOT / "model_weights.h5")
    )


@pytest.fixture
def staged() -> Iterator[SimpleNamespace]:
    """Serve the real application with a camera that shows what a test publishes; give `address` and `camera`."""
    camera = FakeCamera(classifier=Mood())
    with serving(create_app(Settings(), camera.as_camera())) as address:
        yield SimpleNamespace(address=address, camera=camera)
        camera.close()


@pytest.fixture(scope="session")
def shoot() -> Callable[[Page, str], None]:
    """Return a function that keeps a screenshot for people to look at."""
    SCREENSHOTS.mkdir(exist_ok=True)
    return lambda page, name: cast("None", page.screenshot(path=SCREENSHOTS / f"{name}.png") and None)


@pytest.fixture(scope="session")
def check_accessibility() -> Callable[[Page], None]:
    """Return a function that fails where axe-core finds any fault in a page."""

    def check(page: Page) -> None:
        page.evaluate(AXE.read_text())
        result = page.evaluate("axe.run({resultTypes: ['violations']})")
        faults = [
            (violation["id"], violation["help"], [node["html"] for node in violation["nodes"]])
            for violation in result["violations"]
        ]
        assert faults == []

    return check


@pytest.fixture
def crowded_app(tmp_path: Path) -> Iterator[str]:
    """Serve the real application, showing a group of eight; give its address."""
    portrait = cv2.imread(str(ROOT / "tests" / "data" / "astronaut.png"))
    assert portrait is not None
    face = cv2.resize(portrait[:300, 80:380], (320, 320))
    path = tmp_path / "group.png"
    cv2.imwrite(str(path), np.tile(face, (2, 4, 1)))
    yield from live_video(path, tmp_path / "uploads", Mood())


@pytest.fixture
def live_app_without_faces(tmp_path: Path) -> Iterator[str]:
    """Serve the real application, showing a plain picture; give its address."""
    path = tmp_path / "wall.png"
    cv2.imwrite(str(path), np.full((480, 640, 3), 130, np.uint8))
    yield from live_video(path, tmp_path / "uploads", Mood())


def face(number: int, expression: str, confidence: float, box: tuple[int, int, int, int] = (8, 4, 32, 32)) -> Any:
    """Return a face as the API describes it."""
    rest = (1 - confidence) / (len(EXPRESSIONS) - 1)
    return {
        "id": number,
        "box": list(box),
        "expression": expression,
        "confidence": confidence,
        "uncertain": confidence < 0.4,
        "probabilities": {name: confidence if name == expression else rest for name in EXPRESSIONS},
    }


def live_body(*frames: list[Any], width: int = 640, height: int = 360, seconds: float = 0.0) -> bytes:
    """Return a live stream of frames with these faces, `seconds` apart; each is a grey picture."""
    status: dict[str, Any] = {"state": "live", "source": "Test card", "reason": "", "model": "ready", "demo": False}
    status["frame"] = {"width": width, "height": height}
    picture = cv2.imencode(".jpg", np.full((height, width, 3), 120, np.uint8))[1].tobytes()
    parts = [("application/json", json.dumps({"status": status}).encode())]
    for index, faces in enumerate(frames):
        frame: dict[str, Any] = {"index": index, "time": time.time() + index * seconds, "faces": faces}
        frame |= {"width": width, "height": height, "blurred": False, "sent": time.time()}
        parts += [("application/json", json.dumps({"frame": frame}).encode()), ("image/jpeg", picture)]
    return b"".join(
        b"--frame\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s\r\n" % (kind.encode(), len(data), data)
        for kind, data in parts
    )
