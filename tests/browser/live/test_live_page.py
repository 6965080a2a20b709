"""The live page in a real browser: the video moves, the cards follow, and every state is told."""

import csv
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from app import create_app
from config import Settings, load_settings
from entities import SourceState, SourceStatus
from tests.browser.conftest import Mood, face, live_body, serving
from tests.helpers.fake_camera import FakeCamera, frame_result

NewPage = Callable[..., Page]
PICTURE = "document.getElementById('video').toDataURL('image/jpeg')"


def wait_for_frames(page: Page, count: int) -> None:
    """Wait until this many more frames have been drawn."""
    video = page.locator("#video")
    for _ in range(count):
        expect(video).not_to_have_attribute("data-frames", video.get_attribute("data-frames") or "")


def bar_scale(page: Page, expression: str) -> float:
    """Return how full a bar of the first card is, 0-1."""
    bar = page.locator(f".face-card .bar[data-expression={expression}] .bar-fill").first
    return float(bar.evaluate("bar => new DOMMatrix(getComputedStyle(bar).transform).a"))


def test_the_demo_clip_plays_with_its_faces_named(new_page: NewPage, live_app: str, mood: Any, shoot: Any) -> None:
    """Frames follow each other in the canvas, events fill a card, and the card follows the model."""
    page = new_page()
    page.goto(live_app)
    expect(page.locator("#state")).to_have_text("Live")
    card = page.locator(".face-card").first
    expect(card.locator(".expression")).to_have_text("Happy")
    expect(card.locator(".confidence")).to_have_text("88%")
    assert bar_scale(page, "Happy") == pytest.approx(0.88, abs=0.01)
    before = page.evaluate(PICTURE)
    wait_for_frames(page, 10)
    assert page.evaluate(PICTURE) != before
    expect(page.locator("#fps")).to_have_text(re.compile(r"^[1-9]\d*(\.\d)? fps$"))
    expect(page.locator("#latency")).to_have_text(re.compile(r"^\d+ ms$"))
    shoot(page, "live-light-1440")
    mood.expression = "Sad"
    expect(card.locator(".expression")).to_have_text("Sad")
    expect(card.locator(".bar[data-top]")).to_contain_text("Sad")
    expect(card.locator(".bar[data-expression=Sad] .bar-fill")).to_have_attribute("style", re.compile(r"scaleX\(0\.8"))


def test_a_speed_that_is_not_measured_yet_is_not_told(new_page: NewPage, staged: SimpleNamespace) -> None:
    """With the first frame the page has a delay, but no frames a second."""
    staged.camera.publish()
    page = new_page()
    page.goto(staged.address)
    expect(page.locator("#latency")).to_have_text(re.compile(r"^\d+ ms$|^\d+\.\d s$"))
    expect(page.locator("#fps")).to_have_text("–")


def test_a_card_whose_face_has_left_says_so(new_page: NewPage, staged: SimpleNamespace) -> None:
    """It stays for a moment, and its words and bars are those that were shown last."""
    page = new_page()
    stream = live_body([face(1, "Happy", 0.9)], [face(1, "Happy", 0.6)], [])
    page.route("**/api/live?*", lambda route: route.fulfill(content_type="multipart/mixed", body=stream), times=1)
    page.goto(staged.address)
    card = page.locator(".face-card[data-gone]")
    expect(card.locator(".face-name")).to_have_text(re.compile(r"^Face \d+, gone$"))
    assert f"{bar_scale(page, 'Happy'):.0%}" == card.locator(".confidence").text_content()


def test_faces_are_hidden_by_the_server(new_page: NewPage, live_app: str, shoot: Any) -> None:
    """With "Blur faces" the stream itself carries mosaics, so that no face reaches the browser."""
    page = new_page()
    page.goto(live_app)
    expect(page.locator(".face-card").first).to_be_visible()
    with page.expect_request("**/api/live?blur=1*"):
        page.get_by_label("Blur faces").check()
    wait_for_frames(page, 3)
    shoot(page, "live-blurred")


