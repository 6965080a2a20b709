"""What is shown leaves room for what is done with it, on every screen; with many faces and pictures, too."""

import re
from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from entities import EXPRESSIONS
from tests.browser.conftest import face, live_body

NewPage = Callable[..., Page]


@pytest.fixture(scope="module")
def camera_footage(portrait: Any) -> bytes:
    """Let the browser's camera show a single face in a picture of 4:3."""
    return 20 * cv2.imencode(".jpg", cv2.resize(portrait[0], (640, 480)))[1].tobytes()


def box(part: Locator) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of a part of the page, in the window."""
    found = part.bounding_box()
    assert found
    return found["x"], found["y"], found["x"] + found["width"], found["y"] + found["height"]


def answer(page: Page, *faces: Any) -> None:
    """Let the server find these faces in any frame of the own camera."""
    found = {"width": 640, "height": 480, "faces": faces, "timings": {}}
    page.route("**/api/live/frame?*", lambda route: route.fulfill(json=found))


def test_the_check_can_begin_without_scrolling_on_a_phone(new_page: NewPage, staged: SimpleNamespace) -> None:
    """The picture has the camera's shape, and leaves room for what is to be pressed."""
    page = new_page(viewport={"width": 360, "height": 780})
    answer(page, face(1, "Happy", 0.9, (200, 100, 200, 200)))
    page.goto(f"{staged.address}check")
    page.get_by_label("On the server").check()
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator("#begin")).to_be_enabled()
    left, top, right, bottom = box(page.locator("#stage"))
    assert (right - left) / (bottom - top) == pytest.approx(4 / 3, rel=0.01)
    assert box(page.locator("#begin"))[3] <= 780


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_the_prompt_of_the_check_covers_no_face(
    new_page: NewPage, staged: SimpleNamespace, width: int, height: int
) -> None:
    """What is to be done stands above the picture, and both fit the window."""
    page = new_page(viewport={"width": width, "height": height})
    answer(page, face(1, "Happy", 0.9, (200, 100, 200, 200)))
    page.goto(f"{staged.address}check")
    page.get_by_label("On the server").check()
    page.get_by_role("button", name="Start my camera").click()
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#prompt")).to_be_visible()
    prompt, picture = box(page.locator("#prompt")), box(page.locator("#stage"))
    assert 0 <= prompt[1] < prompt[3] <= picture[1] < picture[3] <= height


def test_the_controls_of_the_own_camera_are_in_sight(new_page: NewPage, staged: SimpleNamespace) -> None:
    """With a picture of 4:3, too; messages come one at a time, and cover none of them."""
    page = new_page()
    answer(page, face(1, "Happy", 0.9, (200, 100, 200, 200)))
    page.goto(f"{staged.address}#own")
    page.get_by_label("On the server").check()
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator("#state")).to_have_text("Live")
    controls = page.locator(".toolbar :is(button, label):visible")
    bottoms = [box(control)[3] for control in controls.all()]
    assert max(bottoms) <= 900
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Record").click()
    page.keyboard.press("m")
    page.keyboard.press("m")
    expect(page.locator(".toast")).to_have_text(["Marker: 2"])
    assert box(page.locator(".toast"))[3] <= min(box(control)[1] for control in controls.all())


@pytest.mark.parametrize("width", [320, 360, 375, 390])
@pytest.mark.parametrize("path", ["", "pictures", "check", "about"])
def test_narrow_phones_have_room_for_the_header(
    new_page: NewPage, staged: SimpleNamespace, path: str, width: int
) -> None:
    """Nothing scrolls sideways, and the button covers no link."""
    page = new_page(viewport={"width": width, "height": 640})
    page.goto(staged.address + path)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    left, top, right, bottom = box(page.locator("#theme-toggle"))
    for link in page.locator(".site-nav a").all():
        x, y, end, below = box(link)
        assert end <= left or x >= right or below <= top or y >= bottom


@pytest.mark.parametrize("width", [360, 1024])
def test_rows_of_many_faces_stand_in_one_line(new_page: NewPage, staged: SimpleNamespace, width: int) -> None:
    """Each has its number, expression and percentage, all in sight, none above another."""
    faces = [face(100 + i, EXPRESSIONS[i % 7], 0.9, (10 + 50 * i, 10, 40, 40)) for i in range(8)]
    page = new_page(viewport={"width": width, "height": 768})
    body = live_body(faces)
    page.route("**/api/live?*", lambda route: route.fulfill(content_type="multipart/mixed", body=body), times=1)
    page.goto(staged.address)
    rows = page.locator("[data-many] .face-head")
    expect(rows).to_have_count(8)
    for row in rows.all():
        parts = [box(row.locator(part)) for part in (".face-name", ".expression", ".confidence", ".mini-bar")]
        assert all(one[2] <= other[0] for one, other in pairwise(parts))
        assert all(0 <= left < right <= width for left, _, right, _ in parts)
        expect(row.locator(".confidence")).to_have_text("90%")
        assert row.locator(".face-name").evaluate("name => name.getClientRects().length") == 1
        assert box(row)[3] - box(row)[1] < 60


