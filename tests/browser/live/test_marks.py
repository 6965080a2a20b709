"""Marks lie on the faces of the very frame that is shown, however these move, in all three ways of watching."""

import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page, Route, expect

from config import DEMO_CLIP, ROOT, DetectorSettings
from entities import Image
from tests.browser.conftest import Mood, face, live_video
from vision.detection import load_detector
from vision.detectors.detector import Detection

NewPage = Callable[..., Page]

FRAMES = 10
FAR = 0.08
"""How far the middle of a face's marks may be from the face's, in widths of it."""

LISTEN = """async () => {
  const scripts = document.querySelector("script[src*='/js/']").src;
  const { Steady } = await import(new URL("../faces/steady.js", scripts));
  const { Stage } = await import(new URL("../faces/stage.js", scripts));
  const [{ faces }, { mark }] = [Steady.prototype, Stage.prototype];
  Steady.prototype.faces = function (found, ...more) {
    window.found = found;
    return faces.call(this, found, ...more);
  };
  Stage.prototype.mark = function (faces, options) {
    window.told = { faces: window.found, width: options.width };
    return mark.call(this, faces, options);
  };
}"""
"""Keep what the server tells of the faces in the frame that is shown, and that frame's width."""
SHOWN = """() => {
  const [own, video, marks] = ["own-video", "video", "marks"].map((id) => document.getElementById(id));
  const picture = document.createElement("canvas");
  const { videoWidth, videoHeight } = own;
  [picture.width, picture.height] = videoWidth ? [videoWidth, videoHeight] : [video.width, video.height];
  const context = picture.getContext("2d");
  if ("mirrored" in own.dataset) context.setTransform(-1, 0, 0, 1, picture.width, 0);
  if (videoWidth) context.drawImage(own, 0, 0);
  context.resetTransform();
  context.drawImage(video, 0, 0, picture.width, picture.height);
  return [picture.toDataURL(), marks.toDataURL(), window.told ?? null];
}"""
"""What the visitor sees at one moment, the picture and the marks over it, and what the server tells of that frame."""


def moving_portrait(count: int = 60) -> Iterator[Image]:
    """Yield pictures of a face that sways by its width and back within 60 frames, and turns by 25 degrees."""
    portrait = cv2.imread(str(ROOT / "tests" / "data" / "astronaut.png"))
    assert portrait is not None
    for phase in np.linspace(0, 2 * np.pi, count, endpoint=False):
        turn = cv2.getRotationMatrix2D((225, 130), 25 * np.sin(phase), 1.2)
        turn[:, 2] += (95 + 60 * np.sin(phase), 40)
        yield np.asarray(cv2.warpAffine(portrait, turn, (640, 360), borderMode=cv2.BORDER_REPLICATE), np.uint8)


@pytest.fixture(scope="module")
def camera_footage() -> bytes:
    """Let the browser's camera show a face that moves and turns."""
    return b"".join(cv2.imencode(".jpg", picture)[1].tobytes() for picture in moving_portrait())


@pytest.fixture(scope="module")
def find() -> Callable[[Image], list[Detection]]:
    """Return what says where the faces are in a picture, as quickly as in one of a video's many."""
    detector = load_detector(DetectorSettings())
    return lambda picture: detector.find(picture, detector.min_face * min(picture.shape[:2]), thorough=False)


@pytest.fixture(params=["demo.mp4", "two_faces_turning.mp4"])
def two_people(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[str]:
    """Serve the application, showing a clip with two people who move or turn their heads; give its address."""
    own = request.param == DEMO_CLIP.name
    clip = DEMO_CLIP if own else request.getfixturevalue("shared") / "samples" / request.param
    yield from live_video(clip, tmp_path / "uploads", Mood())


def shown(page: Page) -> Iterator[tuple[Image, Image, Any]]:
    """Yield the picture, the marks over it and what the server told of it, frame after frame."""
    for _ in range(FRAMES):
        number = page.locator("#video").get_attribute("data-frames") or ""
        expect(page.locator("#video")).not_to_have_attribute("data-frames", number)
        picture, marks, told = page.evaluate(SHOWN)
        yield decoded(picture), decoded(marks), told


def decoded(address: str) -> Image:
    """Return the picture of a data URL, with its opacity."""
    picture = cv2.imdecode(np.frombuffer(b64decode(address.partition(",")[2]), np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def check_marks(marks: Image, faces: list[NDArray[np.float64]], turned: float) -> None:
    """Fail where the marks' corners do not stand around these faces, four corners each in pixels of the marks.

    `turned`: degrees by which they may be turned otherwise; the browser takes turns for noise at first.
    """
    _, _, _, drawn = cv2.connectedComponentsWithStats((marks[:, :, 3] > 128).astype(np.uint8))
    assert len(drawn) - 1 == 4 * len(faces)
    for corners in faces:
        if (corners < 0).any() or (corners > marks.shape[1::-1]).any():
            continue  # what is cut off has its middle elsewhere
        around = np.array([min(drawn[1:], key=lambda place: np.hypot(*(place - corner))) for corner in corners])
        middle, side = corners.mean(axis=0), np.hypot(*(corners[1] - corners[0]))
        assert np.hypot(*(around.mean(axis=0) - middle)) <= FAR * side
        assert turn_between(around[1] - around[0], corners[1] - corners[0]) <= turned


def turn_between(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the degrees between two directions."""
    (x, y), (u, v) = one, other
    return float(np.degrees(abs(np.arctan2(x * v - y * u, x * u + y * v))))


def test_marks_on_the_servers_video(new_page: NewPage, two_people: str) -> None:
    """Words are held for a moment; marks stand and turn as the server says of this very frame."""
    page = new_page()
    page.goto(two_people)
    page.get_by_label("Labels").uncheck()
    page.evaluate(LISTEN)
    expect(page.locator(".face-card")).to_have_count(2)
    for _, marks, told in shown(page):
        scale = marks.shape[1] / told["width"]
        check_marks(marks, [scale * np.array(known["corners"]) for known in told["faces"]], 2)


@pytest.mark.parametrize("place", ["On the server", "On this device"])
def test_marks_on_the_own_camera(
    new_page: NewPage, live_app: str, find: Callable[[Image], list[Detection]], place: str
) -> None:
    """However long an answer takes, its marks lie on the faces of the picture that is shown."""

    def answer(route: Route) -> None:
        """Find the faces in this very picture, where the server would follow those of the last."""
        assert route.request.post_data_buffer is not None
        picture = cv2.imdecode(np.frombuffer(route.request.post_data_buffer, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        faces = [face(1, "Happy", 0.9) | {"corners": found.corners} for found in find(picture)]
        height, width = picture.shape[:2]
        route.fulfill(body=json.dumps({"width": width, "height": height, "faces": faces}))

    page = new_page()
    page.goto(live_app)
    page.route("**/api/live/frame?*", answer)
    page.get_by_label("Labels").uncheck()
    page.get_by_label("My camera", exact=True).check()
    page.get_by_label(place).check()
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator(".face-card")).to_have_count(1)
    for picture, marks, _ in shown(page):
        faces = find(np.ascontiguousarray(picture[:, :, :3]))
        check_marks(marks, [np.array(found.corners) * marks.shape[1] / picture.shape[1] for found in faces], 20)