def test_the_chart_shows_the_past(new_page: NewPage, live_app: str) -> None:
    """Over the newest end of the chart, the pointer reads what was shown a moment ago."""
    page = new_page()
    page.goto(live_app)
    chart = page.locator(".face-card .history-chart .u-over").first
    reading = page.locator(".face-card .history-reading").first
    expect(page.locator(".face-card").first).to_be_visible()
    box = chart.bounding_box()
    assert box
    deadline = time.monotonic() + 15
    while not reading.text_content() and time.monotonic() < deadline:
        page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 10)
        page.mouse.move(box["x"] + box["width"] - 3, box["y"] + 20)
    expect(reading).to_have_text(re.compile(r"^\d+ s ago: Happy 88%$"))


def test_an_uncertain_face_is_called_so(new_page: NewPage, live_app: str, mood: Any) -> None:
    """Below the least confidence the card names no expression and lifts no bar out."""
    mood.confidence = 0.3
    page = new_page()
    page.goto(live_app)
    expect(page.locator(".face-card .expression").first).to_have_text("Uncertain")
    expect(page.locator(".bar[data-top]")).to_have_count(0)


@pytest.mark.parametrize(
    ("status", "badge", "reason"),
    [
        (SourceStatus(SourceState.OPENING, "Webcam 0", "It opens."), "Opening", "It opens."),
        (
            SourceStatus(SourceState.ENDED, "party.mp4", "It was played to its end."),
            "Ended",
            "It was played to its end.",
        ),
        (
            SourceStatus(SourceState.FAILED, "party.mp4", "There is no such file."),
            "Not available",
            "There is no such file.",
        ),
    ],
)
def test_each_state_is_told_with_its_reason(
    new_page: NewPage, staged: SimpleNamespace, status: SourceStatus, badge: str, reason: str
) -> None:
    """The badge, the source's name and the reason are in the page."""
    staged.camera.status = status
    page = new_page()
    page.goto(staged.address)
    expect(page.locator("#state")).to_have_text(badge)
    expect(page.locator("#source-name")).to_have_text(status.source)
    expect(page.locator("#reason")).to_have_text(reason)
    expect(page.get_by_text("No picture yet")).to_be_visible()


def test_a_silent_server_is_asked_again(new_page: NewPage, staged: SimpleNamespace) -> None:
    """Where no picture comes at all, the stream is opened again."""
    page = new_page()
    page.clock.install()
    page.route("**/api/live?*", lambda _: None, times=1)
    with page.expect_request("**/api/live?*"):
        page.goto(staged.address)
    with page.expect_request("**/api/live?*"):
        page.clock.fast_forward(9_000)
    staged.camera.publish()
    expect(page.locator("#video")).to_have_attribute("data-frames", re.compile(r"\d"))


def test_a_lost_camera_is_told_with_a_countdown_and_its_return(
    new_page: NewPage, staged: SimpleNamespace, shoot: Any
) -> None:
    """A change of state reaches an open page; the seconds to the next try count down; then all is well again."""
    page = new_page()
    page.goto(staged.address)
    staged.camera.publish()
    expect(page.locator("#state")).to_have_text("Live")
    why = "The camera was unplugged."
    staged.camera.status = SourceStatus(SourceState.RECONNECTING, "Webcam 0", why, time.monotonic() + 6)
    staged.camera.publish()
    expect(page.locator("#state")).to_have_text("Reconnecting")
    expect(page.locator("#reason")).to_have_text(re.compile(rf"{why} Next try in \d s\."))
    shoot(page, "live-reconnecting")
    expect(page.locator("#reason")).to_have_text(f"{why} Trying again now.")
    staged.camera.status = SourceStatus(SourceState.LIVE, "Webcam 0")
    staged.camera.publish()
    expect(page.locator("#state")).to_have_text("Live")
    expect(page.locator("#reason")).to_have_text("")


def test_without_a_face_the_page_says_what_helps(new_page: NewPage, live_app_without_faces: str, shoot: Any) -> None:
    """Video without faces has an empty state of its own."""
    page = new_page()
    page.goto(live_app_without_faces)
    expect(page.get_by_text("No face in view")).to_be_visible()
    expect(page.locator(".face-card")).to_have_count(0)
    shoot(page, "live-no-face")


