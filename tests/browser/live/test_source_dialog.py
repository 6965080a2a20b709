"""The dialog that changes the server's video, in a real browser."""

import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app import create_app
from config import Settings
from tests.browser.conftest import Mood, serving
from tests.helpers.fake_camera import FakeCamera

NewPage = Callable[..., Page]


@pytest.fixture
def make_app(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Callable[..., SimpleNamespace]]:
    """Return a function that serves an application with these server settings; it gives `address` and `camera`."""
    monkeypatch.setattr("web.routes.sources.webcams", lambda: {0: "Webcam 0: Integrated Camera"})
    camera = FakeCamera(classifier=Mood())
    served = []

    def make(**server: Any) -> SimpleNamespace:
        settings = Settings.model_validate({"server": server, "uploads": {"folder": tmp_path / "uploads"}})
        context = serving(create_app(settings, camera.as_camera()))
        served.append(context)
        return SimpleNamespace(address=context.__enter__(), camera=camera)

    yield make
    camera.close()
    for context in served:
        context.__exit__(None, None, None)


def test_another_video_is_chosen(new_page: NewPage, live_app: str) -> None:
    """From the button to the new source's name, by keyboard alone; the button has the focus again afterwards."""
    page = new_page()
    page.goto(live_app)
    expect(page.locator("#source-name")).to_have_text("demo.mp4")
    button = page.get_by_role("button", name="Change video")
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Change video")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("radio", name="demo.mp4")).to_be_focused()
    expect(dialog.get_by_role("radio", name="demo.mp4")).to_be_checked()
    expect(dialog).to_contain_text("server.allowed_addresses")
    while not dialog.get_by_role("radio", name="Demo clip").is_checked():
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(dialog).not_to_be_visible()
    expect(button).to_be_focused()
    expect(page.locator("#state")).to_have_text("Demo")
    expect(page.locator("#reason")).to_contain_text("This is the demo clip")


def test_a_refusal_is_said_in_the_dialog(new_page: NewPage, make_app: Any, complaints: list[str]) -> None:
    """An address that is not allowed, or none, is an error in words; one that is allowed is opened."""
    app = make_app(allowed_addresses=("rtsp://192.168.1.20/*",))
    page = new_page()
    page.goto(app.address)
    page.get_by_role("button", name="Change video").click()
    page.get_by_label("Address", exact=True).focus()
    expect(page.get_by_role("radio", name="Automatic")).to_be_checked()
    page.get_by_label("Address", exact=True).click()
    expect(page.get_by_role("radio", name="Another network camera")).to_be_checked()
    expect(page.locator("#address-hosts")).to_have_text("Must start with rtsp://192.168.1.20/")
    page.keyboard.press("Enter")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Enter the network camera’s address.")
    page.get_by_label("Address", exact=True).fill("rtsp://192.168.1.20@192.168.1.99/live")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(alert).to_contain_text("This address is not allowed here")
    expect(page.locator("#source-name")).to_have_text("Test card")
    page.get_by_label("Address", exact=True).fill("rtsp://192.168.1.20/live")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("dialog")).not_to_be_visible()
    expect(page.locator("#source-name")).to_have_text("rtsp://192.168.1.20/live")
    expect(page.locator("#state")).to_have_text("Opening")
    complaints[:] = [text for text in complaints if "403" not in text]


def test_where_it_is_switched_off_the_page_says_so(new_page: NewPage, make_app: Any) -> None:
    """The button is there but cannot be pressed, and the setting is named."""
    page = new_page()
    page.goto(make_app(change_source=False).address)
    expect(page.get_by_role("button", name="Change video")).to_be_disabled()
    page.get_by_text("How to change this").first.click()
    expect(page.locator("#change-off")).to_contain_text("server.change_source")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_can_be_read(
    new_page: NewPage, make_app: Any, shoot: Any, check_accessibility: Any, scheme: str
) -> None:
    """On narrow and wide screens, in both themes, for everybody."""
    app = make_app(allowed_addresses=("rtsp://me:secret@192.168.1.20/a-path/that-is/rather/long", "http://[fd00::7]/*"))
    page = new_page(color_scheme=scheme)
    page.goto(app.address)
    app.camera.publish()
    page.get_by_role("button", name="Change video").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("radio")).to_have_count(5)
    expect(dialog).not_to_contain_text(re.compile("secret"))
    for width, height in ((360, 780), (390, 844), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        shoot(page, f"sources-{scheme}-{width}")
        box = dialog.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height
    check_accessibility(page)


def test_what_another_visitor_chose_is_shown_as_present(new_page: NewPage, make_app: Any) -> None:
    """Though it is not this visitor's to choose, it is marked as what is shown now."""
    app = make_app()
    app.camera.use("rtsp://192.168.1.20/live")
    page = new_page()
    page.goto(app.address)
    page.get_by_role("button", name="Change video").click()
    present = page.get_by_role("radio", name="rtsp://192.168.1.20/live")
    expect(present).to_be_checked()
    expect(page.get_by_text("Chosen by someone else · shown now")).to_be_visible()
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_hidden()
