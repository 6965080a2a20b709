"""The visitor's own camera: a fake device plays real faces; its frames go to the server and come back as labels."""

import csv
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from analysis.output.tables import LAST_COLUMNS
from entities import EXPRESSIONS
from tests.browser.conftest import FLAGS, demo_footage

NewPage = Callable[..., Page]


@pytest.fixture(scope="module")
def camera_footage() -> bytes:
    """Let the browser's camera show the demo clip."""
    return demo_footage()


@pytest.fixture
def page(new_page: NewPage, live_app: str) -> Page:
    """Return a page whose visitor has chosen the own camera, and not yet started it."""
    page = new_page(accept_downloads=True)
    page.goto(live_app)
    page.get_by_label("My camera", exact=True).check()
    page.get_by_label("On the server").check()
    return page


def start(page: Page) -> None:
    """Start the camera and wait for the first answer."""
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator("#state")).to_have_text("Live")


def test_nothing_is_sent_before_the_visitor_agrees(page: Page, shoot: Any) -> None:
    """The page says where pictures go, and waits; the camera is off."""
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    consent = page.locator("#consent")
    expect(consent).to_contain_text("the computer that runs this app")
    expect(page.locator("#state")).to_have_text("Off")
    shoot(page, "own-camera-consent")
    assert page.locator("#own-video").evaluate("video => video.srcObject") is None
    assert [url for url in sent if "/api/live/frame" in url] == []


def test_faces_of_the_own_camera_are_labelled(page: Page, mood: Any, shoot: Any) -> None:
    """Cards and marks show what the server answers; the picture is mirrored."""
    start(page)
    expect(page.locator(".face-card .expression").first).to_have_text("Happy")
    expect(page.locator("#own-video")).to_have_attribute("data-mirrored", "")
    expect(page.locator("#latency")).to_have_text(re.compile(r"\d+ ms"))
    drawn = "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean)"
    assert page.locator("#marks").evaluate(drawn)
    shoot(page, "own-camera")
    mood.expression = "Surprise"
    expect(page.locator(".face-card .expression").first).to_have_text("Surprise")


def test_the_network_that_ships_sees_a_real_smile(new_page: NewPage, live_app_as_shipped: str) -> None:
    """Before the camera are Eileen Collins, who smiles, and Grace Hopper, who does not."""
    page = new_page()
    page.goto(live_app_as_shipped)
    page.get_by_label("My camera", exact=True).check()
    page.get_by_label("On the server").check()
    start(page)
    cards = page.locator(".face-card .expression")
    expect(cards).to_have_count(2)
    expect(cards.filter(has_text="Happy")).to_have_count(1)


def test_frames_go_one_at_a_time(page: Page) -> None:
    """The next frame leaves when the answer is back, however fast the camera is."""
    page.evaluate(
        """() => {
          const { fetch } = window;
          window.most = 0;
          let underWay = 0;
          window.fetch = async (...request) => {
            window.most = Math.max(window.most, ++underWay);
            try { return await fetch(...request); } finally { underWay--; }
          };
        }"""
    )
    start(page)
    for _ in range(5):
        with page.expect_response("**/api/live/frame*"):
            pass
    assert page.evaluate("window.most") == 1


def test_a_recording_is_saved_with_every_frame(page: Page, tmp_path: Path) -> None:
    """The CSV has a row for each face of each frame, with times that rise and probabilities that sum to 1."""
    start(page)
    expect(page.locator(".face-card").first).to_be_visible()
    page.get_by_role("button", name="Record").click()
    expect(page.locator("#record-count")).to_have_text(re.compile(r"^([3-9]|\d\d) frames$"))
    with page.expect_download() as download:
        page.get_by_role("button", name="Stop and save").click()
    download.value.save_as(tmp_path / "recording.csv")
    assert re.fullmatch(r"expressions [\d. -]+\.csv", download.value.suggested_filename)
    rows = list(csv.DictReader((tmp_path / "recording.csv").open()))
    seen = [row for row in rows if row["face"]]
    assert seen
    assert len({row["frame"] for row in rows}) >= 3
    assert [float(row["time"]) for row in rows] == sorted(float(row["time"]) for row in rows)
    assert float(rows[0]["time"]) == 0
    assert all(row["expression"] == "Happy" for row in seen)
    names = ("Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral")
    assert sum(float(seen[0][name]) for name in names) == pytest.approx(1, abs=0.001)