@pytest.mark.parametrize(
    ("state", "words"),
    [("loading", "The model is loading"), ("failed", "No expressions for now")],
)
def test_a_model_that_is_not_there_is_told(
    new_page: NewPage, staged: SimpleNamespace, shoot: Any, state: str, words: str
) -> None:
    """While the model loads, or when it cannot, the page says so instead of "no face"."""
    staged.camera.model_state, staged.camera.model_reason = state, "There is no file model.json."
    page = new_page()
    page.goto(staged.address)
    expect(page.locator("#model-notice")).to_contain_text(words)
    expect(page.get_by_text("No face in view")).not_to_be_visible()
    shoot(page, f"live-model-{state}")


def test_the_demo_clip_is_called_so(new_page: NewPage, staged: SimpleNamespace) -> None:
    """The page says that nobody films anybody, and how to see something else."""
    staged.camera.demo = True
    page = new_page()
    page.goto(staged.address)
    expect(page.locator("#reason")).to_contain_text("This is the demo clip")
    expect(page.locator("#reason")).to_contain_text("Change video")


def test_streams_that_break_are_opened_again(new_page: NewPage, live_app: str) -> None:
    """Offline, the page says so; online again, video and events come back by themselves."""
    page = new_page()
    page.goto(live_app)
    expect(page.locator(".face-card").first).to_be_visible()
    page.route("**/api/live?*", lambda route: route.abort())
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    message = page.locator("#stage-message")
    expect(message).to_contain_text("Can’t reach the app")
    page.unroute_all()
    expect(message).not_to_be_visible()
    wait_for_frames(page, 2)


def test_a_page_that_nobody_sees_gives_its_stream_back(new_page: NewPage, staged: SimpleNamespace) -> None:
    """A hidden page does not read the video; back in view, it does again."""
    page = new_page()
    page.goto(staged.address)
    expect(page.locator("#state")).to_have_text("Live")
    hide = "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true}); \
            document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate(hide, True)
    deadline = time.monotonic() + 15
    while staged.camera.viewers and time.monotonic() < deadline:
        staged.camera.publish()
        page.evaluate("1")
    assert staged.camera.viewers == 0
    with page.expect_response("**/api/live?*"):
        page.evaluate(hide, False)


def test_outputs_are_named_where_the_server_camera_is(
    new_page: NewPage, shoot: Any, check_accessibility: Callable[[Page], None]
) -> None:
    """The page says who is not reached, and that nothing of the visitor's own camera goes there."""
    settings = load_settings({"outputs.osc.receivers": "127.0.0.1:9"}, None, {})
    camera = FakeCamera(classifier=Mood())
    app = create_app(settings, camera.as_camera())
    (output,) = app.extensions["facial_expression"].outputs
    with serving(app) as address:
        page = new_page(viewport={"width": 360, "height": 740})
        page.goto(address)
        line = page.locator("#outputs li")
        expect(line).to_have_text("OSC to 127.0.0.1:9: connecting.")
        output.start()
        camera.publish()
        expect(line).to_contain_text("not reached, trying again. Nobody listens at 127.0.0.1:9.")
        expect(page.get_by_text("Nothing of “My camera” goes to other programs")).to_be_hidden()
        check_accessibility(page)
        shoot(page, "live-outputs-360")
        page.get_by_label("My camera").check()
        expect(page.get_by_text("Nothing of “My camera” goes to other programs")).to_be_visible()
        expect(line).to_be_hidden()
        output.close()
        camera.close()


@pytest.fixture
def pair() -> Iterator[SimpleNamespace]:
    """Serve the application with two cameras; give `address`, `cameras` by name, and `markers`."""
    settings = Settings.model_validate({"cameras": [{"name": name, "source": "demo"} for name in ("left", "right")]})
    cameras = {name: FakeCamera(classifier=Mood()) for name in ("left", "right")}
    app = create_app(settings, {name: camera.as_camera() for name, camera in cameras.items()})
    with serving(app) as address:
        markers = app.extensions["facial_expression"].markers
        yield SimpleNamespace(address=address, cameras=cameras, markers=markers)
        for camera in cameras.values():
            camera.close()


