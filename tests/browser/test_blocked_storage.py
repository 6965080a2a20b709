"""Where the browser blocks cookies and site data, every page works, and says once that nothing is remembered."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from config import ROOT
from tests.browser.conftest import demo_footage

NewPage = Callable[..., Page]

BLOCKED = """for (const name of ["localStorage", "sessionStorage", "indexedDB"]) {
  Object.defineProperty(window, name, { get() { throw new DOMException("", "SecurityError"); } });
}"""


@pytest.fixture(scope="module")
def camera_footage() -> bytes:
    """Let the browser's camera show the demo clip."""
    return demo_footage()


def test_pages_work_without_storage(new_page: NewPage, live_app: str) -> None:
    """My camera is analysed, pictures too, and the check begins."""
    page = new_page()
    page.add_init_script(BLOCKED)
    page.goto(live_app)
    page.get_by_label("My camera", exact=True).check()
    nothing_kept = page.get_by_text("This browser keeps nothing of this page")
    expect(nothing_kept).to_be_visible()
    page.get_by_label("On the server").check()
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator("#state")).to_have_text("Live")
    expect(page.locator(".face-card .expression").first).to_have_text("Happy")
    page.get_by_role("button", name="Record").click()
    expect(page.locator("#record-count")).to_contain_text("frames")
    page.get_by_role("button", name="Stop and save").click()
    expect(page.get_by_text("Saved expressions")).to_be_visible()
    expect(nothing_kept).to_have_count(0)
    page.goto(f"{live_app}pictures")
    page.locator("#file").set_input_files(ROOT / "tests" / "data" / "astronaut.png")
    expect(page.locator(".picture-summary")).to_have_text("1 face: Happy")
    page.goto(f"{live_app}check")
    page.get_by_role("button", name="Start my camera").click()
    expect(page.get_by_role("button", name="Begin")).to_be_enabled()
