"""The visitor's own camera, where it falls silent, is gone, comes late, or goes on behind other pages."""

import csv
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import demo_footage, face

NewPage = Callable[..., Page]

HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
NO_FRAMES = """() => {
  const { requestVideoFrameCallback } = HTMLVideoElement.prototype;
  HTMLVideoElement.prototype.requestVideoFrameCallback = function (call) {
    return requestVideoFrameCallback.call(this, (...told) => document.hidden || window.silent || call(...told));
  };
}"""
"""Let the video tell of no frames while the page is hidden, as browsers do, or while the test says so."""
DRAWN = "marks => marks.getContext('2d').getImageData(0, 0, marks.width, marks.height).data.some(Boolean)"
MUTE = """(muted) => {
  const [track] = document.getElementById("own-video").srcObject.getVideoTracks();
  Object.defineProperty(track, "muted", { value: muted, configurable: true });
  track.dispatchEvent(new Event(muted ? "mute" : "unmute"));
}"""
TWO_CAMERAS = """() => {
  const { mediaDevices } = navigator;
  const open = mediaDevices.getUserMedia.bind(mediaDevices);
  const camera = (deviceId) => ({ kind: "videoinput", label: "HD Webcam", deviceId });
  mediaDevices.enumerateDevices = async () => [camera("here"), camera("gone")];
  mediaDevices.getUserMedia = async ({ video }) => {
    if (video.deviceId?.exact === "gone") throw new DOMException("", "OverconstrainedError");
    return open({ video: true });
  };
}"""
NOBODY = {"width": 640, "height": 360, "faces": [], "timings": {}}
BLACK_CAMERA = """
  window.colour = "#000";
  const picture = Object.assign(document.createElement("canvas"), { width: 640, height: 360 }).getContext("2d");
  const noise = () => "rgb(" + [0, 0, 0].map(() => Math.floor(8 * Math.random())) + ")"; // as sensors have
  setInterval(() => {
    picture.fillStyle = window.colour;
    picture.fillRect(0, 0, 640, 360);
    picture.fillStyle = noise();
    picture.fillRect(0, 0, 40, 40);
  }, 30);
  navigator.mediaDevices.getUserMedia = async () => picture.canvas.captureStream(30);
"""


@pytest.fixture(scope="module")
def camera_footage() -> bytes:
    """Let the browser's camera show the demo clip."""
    return demo_footage()


def answer(route: Route) -> None:
    """Find a face in any picture."""
    found = {"width": 640, "height": 360, "faces": [face(1, "Happy", 0.9, (200, 100, 120, 120))], "timings": {}}
    route.fulfill(json=found)


@pytest.fixture
def page(new_page: NewPage, staged: SimpleNamespace) -> Page:
    """Return a page whose visitor has chosen the own camera, and not yet started it."""
    page = new_page(accept_downloads=True)
    page.route("**/api/live/frame?*", answer)
    page.goto(staged.address)
    page.get_by_label("My camera", exact=True).check()
    page.get_by_label("On the server").check()
    return page


def start(page: Page) -> None:
    """Start the camera and wait for the first answer."""
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator("#state")).to_have_text("Live")


def rows(page: Page, tmp_path: Path) -> list[dict[str, str]]:
    """End the recording; return its table."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Stop and save").click()
    download.value.save_as(tmp_path / "recording.csv")
    return list(csv.DictReader(StringIO((tmp_path / "recording.csv").read_text())))


def test_a_recording_goes_on_behind_other_pages(page: Page, tmp_path: Path) -> None:
    """Where the browser tells of no frames, a worker's timer goes on; a jump of the clock is no time passed."""
    page.evaluate(NO_FRAMES)
    start(page)
    page.get_by_role("button", name="Record").click()
    expect(page.locator("#record-count")).to_have_text(re.compile(r"\d frame"))
    page.evaluate(HIDE, True)
    page.evaluate("Date.now = ((now) => () => now() + 3_600_000)(Date.now)")
    for _ in range(3):
        count = page.locator("#record-count").text_content() or ""
        expect(page.locator("#record-count")).not_to_have_text(count)
    page.evaluate(HIDE, False)
    recorded = rows(page, tmp_path)
    times = [float(row["time"]) for row in recorded]
    assert times == sorted(times)
    assert times[-1] < 1000
    assert recorded[0]["clock"][:13] < recorded[-1]["clock"][:13]
    assert {row["source"] for row in recorded} == {"My camera"}


