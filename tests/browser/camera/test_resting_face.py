"""The card's resting face: set for a face in view, shown, taken back; on the server's video and the own camera."""

import json
import re
from collections.abc import Callable, Iterator
from itertools import cycle, repeat
from pathlib import Path
from typing import Any

import cv2
import pytest
from playwright.sync_api import Page, Route, expect

from entities import EXPRESSIONS
from expressions.adaptation import Adaptation
from expressions.resting import RestingFace
from tests.browser.conftest import face, live_video
from tests.expressions.test_resting import row
from tests.helpers.footage import make_video
from tests.helpers.people import recorded

NewPage = Callable[..., Page]


@pytest.fixture(scope="module")
def camera_footage(portrait: Any) -> bytes:
    """Let the browser's camera show a single face."""
    return 20 * cv2.imencode(".jpg", cv2.resize(portrait[0], (480, 560)))[1].tobytes()


@pytest.fixture
def still_app(mood: Any, portrait: Any, tmp_path: Path) -> Iterator[str]:
    """Serve the real application, showing one face that stays; in the demo, each leaves after some seconds."""
    still = cv2.resize(portrait[0], (320, 380))
    yield from live_video(make_video(tmp_path / "still.mp4", repeat(still, 600), fps=10), tmp_path / "uploads", mood)


def own_camera(page: Page, address: str) -> None:
    """Open the page and start the own camera."""
    page.goto(address)
    page.get_by_label("My camera", exact=True).check()
    page.get_by_label("On the server").check()
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator(".face-card")).to_have_count(1)


def test_the_servers_video(new_page: NewPage, still_app: str, mood: Any, shoot: Any, tmp_path: Path) -> None:
    """Who looks sad all the time is neutral once the rest is set; it can be saved, and taken back with one click."""
    mood.expression, mood.confidence = "Sad", 0.7
    page = new_page(accept_downloads=True)
    page.goto(still_app)
    card = page.locator(".face-card").first
    expect(card.locator(".expression")).to_have_text("Sad")
    card.get_by_role("button", name="Set resting face").click()
    expect(card.locator(".rest-words")).to_have_text("Compared with your resting face")
    expect(card.locator(".expression")).to_have_text("Neutral")
    shoot(page, "resting-face")
    with page.expect_download() as download:
        card.get_by_role("button", name="Save").click()
    download.value.save_as(tmp_path / "rest.json")
    saved = json.loads((tmp_path / "rest.json").read_text())["resting_face"]
    assert list(saved) == list(EXPRESSIONS)
    assert saved["Sad"] == pytest.approx(0.7, abs=0.01)
    card.get_by_role("button", name="Stop comparing").click()
    expect(card.locator(".expression")).to_have_text("Sad")
    expect(card.get_by_role("button", name="Set resting face")).to_be_visible()


def test_the_own_camera_keeps_it_over_a_reload(new_page: NewPage, live_app: str, mood: Any) -> None:
    """Within the tab, the only face before the own camera is compared again by itself; taken back, it stays so."""
    mood.expression, mood.confidence = "Sad", 0.7
    page = new_page()
    own_camera(page, live_app)
    page.get_by_role("button", name="Set resting face").click()
    expect(page.locator(".expression")).to_have_text("Neutral")
    own_camera(page, live_app)
    expect(page.locator(".rest-words")).to_have_text("Compared with your resting face")
    page.get_by_role("button", name="Stop comparing").click()
    expect(page.locator(".expression")).to_have_text("Sad")
    own_camera(page, live_app)
    expect(page.locator(".expression")).to_have_text("Sad")


def test_a_face_that_moves_is_not_at_rest(new_page: NewPage, live_app: str) -> None:
    """Who grins and stops is told so, while the seconds are counted down; nothing is compared."""
    shown = cycle(["Happy", "Neutral"])

    def answer(route: Route) -> None:
        route.fulfill(json={"width": 640, "height": 360, "faces": [face(1, next(shown), 0.9)], "timings": {}})

    page = new_page()
    page.clock.install()
    page.route("**/api/live/frame?*", answer)
    own_camera(page, live_app)
    page.get_by_role("button", name="Set resting face").click()
    expect(page.locator(".rest-words")).to_have_text(re.compile(r"keep still … [12]$"))
    for _ in range(6):
        with page.expect_response("**/api/live/frame?*"):
            pass
    page.clock.fast_forward(2_000)
    expect(page.locator(".rest-words")).to_contain_text("Your face moved")
    expect(page.get_by_role("button", name="Set resting face")).to_be_enabled()


def test_an_adaptation_counts_for_the_own_camera_only(new_page: NewPage, live_app: str, mood: Any) -> None:
    """The card says that it is adapted, and shows what Python makes of the same answer; one click takes it back."""
    mood.expression, mood.confidence = "Sad", 0.7
    shown, seen = recorded(takes=2)
    adaptation = Adaptation.fit(seen, shown)
    record = {
        "weights": adaptation.weights.tolist(),
        "offsets": adaptation.offsets.tolist(),
        "asked": list(EXPRESSIONS),
    }
    page = new_page()
    page.goto(live_app)
    page.evaluate("record => sessionStorage.setItem('personal', JSON.stringify({ adaptation: record }))", record)
    expect(page.locator(".face-card .expression").first).to_have_text("Sad")
    own_camera(page, live_app)
    expect(page.locator(".rest-words")).to_have_text("Adapted to you")
    values = adaptation.apply(row(Sad=0.7))
    expect(page.locator(".expression")).to_have_text(re.compile(f"{EXPRESSIONS[values.argmax()]}|Uncertain"))
    expect(page.locator(".confidence").first).to_contain_text(f"{values.max():.0%}")
    page.get_by_role("button", name="Stop adapting").click()
    expect(page.locator(".expression")).to_have_text("Sad")


def test_what_stands_in_the_way_is_said(new_page: NewPage, live_app: str, complaints: list[str]) -> None:
    """A face that cannot be compared leaves the card as it was, with the reason."""
    page = new_page()
    page.route("**/api/live/rest*", lambda route: route.abort())
    page.goto(live_app)
    card = page.locator(".face-card").first
    card.get_by_role("button", name="Set resting face").click()
    expect(card.locator(".rest-words")).to_have_text("The app does not answer. Try again.")
    expect(card.get_by_role("button", name="Set resting face")).to_be_enabled()


def test_the_saved_file_serves_recordings(tmp_path: Path) -> None:
    """What the page saves is what analyze.py --rest loads."""
    from analysis.recording.baseline import load_rest

    rest = RestingFace.of(row(Sad=0.7))
    (tmp_path / "rest.json").write_text(json.dumps({"resting_face": rest.record()}))
    assert load_rest(tmp_path / "rest.json").probabilities == pytest.approx(rest.probabilities, abs=1e-6)


def test_from_the_check_to_the_own_camera(new_page: NewPage, live_app: str) -> None:
    """The check's link opens the live page with the own camera chosen, which still waits for consent."""
    page = new_page()
    page.goto(f"{live_app}check")
    page.locator("#load").set_input_files(
        {
            "name": "rest.json",
            "mimeType": "application/json",
            "buffer": json.dumps({"resting_face": RestingFace.of(row(Sad=0.7)).record()}).encode(),
        }
    )
    page.get_by_role("link", name="See it live").click()
    expect(page.get_by_label("My camera", exact=True)).to_be_checked()
    expect(page.get_by_role("button", name="Start my camera")).to_be_visible()
