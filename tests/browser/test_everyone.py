"""Pages for any eye and any device: high contrast, no JavaScript, phones upright and on their side, full screen."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from config import ROOT

NewPage = Callable[..., Page]
EXAMPLE = ROOT / "static" / "images" / "example.jpg"
COLOUR = "(element, [pseudo, name]) => getComputedStyle(element, pseudo)[name]"


def test_high_contrast_tells_what_is_on(new_page: NewPage, live_app: str, shoot: Any) -> None:
    """Switches, the chosen tab and bars differ by more than the colours that the system replaces."""
    page = new_page(forced_colors="active")
    page.goto(live_app)
    expect(page.locator(".face-card").first).to_be_visible()
    on, off = page.locator("#labels"), page.locator("#blur")
    assert on.evaluate(COLOUR, [None, "backgroundColor"]) != off.evaluate(COLOUR, [None, "backgroundColor"])
    tabs = page.locator(".segments label")
    assert tabs.first.evaluate(COLOUR, [None, "outlineStyle"]) == "solid"
    assert tabs.last.evaluate(COLOUR, [None, "outlineStyle"]) == "none"
    bar = page.locator(".bar[data-expression=Happy] .bar-fill").first
    assert bar.evaluate(COLOUR, [None, "backgroundColor"]) == "rgb(242, 181, 15)"
    shoot(page, "live-high-contrast")


def test_without_javascript_the_video_is_there_and_the_rest_is_said(new_page: NewPage, live_app: str) -> None:
    """The plain stream, and in words what is missing; nothing that says "Opening" for ever."""
    page = new_page(java_script_enabled=False)
    page.goto(live_app, wait_until="commit")
    # By their tags: text in <noscript> is left out where Playwright looks for texts and roles.
    expect(page.locator("noscript p.notice")).to_be_visible()
    expect(page.locator("noscript p.notice")).to_contain_text("Without JavaScript")
    expect(page.locator("noscript img")).to_be_visible()
    for part in ("#state", "#video", ".toolbar", ".faces"):
        expect(page.locator(part)).to_be_hidden()
    page.goto(f"{live_app}pictures", wait_until="commit")
    expect(page.locator("noscript p.notice")).to_contain_text("JavaScript, which is off")
    expect(page.locator("#drop-zone")).to_be_hidden()


@pytest.mark.parametrize(("width", "height"), [(844, 390), (740, 360)])
def test_a_phone_on_its_side_has_its_controls_in_sight(
    new_page: NewPage, live_app: str, shoot: Any, width: int, height: int
) -> None:
    """The video and its buttons are within the window, beside each other."""
    page = new_page(viewport={"width": width, "height": height})
    page.goto(live_app)
    expect(page.locator(".face-card").first).to_be_visible()
    shoot(page, f"live-landscape-{width}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for part in (".stage", "#snapshot", "#record", "#full-screen", "#change-source"):
        box = page.locator(part).bounding_box()
        assert box, part
        assert box["y"] + box["height"] <= height, part
    stage = page.locator(".stage").bounding_box()
    assert stage
    assert stage["width"] > 0.5 * width


def test_figures_keep_their_words_on_phones(new_page: NewPage, live_app: str) -> None:
    """At 360 pixels, "20 fps 24 ms" would not say of what."""
    page = new_page(viewport={"width": 360, "height": 740})
    page.goto(live_app)
    expect(page.locator(".figures dt")).to_have_text(["Rate", "Delay"])
    for word in page.locator(".figures dt").all():
        box = word.bounding_box()
        assert box
        assert box["width"] > 10
    page.goto(f"{live_app}pictures")
    expect(page.locator("#drop-title")).to_have_text("Add pictures or videos", use_inner_text=True)
    expect(page.get_by_text("or paste a picture")).to_be_hidden()


def test_labels_on_a_phone_are_large_enough_to_read(new_page: NewPage, live_app: str) -> None:
    """They are drawn in the page, at the screen's resolution."""
    page = new_page(viewport={"width": 390, "height": 844}, device_scale_factor=3)
    page.add_init_script(
        """
        const fillText = CanvasRenderingContext2D.prototype.fillText;
        CanvasRenderingContext2D.prototype.fillText = function (...rest) {
          if (this.canvas.id === "marks") window.letters = parseFloat(/([\\d.]+)px/.exec(this.font)[1]);
          fillText.call(this, ...rest);
        };
        """
    )
    page.goto(live_app)
    expect(page.locator(".face-card").first).to_be_visible()
    assert page.evaluate("window.letters / devicePixelRatio") >= 9
    assert page.locator("#marks").evaluate("marks => marks.width") == pytest.approx(390 * 3, abs=5)


def test_full_screen_has_bars_and_a_way_out(new_page: NewPage, live_app: str) -> None:
    """Cards and buttons are there, and the button that leads in leads out."""
    page = new_page()
    page.goto(live_app)
    expect(page.locator(".face-card").first).to_be_visible()
    page.get_by_role("button", name="Full screen").click()
    leave = page.get_by_role("button", name="Exit full screen")
    expect(leave).to_be_visible()
    expect(page.locator(".face-card .bars").first).to_be_visible()
    leave.click()
    expect(page.get_by_role("button", name="Full screen", exact=True)).to_be_visible()
    assert page.evaluate("document.fullscreenElement") is None


def test_a_card_whose_face_is_gone_can_be_read(new_page: NewPage, live_app: str, check_accessibility: Any) -> None:
    """Its contrast is that of the others."""
    page = new_page()
    page.goto(live_app)
    expect(page.locator(".face-card").first).to_be_visible()
    page.locator(".face-card").first.evaluate("card => { card.dataset.gone = ''; }")
    check_accessibility(page)


def test_switches_are_as_they_were_left(new_page: NewPage, live_app: str) -> None:
    """Blur and labels are remembered over a reload, and by the page for pictures."""
    page = new_page()
    page.goto(live_app)
    page.get_by_label("Blur faces").check()
    page.get_by_label("Labels").uncheck()
    with page.expect_request("**/api/live?blur=1*"):
        page.reload()
    expect(page.get_by_label("Blur faces")).to_be_checked()
    expect(page.get_by_label("Labels")).not_to_be_checked()
    page.goto(f"{live_app}pictures")
    expect(page.get_by_label("Blur faces")).to_be_checked()


def test_with_blur_no_picture_is_shown_before_its_faces_are_known(new_page: NewPage, live_app: str) -> None:
    """Neither while it waits, nor where the app cannot be reached."""
    page = new_page()
    page.goto(f"{live_app}pictures")
    page.get_by_label("Blur faces").check()
    page.route("**/api/predict", lambda _: None, times=1)
    with page.expect_request("**/api/predict"):
        page.set_input_files("#file", EXAMPLE)
    shown = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(Boolean)"
    assert not page.locator(".picture-canvas").evaluate(shown)