def test_a_camera_that_falls_silent_is_told(page: Page) -> None:
    """Muted or without frames, it says so within seconds, without old marks; back again, it goes on by itself."""
    page.evaluate(NO_FRAMES)
    page.clock.install()
    start(page)
    expect(page.locator(".face-card")).to_have_count(1)
    page.evaluate(MUTE, True)
    expect(page.locator("#state")).to_have_text("No picture")
    expect(page.locator("#reason")).to_contain_text("It goes on by itself")
    expect(page.locator(".face-card")).to_have_count(0)
    assert not page.locator("#marks").evaluate(DRAWN)
    page.evaluate(MUTE, False)
    expect(page.locator("#state")).to_have_text("Live")
    page.evaluate("window.silent = true")
    for _ in range(20):
        page.clock.run_for(3_000)
        if page.locator("#state").text_content() == "No picture":
            break
    expect(page.locator("#state")).to_have_text("No picture")


def test_a_chosen_camera_that_is_gone_is_told(new_page: NewPage, staged: SimpleNamespace) -> None:
    """Another one is offered, each under a name of its own; after a reload the page is where it was."""
    page = new_page()
    page.add_init_script(f"({TWO_CAMERAS})()")
    page.route("**/api/live/frame?*", answer)
    page.goto(staged.address)
    page.get_by_label("My camera", exact=True).check()
    page.get_by_label("On the server").check()
    start(page)
    choice = page.locator("#camera-select")
    expect(choice.locator("option")).to_have_text(["HD Webcam", "HD Webcam (2)"])
    choice.select_option("HD Webcam (2)")
    expect(page.locator("#consent")).to_contain_text("The chosen camera is not there")
    expect(choice).to_be_visible()
    choice.select_option("HD Webcam")
    expect(page.locator("#state")).to_have_text("Live")
    page.reload()
    expect(page.get_by_label("My camera", exact=True)).to_be_checked()
    with page.expect_request("**/api/live/frame?*"):
        page.get_by_role("button", name="Start my camera").click()


def test_a_camera_that_is_waited_for_is_told(new_page: NewPage, staged: SimpleNamespace) -> None:
    """Where a question to the visitor stands, or a driver takes long, the page says what it waits for."""
    page = new_page()
    page.add_init_script("navigator.mediaDevices.getUserMedia = () => new Promise(() => {})")
    page.clock.install()
    page.goto(staged.address)
    page.get_by_label("My camera", exact=True).check()
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator("#state")).to_have_text("Opening")
    page.clock.run_for(3_100)
    expect(page.locator("#reason")).to_contain_text("Waiting for the camera")


@pytest.mark.parametrize(("path", "place"), [("", "#reason"), ("check", "#trouble-text")])
def test_a_black_picture_is_told_until_light_comes(
    new_page: NewPage, staged: SimpleNamespace, path: str, place: str
) -> None:
    """After three seconds, since some cameras begin so; the shutter closed again, it is told again."""
    page = new_page()
    page.add_init_script(BLACK_CAMERA)
    page.route("**/api/live/frame?*", lambda route: route.fulfill(json=NOBODY))
    page.clock.install()
    page.goto(staged.address + path)
    if not path:
        page.get_by_label("My camera", exact=True).check()
    page.get_by_label("On the server").check()
    with page.expect_response("**/api/live/frame?*"):
        page.get_by_role("button", name="Start my camera").click()
    words = page.locator(place)
    expect(words).not_to_contain_text("black picture")
    for colour in ("#000", "#111"):
        page.evaluate("colour => { window.colour = colour }", colour)
        page.clock.run_for(3100)
        expect(words).to_contain_text("The camera sends a black picture: is its shutter closed?")
        page.evaluate("window.colour = '#345'")
        expect(words).to_have_text("")