def open_pair(page: Page, pair: SimpleNamespace) -> Locator:
    """Open the page, and return its tiles once each shows a picture with a face."""
    page.goto(pair.address)
    for camera in pair.cameras.values():
        camera.publish()
    for name in pair.cameras:
        canvas = page.locator(f"[data-camera={name}] canvas").first
        expect(canvas).to_have_attribute("data-frames", re.compile("[1-9]"))
        expect(page.locator(f"[data-faces={name}] .face-card")).to_have_count(1)
    return page.locator(".tile")


def test_two_cameras_share_the_page(
    new_page: NewPage, pair: SimpleNamespace, shoot: Any, check_accessibility: Callable[[Page], None]
) -> None:
    """They stand side by side until a click makes one large, as the address says; "My camera" takes their place."""
    page = new_page()
    tiles = open_pair(page, pair)
    check_accessibility(page)
    shoot(page, "live-two-cameras")
    before = tiles.nth(1).bounding_box()
    tiles.nth(1).click()
    after = tiles.nth(1).bounding_box()
    assert before
    assert after
    assert after["width"] > 1.5 * before["width"]
    assert page.url.endswith("?camera=right")
    page.reload()
    expect(tiles.nth(1)).to_have_attribute("aria-pressed", "true")
    page.get_by_label("My camera").check()
    expect(tiles.nth(0)).to_be_hidden()


def test_without_javascript_each_camera_has_its_stream(new_page: NewPage, pair: SimpleNamespace) -> None:
    """Side by side, each with its name."""
    page = new_page(java_script_enabled=False)
    page.goto(pair.address, wait_until="commit")
    streams = page.locator("noscript .tile img")
    expect(streams).to_have_count(2)
    boxes = [streams.nth(number).bounding_box() for number in range(2)]
    assert boxes[0]
    assert boxes[1]
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
    assert [stream.get_attribute("src") for stream in streams.all()] == [
        f"/video_feed?camera={name}" for name in pair.cameras
    ]


def test_each_camera_has_a_state_of_its_own(new_page: NewPage, pair: SimpleNamespace) -> None:
    """A lost one says so in its tile, as does one that cannot keep up; the page speaks of the one that is large."""
    page = new_page()
    tiles = open_pair(page, pair)
    left, right = pair.cameras.values()
    left.status = SourceStatus(SourceState.RECONNECTING, "Door", "It is gone.")
    for _ in range(2):  # the second stands for the message that is shown meanwhile
        canvas = tiles.nth(0).locator("canvas").first
        drawn = canvas.get_attribute("data-frames") or ""
        left.publish()
        expect(canvas).not_to_have_attribute("data-frames", drawn)
        expect(tiles.nth(0)).to_contain_text("Reconnecting")
    expect(page.locator("#state")).to_have_text("Reconnecting")
    tiles.nth(1).click()
    expect(page.locator("#state")).to_have_text("Live")
    right.source_fps = 50.0
    right.publish()
    expect(tiles.nth(1)).to_contain_text("25 of 50 fps")


def test_a_recording_is_of_both_cameras(new_page: NewPage, pair: SimpleNamespace) -> None:
    """It says which camera, and has markers by the times of the frames, which do not come in step."""
    page = new_page()
    open_pair(page, pair)
    left, right = pair.cameras.values()
    page.locator("#record").click()
    count = page.locator("#record-count")
    taken = time.monotonic()
    left.publish(replace(frame_result(90), captured_at=taken))
    expect(count).to_have_text("1 frame")
    right.publish(replace(frame_result(90), captured_at=taken - 0.2))
    expect(count).to_have_text("2 frames")
    pair.markers.add("film", taken - 0.1)
    right.publish(replace(frame_result(91), captured_at=taken + 0.1))
    expect(count).to_have_text("3 frames")
    expect(page.locator("#marker-now")).to_have_text("film")
    with page.expect_download() as download:
        page.locator("#record").click()
    rows = list(csv.DictReader(Path(download.value.path()).read_text("utf-8").splitlines()))
    assert [(row["camera"], row["face"], row["marker"]) for row in rows] == [
        ("left", "7", "film"),
        ("right", "7", ""),
        ("right", "7", "film"),
    ]