def test_markers_are_in_the_recording(page: Page, tmp_path: Path, check_accessibility: Any, shoot: Any) -> None:
    """By key and by button, numbered and with a label; each lasts until the next, or to where it is ended."""
    start(page)
    expect(page.locator(".face-card").first).to_be_visible()
    page.keyboard.press("m")  # there is nothing to mark yet
    expect(page.get_by_role("form", name="Markers")).to_be_hidden()
    page.get_by_role("button", name="Record").click()
    field, set_marker, toasts = page.locator("#marker-label"), page.locator("#marker-set"), page.locator("#toasts")
    expect(page.locator("#record-count")).not_to_have_text("")
    page.keyboard.press("m")
    expect(toasts).to_contain_text("Marker: 1")
    check_accessibility(page)
    shoot(page, "own-camera-marker")
    field.fill("<i>fil")
    field.press("m")
    expect(field).to_have_value("<i>film")
    set_marker.click()
    expect(toasts).to_contain_text("Marker: <i>film")
    page.get_by_role("button", name="End marker <i>film").click()
    expect(toasts).to_contain_text("End of marker: <i>film")
    set_marker.click()
    expect(toasts).to_contain_text("Marker: 2")
    with page.expect_download() as download:
        page.get_by_role("button", name="Stop and save").click()
    download.value.save_as(tmp_path / "recording.csv")
    rows = list(csv.reader((tmp_path / "recording.csv").open()))
    assert rows[0][-1:] == list(LAST_COLUMNS)
    changes = [row[-1] for before, row in pairwise(rows) if row[-1] != before[-1]]
    assert changes == ["", "1", "<i>film", "", "2"]
    expect(page.get_by_role("form", name="Markers")).to_be_hidden()
    with page.expect_download() as report:
        page.locator("#report").click()
    report.value.save_as(tmp_path / "report.html")
    told = (tmp_path / "report.html").read_text("utf-8")
    assert re.search(r"1 from [\d:.]+, &lt;i>film from [\d:.]+, none from [\d:.]+, 2 from [\d:.]+\.", told)
    page.goto((tmp_path / "report.html").as_uri())
    shoot(page, "recording-report-markers")


def test_blurred_faces_leave_no_live_picture(page: Page, tmp_path: Path, shoot: Any) -> None:
    """With blur, only answered frames are shown, with mosaics; the snapshot as well."""
    page.get_by_label("Blur faces").check()
    start(page)
    expect(page.locator(".face-card").first).to_be_visible()
    expect(page.locator("#own-video")).to_have_css("visibility", "hidden")
    shoot(page, "own-camera-blurred")
    with page.expect_download() as download:
        page.get_by_role("button", name="Snapshot").click()
    download.value.save_as(tmp_path / "snapshot.png")
    picture = cv2.imread(str(tmp_path / "snapshot.png"))
    assert picture is not None
    assert picture.shape[:2] == (360, 640)
    assert picture.std() > 10


def test_an_answer_that_never_comes_does_not_stop_the_video(page: Page) -> None:
    """After a while the next frame is sent; until then, old labels would lie over a moving picture."""
    page.clock.install()
    start(page)
    with page.expect_request("**/api/live/frame?*"):
        page.route("**/api/live/frame?*", lambda _: None, times=1)
    with page.expect_response("**/api/live/frame?*"):
        page.clock.fast_forward(11_000)
    expect(page.locator("#state")).to_have_text("Live")


def test_a_face_that_turns_away_stays_hidden(page: Page, tmp_path: Path) -> None:
    """With blur, its place is covered though the next answers have no face."""
    found: dict[str, Any] = {
        "id": 1,
        "box": [200, 100, 120, 120],
        "expression": "Happy",
        "confidence": 0.9,
        "uncertain": False,
    }
    found["probabilities"] = {name: float(name == "Happy") for name in EXPRESSIONS}
    answers = [[found]]

    def answer(route: Route) -> None:
        faces = answers.pop() if answers else []
        route.fulfill(json={"width": 640, "height": 360, "faces": faces, "timings": {}})

    page.route("**/api/live/frame?*", answer)
    page.get_by_label("Blur faces").check()
    start(page)
    expect(page.locator(".face-card[data-gone]")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Snapshot").click()
    download.value.save_as(tmp_path / "snapshot.png")
    picture = cv2.imread(str(tmp_path / "snapshot.png"))
    assert picture is not None
    # Mirrored, the box is 320 to 440 pixels from the left.
    assert len(np.unique(picture[90:230, 300:460].reshape(-1, 3), axis=0)) <= 36
    assert len(np.unique(picture[:40].reshape(-1, 3), axis=0)) > 36


def test_the_server_is_not_asked_after_the_switch_back(page: Page) -> None:
    """Going back to the server's video switches the camera off."""
    start(page)
    page.get_by_label("Server camera").check()
    expect(page.locator("#state")).to_have_text("Live")
    expect(page.locator("#source-name")).to_have_text("demo.mp4")
    assert page.locator("#own-video").evaluate("video => video.srcObject") is None


def test_figures_of_one_camera_are_not_shown_for_another(new_page: NewPage, live_app: str) -> None:
    """Speed and delay go with the camera that they are of, however fresh they are."""
    page = new_page()
    page.goto(live_app)
    fps, latency = page.locator("#fps"), page.locator("#latency")
    expect(fps).to_have_text(re.compile(r"fps"))
    page.get_by_label("My camera", exact=True).check()
    page.get_by_label("On the server").check()
    expect(fps).to_have_text("–")
    expect(latency).to_have_text("–")
    start(page)
    expect(fps).to_have_text(re.compile(r"fps"))
    page.route("**/api/live?*", lambda route: route.abort())
    page.get_by_label("Server camera").check()
    expect(fps).to_have_text("–")
    expect(latency).to_have_text("–")


FAULTS = [
    ("NotAllowedError", "The camera is blocked", "Allow the camera for this page"),
    ("NotFoundError", "No camera found", "Plug one in"),
    ("NotReadableError", "The camera is busy", "Another program or tab is using it"),
]


@pytest.mark.parametrize(("name", "title", "advice"), FAULTS)
def test_a_camera_that_cannot_be_had_is_told_with_what_to_do(
    new_page: NewPage, live_app: str, name: str, title: str, advice: str
) -> None:
    """Each of the browser's refusals has clear words and a way to try again."""
    page = new_page()
    page.add_init_script(f"navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', '{name}'));")
    page.goto(live_app)
    page.get_by_label("My camera", exact=True).check()
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator("#consent")).to_contain_text(title)
    expect(page.locator("#consent")).to_contain_text(advice)
    expect(page.get_by_role("button", name="Start my camera")).to_be_visible()