def test_a_table_on_a_phone_tells_what_is_named_and_how_probable_it_is(
    new_page: NewPage, staged: SimpleNamespace
) -> None:
    """The column of the expression that is named may be out of sight: its percentage stands beside its name."""
    faces = [face(i + 1, name, 0.9) for i, name in enumerate(EXPRESSIONS)]
    page = new_page(viewport={"width": 360, "height": 780})
    answer = {"width": 64, "height": 48, "turned": 0, "note": "", "faces": faces}
    page.route("**/api/predict", lambda route: route.fulfill(json=answer))
    page.goto(f"{staged.address}pictures")
    picture = cv2.imencode(".png", np.full((48, 64, 3), 130, np.uint8))[1].tobytes()
    page.set_input_files("#file", FilePayload(name="many.png", mimeType="image/png", buffer=picture))
    cells = page.locator(".picture-table td.named")
    expect(cells).to_have_text(list(EXPRESSIONS))
    table = box(page.locator(".picture-table"))
    for cell in cells.all():
        left, _, right, _ = box(cell)
        assert table[0] <= left < right <= table[2] <= 360
        assert cell.evaluate("cell => getComputedStyle(cell, '::after').content") not in {"none", "normal"}
        expect(cell).to_have_attribute("data-share", "90%")


def contrast(one: str, other: str) -> float:
    """Return the contrast of two CSS colours, 1 to 21, as WCAG 2 computes it."""

    def luminance(colour: str) -> float:
        shares = np.array([float(part) for part in re.findall(r"[\d.]+", colour)[:3]]) / 255
        linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_chosen_segment_looks_chosen_in_the_dark(new_page: NewPage, staged: SimpleNamespace) -> None:
    """Its edge stands out from the bar that it is in, and its word from it."""
    page = new_page(color_scheme="dark")
    page.goto(staged.address)
    for name in ("Server camera", "My camera"):
        chosen = page.locator(".segments label", has_text=name)
        chosen.get_by_role("radio").check()
        style = chosen.evaluate("label => ({ ...getComputedStyle(label) })")
        bar = page.locator(".segments").first.evaluate("bar => getComputedStyle(bar).backgroundColor")
        assert style["borderTopWidth"] == "1px"
        assert contrast(style["borderTopColor"], bar) >= 3
        assert contrast(style["color"], style["backgroundColor"]) >= 7


WORDS = """async () => {
  const scripts = document.querySelector("script[src*='/js/']").src;
  const { Chart } = await import(new URL("../faces/chart.js", scripts));
  const words = [];
  const { fillText } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
    const { width } = this.measureText(text);
    const left = x - { left: 0, center: width / 2, right: width }[this.textAlign];
    words.push({ text, left, right: left + width, all: this.canvas.width });
    return fillText.call(this, text, x, y);
  };
  const place = document.body.appendChild(document.createElement("div"));
  Object.assign(place.style, { width: "400px", height: "120px" });
  const chart = new Chart(place, { timeLabel: (time) => `${time} s` });
  const times = Array.from({ length: 101 }, (_, i) => i);
  chart.draw(times, times.map((i) => (i < 25 ? [0, 0, 0, 0, 0, 1, 0] : null)), 0, 100);
  await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return words;
}"""


def test_words_in_charts_are_whole_and_on_their_layer(new_page: NewPage, staged: SimpleNamespace) -> None:
    """The axis begins and ends within the chart; a layer's name stands over it, and not beside."""
    page = new_page()
    page.goto(f"{staged.address}about")
    words = page.evaluate(WORDS)
    assert {word["text"] for word in words} > {"Disgust", "0 s"}
    assert [word for word in words if word["left"] < 0 or word["right"] > word["all"]] == []
    assert all(word["right"] <= word["all"] / 4 for word in words if word["text"] == "Disgust")


def test_many_pictures_are_a_grid(new_page: NewPage, staged: SimpleNamespace, check_accessibility: Any) -> None:
    """It is short; sorted and filtered by what faces show; the table is there on opening, its columns told once."""
    empty = cv2.imencode(".png", np.full((200, 300, 3), 130, np.uint8))[1].tobytes()
    names = ["wall.png", *(f"{i}.png" for i in range(12))]

    def found(route: Route) -> None:
        faces = [] if b"wall.png" in (route.request.post_data_buffer or b"") else [face(1, "Happy", 0.9)]
        route.fulfill(json={"width": 64, "height": 48, "turned": 0, "note": "", "faces": faces})

    page = new_page()
    page.route("**/api/predict", found)
    page.goto(f"{staged.address}pictures")
    page.set_input_files("#file", [FilePayload(name=name, mimeType="image/png", buffer=empty) for name in names])
    cards = page.locator(".picture")
    expect(page.locator(".picture[data-state=done]")).to_have_count(13)
    assert page.evaluate("document.documentElement.scrollHeight") < 2000
    expect(page.locator("#picture-summary")).to_have_text("12 faces: 12 Happy")
    expect(page.get_by_text("What the columns of the CSV mean")).to_have_count(1)
    expect(cards.first.locator(".picture-name")).to_have_text("wall.png")
    check_accessibility(page)
    page.get_by_label("Sort by").select_option("Expression")
    expect(cards.last.locator(".picture-name")).to_have_text("wall.png")
    page.get_by_label("Show").select_option("No face")
    expect(page.locator(".picture:visible .picture-name")).to_have_text(["wall.png"])
    page.get_by_label("Show").select_option("Happy")
    expect(page.locator(".picture:visible")).to_have_count(12)
    expect(cards.first.locator(".picture-table")).to_be_hidden()
    page.get_by_role("button", name="Details of 0.png").press("Enter")
    expect(cards.first.locator(".picture-table")).to_be_visible()
    expect(cards.first.get_by_role("button", name="CSV")).to_be_visible()
    page.get_by_label("Show").select_option("All")
    page.get_by_role("button", name="Details of wall.png").click()
    expect(cards.last.get_by_role("button", name=re.compile("PNG"))).to_be_visible()
    expect(cards.last.get_by_role("button", name="CSV")).to_be_hidden()