def test_a_marker_that_comes_late_is_in_the_frames_since(new_page: NewPage) -> None:
    """A program's marker takes a while through the network; what was recorded meanwhile belongs to it all the same."""
    camera = FakeCamera(classifier=Mood())
    app = create_app(Settings(), camera.as_camera())
    markers = app.extensions["facial_expression"].markers
    with serving(app) as address:
        page = new_page()
        page.goto(address)
        camera.publish()
        expect(page.locator("#video")).to_have_attribute("data-frames", re.compile(r"[1-9]"))
        page.locator("#record").click()
        moments = []
        for count in (1, 2, 3):
            camera.publish()
            latest = camera.latest()
            assert latest
            moments.append(latest.captured_at)
            expect(page.locator("#record-count")).to_have_text(f"{count} frame{'s' if count > 1 else ''}")
        markers.add("film", (moments[0] + moments[1]) / 2)
        camera.publish()
        expect(page.locator("#record-count")).to_have_text("4 frames")
        with page.expect_download() as download:
            page.locator("#record").click()
        rows = list(csv.DictReader(Path(download.value.path()).read_text("utf-8").splitlines()))
        assert [row["marker"] for row in rows] == ["", "film", "film", "film"]
        camera.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_every_screen(new_page: NewPage, live_app: str, shoot: Any, scheme: str) -> None:
    """No width makes the page scroll sideways, and the video stays within the window."""
    page = new_page(color_scheme=scheme)
    page.goto(live_app)
    expect(page.locator(".face-card").first).to_be_visible()
    for width, height in ((360, 780), (390, 844), (768, 1024), (1024, 768), (1440, 900), (2560, 1440)):
        page.set_viewport_size({"width": width, "height": height})
        wait_for_frames(page, 2)
        shoot(page, f"live-{scheme}-{width}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        stage = page.locator(".stage").bounding_box()
        assert stage
        assert stage["y"] + stage["height"] <= height


HOLD = """(part, words) => {
  Object.defineProperty(part, "textContent", { set() {}, configurable: true });
  part.replaceChildren(words);
}"""
"""Let a part of the page say something, whatever the page would write there."""
PARTS = """[...document.querySelectorAll('.toolbar :is(button, label):not([hidden])')].map(part => {
  const { left, top, right } = part.getBoundingClientRect();
  const inside = 0 <= left && right <= innerWidth && part.scrollWidth <= part.clientWidth + 1;
  return { id: part.id || part.firstElementChild.id, top, inside };
})"""


def tops_of_tools(page: Page) -> dict[str, float]:
    """Return where the page's buttons and switches stand, by id; each has room for its words."""
    parts = page.evaluate(PARTS)
    assert [part for part in parts if not part["inside"]] == []
    return {part["id"]: part["top"] for part in parts}


@pytest.mark.parametrize("width", [320, 360, 390])
def test_a_recording_moves_nothing_on_a_phone(new_page: NewPage, live_app: str, width: int, shoot: Any) -> None:
    """What the buttons say, then and afterwards, finds room in their row, for hours, and in wider fonts."""
    page = new_page(viewport={"width": width, "height": 844})
    page.goto(live_app)
    record = page.locator("#record")
    expect(record).to_be_enabled()
    expect(page.locator("#main")).to_have_attribute("style", re.compile("--ratio"))  # the video has its place
    page.evaluate("document.querySelectorAll('.toolbar *').forEach(part => { part.style.letterSpacing = '0.05em' })")
    before = tops_of_tools(page)
    assert before["snapshot"] == before["record"] < before["full-screen"]
    record.click()
    expect(page.locator("#marker-set")).to_be_visible()
    expect(page.locator("#record-time")).to_have_text(re.compile("0:0"))
    shown = page.locator("#record-time")
    for part, words in ((shown, "0:00"), (page.locator("#latency"), "888 ms"), (page.locator("#fps"), "88.8 fps")):
        part.evaluate(HOLD, words)
    for words in ("59:59", "1:00:00", "10:00:00"):
        shown.evaluate("(time, words) => time.replaceChildren(words)", words)
        assert tops_of_tools(page) == before
    shoot(page, f"live-recording-{width}")
    shown.evaluate("time => delete time.textContent")
    with page.expect_download():
        record.click()
    expect(page.locator("#report")).to_be_visible()
    after = tops_of_tools(page)
    assert after.pop("report") == after["record"]
    assert after == before
    assert abs(after["full-screen"] - after["labels"]) < 1


def test_markers_in_the_servers_video_are_for_everybody(new_page: NewPage, live_app: str, shoot: Any) -> None:
    """One visitor's marker is in the other's recording, as is one from a program; the bar moves and hides little."""
    page = new_page(viewport={"width": 360, "height": 780}, color_scheme="dark")
    other = new_page()
    for visitor in (page, other):
        visitor.goto(live_app)
        visitor.get_by_role("button", name="Record").click()
    stage = page.locator(".stage").bounding_box()
    page.locator("#labels").focus()
    page.keyboard.press("m")
    for visitor in (page, other):
        expect(visitor.locator("#marker-now")).to_have_text("1")
    program = {"label": "A long film about nothing in particular, seen twice"}
    assert page.request.post(f"{live_app}api/markers", data=program).status == 201
    expect(page.locator("#toasts")).to_contain_text(f"Marker: {program['label']}")
    expect(page.locator("#marker-now")).to_have_text(program["label"])
    shoot(page, "live-markers-dark-360")
    shoot(other, "live-markers")
    assert page.locator(".stage").bounding_box() == stage
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for button in ("#marker-end", "#marker-set"):
        box = page.locator(button).bounding_box()
        assert box
        assert box["width"] > 40
    # Where visitors may not change what all see, the mark is in the page's own recording.
    other.evaluate("delete document.getElementById('live-script').dataset.sharedMarkers")
    assert page.request.post(f"{live_app}api/markers", data={"label": ""}).status == 201
    expect(other.locator("#marker-end")).to_be_hidden()
    other.keyboard.press("m")
    expect(other.locator("#marker-now")).to_have_text("1")
    expect(page.locator("#marker-end")).to_be_hidden()
    with other.expect_download():
        other.get_by_role("button", name="Stop and save").click()


def test_dark_mode_follows_the_system_until_it_is_chosen(new_page: NewPage, staged: SimpleNamespace) -> None:
    """The system's preference counts at first; the button's choice is remembered after that."""
    page = new_page(color_scheme="dark")
    page.goto(staged.address)
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    toggle = page.get_by_role("button", name="Dark mode")
    expect(toggle).to_have_attribute("aria-pressed", "true")
    toggle.click()
    expect(toggle).to_have_attribute("aria-pressed", "false")
    assert page.evaluate(background) != dark
    page.reload()
    expect(toggle).to_have_attribute("aria-pressed", "false")
    assert page.evaluate(background) != dark


def test_the_keyboard_reaches_everything_and_shows_where_it_is(new_page: NewPage, staged: SimpleNamespace) -> None:
    """Tab passes the skip link, the navigation and each control, each with a visible outline."""
    page = new_page()
    page.goto(staged.address)
    passed = []
    for _ in range(30):
        page.keyboard.press("Tab")
        at = page.evaluate(
            """() => { const e = document.activeElement, style = getComputedStyle(e);
                       return e === document.body ? null :
                         [e.id || e.textContent.trim(), style.outlineStyle !== 'none' || e.matches('.skip-link')]; }"""
        )
        if at is None:
            break
        passed.append(at)
    names = [name for name, _ in passed]
    assert names[0] == "Skip to the content"
    assert {"Live", "theme-toggle", "face-list"} <= set(names)
    assert all(visible for _, visible in passed)
    page.locator("#theme-toggle").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#theme-toggle")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(new_page: NewPage, live_app: str, check_accessibility: Any, scheme: str) -> None:
    """With a face in view, in both themes, nothing keeps people with disabilities out."""
    page = new_page(color_scheme=scheme)
    page.goto(live_app)
    expect(page.locator(".face-card").first).to_be_visible()
    check_accessibility(page)