def test_a_visitor_who_denies_the_camera_is_told_how_to_allow_it(
    browser: Browser, chromium: str, live_app: str
) -> None:
    """The browser itself refuses here, as after a click on "Block"."""
    flags = (FLAGS[0], "--use-fake-device-for-media-stream", "--deny-permission-prompts")
    other = browser.browser_type.launch(executable_path=chromium, args=flags)
    page = other.new_page()
    page.goto(live_app)
    page.get_by_label("My camera", exact=True).check()
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator("#consent")).to_contain_text("The camera is blocked")
    other.close()


def test_a_page_without_a_secure_address_says_why_there_is_no_camera(new_page: NewPage, live_app: str) -> None:
    """Where browsers have no camera for the page, it says which addresses have one."""
    page = new_page()
    page.add_init_script("Object.defineProperty(window, 'isSecureContext', {value: false});")
    page.goto(live_app)
    page.get_by_label("My camera", exact=True).check()
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator("#consent")).to_contain_text("HTTPS")


def test_a_server_that_fails_is_told_and_asked_again(page: Page, complaints: list[str]) -> None:
    """The server's words appear while it refuses; the next answer clears them."""
    refusal = {"error": {"code": "model_unavailable", "message": "The model is still loading."}}
    page.route("**/api/live/frame*", lambda route: route.fulfill(status=503, json=refusal))
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator("#reason")).to_have_text("The model is still loading.")
    expect(page.locator("#state")).to_have_text("Reconnecting")
    page.unroute_all()
    expect(page.locator("#state")).to_have_text("Live")
    expect(page.locator("#reason")).to_have_text("")
    complaints[:] = [text for text in complaints if "status of 503" not in text]


@pytest.mark.parametrize("width", [360, 1440])
def test_the_own_camera_fits_and_is_accessible(
    new_page: NewPage, live_app: str, check_accessibility: Any, shoot: Any, width: int
) -> None:
    """Narrow and wide, before and after the start, nothing overflows and axe finds nothing serious."""
    page = new_page(viewport={"width": width, "height": 800}, color_scheme="dark")
    page.goto(live_app)
    page.get_by_label("My camera", exact=True).check()
    page.get_by_label("On the server").check()
    check_accessibility(page)
    start(page)
    expect(page.locator(".face-card").first).to_be_visible()
    check_accessibility(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shoot(page, f"own-camera-dark-{width}")


def test_the_camera_can_be_stopped(page: Page) -> None:
    """A button switches it off, and the page says so."""
    start(page)
    page.get_by_role("button", name="Stop camera").click()
    expect(page.locator("#state")).to_have_text("Off")
    expect(page.get_by_role("button", name="Start my camera")).to_be_focused()
    assert page.locator("#own-video").evaluate("video => video.srcObject") is None


def test_a_hidden_page_lets_go_of_the_camera(page: Page) -> None:
    """It is off while nobody looks, and on again when somebody does."""
    start(page)
    hide = "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true}); \
            document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate(hide, True)
    assert page.locator("#own-video").evaluate("video => video.srcObject") is None
    page.evaluate(hide, False)
    expect(page.locator("#own-video")).not_to_have_js_property("srcObject", None)
    expect(page.locator("#state")).to_have_text("Live")


def test_nothing_jumps_when_the_camera_starts(page: Page) -> None:
    """The layout shifts by less than 0.05 from the consent to the live picture."""
    page.evaluate(
        """
        () => {
          window.shift = 0;
          new PerformanceObserver((list) => list.getEntries().forEach(({ value }) => (window.shift += value)))
            .observe({ type: "layout-shift", buffered: false });
        }
        """
    )
    start(page)
    expect(page.locator(".face-card").first).to_be_visible()
    assert page.evaluate("window.shift") < 0.05


def test_what_is_saved_is_said(page: Page) -> None:
    """After a snapshot the page names the file."""
    start(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Snapshot").click()
    expect(page.get_by_text(f"Saved {download.value.suggested_filename}")).to_be_visible()
