"""With several faces, marks, cards and summary say who is who, and all say the same."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from entities import EXPRESSIONS, Box, Face, FrameResult
from tests.helpers.fake_camera import frame_result, probabilities

NewPage = Callable[..., Page]


def test_a_face_has_its_number_and_its_picture_on_its_card(new_page: NewPage, live_app: str) -> None:
    """The card's picture is cut from the video that is shown."""
    page = new_page()
    page.goto(live_app)
    card = page.locator(".face-card").first
    expect(card.locator(".face-name")).to_have_text(re.compile(r"^Face \d+$"))
    colours = "c => new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size"
    expect(card.locator(".face-picture")).to_be_visible()
    assert card.locator(".face-picture").evaluate(colours) > 50


def test_many_faces_are_rows_that_open(new_page: NewPage, crowded_app: str, shoot: Any) -> None:
    """From four faces on, a row a face; a click opens the card; a line on top counts them."""
    page = new_page()
    page.goto(crowded_app)
    expect(page.locator(".face-list[data-many]")).to_be_visible()
    rows = page.locator(".face-card")
    expect(page.locator("#face-count")).to_have_text(re.compile(r"^\d+ faces: \d+ Happy$"))
    expect(page.locator("#minute-bar")).to_be_visible()
    row = rows.first
    expect(row.locator(".bars")).to_be_hidden()
    box = row.bounding_box()
    assert box
    assert box["height"] < 70
    shoot(page, "live-many")
    row.get_by_role("button", name=re.compile("Details")).click()
    expect(row.locator(".bars")).to_be_visible()
    expect(row.locator(".history-chart canvas")).to_be_visible()


def test_mark_card_and_summary_always_say_the_same(new_page: NewPage, live_app: str, mood: Any) -> None:
    """Whatever the frame rate, one state is shown: what labels say is recorded as they are drawn."""
    page = new_page()
    page.add_init_script(
        """
        window.faults = [];
        const fillText = CanvasRenderingContext2D.prototype.fillText;
        CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
          fillText.call(this, text, ...rest);
          const said = /(\\d+)?\\s*([A-Z]\\w+) {2}(\\d+%)$/.exec(text);
          if (!said || this.canvas.id !== "marks") return;
          const cards = [...document.querySelectorAll(".face-card:not([data-gone])")].map((card) =>
            `${card.querySelector(".expression").textContent} ${card.querySelector(".confidence").textContent}`);
          if (!cards.includes(`${said[2]} ${said[3]}`)) window.faults.push([text, cards]);
          window.drawn = (window.drawn ?? 0) + 1;
        };
        """
    )
    page.goto(live_app)
    expect(page.locator(".face-card .expression").first).to_have_text("Happy")
    for expression, confidence in (("Sad", 0.7), ("Angry", 0.95), ("Fear", 0.6)):
        mood.expression, mood.confidence = expression, confidence
        expect(page.locator(".face-card:not([data-gone]) .expression").first).to_have_text(expression)
        expect(page.locator("#face-count")).to_contain_text(expression)
    page.wait_for_function("window.drawn > 10")
    assert page.evaluate("window.faults") == []


def test_an_uncertain_face_says_what_comes_closest(new_page: NewPage, live_app: str, mood: Any) -> None:
    """The word "Uncertain" stands without a share that could be read as its own."""
    mood.confidence = 0.3
    page = new_page()
    page.goto(live_app)
    card = page.locator(".face-card").first
    expect(card.locator(".expression")).to_have_text("Uncertain")
    expect(card.locator(".confidence")).to_have_text(re.compile(r"^Happy\? 3\d%$"))


LABELS = """
async ([count]) => {
  const { placeLabels } = await import(new URL("../faces/labels.js", document.getElementById("live-script").src));
  const faces = Array.from({ length: count }, (_, i) => ({ x: 20 + 105 * (i % 6), y: 30 + 85 * Math.floor(i / 6),
                                                           width: 60, height: 60 }));
  const sizes = faces.map(() => [[130, 22], [100, 18], [22, 18]]);
  const boxes = placeLabels(faces, sizes, 660, 360).map(({ variant, x, y }, i) =>
    ({ x, y, width: sizes[i][variant][0], height: sizes[i][variant][1] }));
  const overlap = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
  return boxes.filter((box, i) => faces.some((face) => overlap(box, face))
                                  || boxes.some((other, j) => j !== i && overlap(box, other))).length;
}
"""


@pytest.mark.parametrize("count", [2, 8, 24])
def test_labels_cover_neither_faces_nor_each_other(new_page: NewPage, staged: SimpleNamespace, count: int) -> None:
    """As in the files that are written: above, below or beside, and shorter where there is little room."""
    page = new_page()
    page.goto(staged.address)
    assert page.evaluate(LABELS, [count]) == 0


def seen(*faces: tuple[int, str], before: float, end: float) -> FrameResult:
    """Return a frame of `before` seconds before the `end`, with these faces beside each other."""
    found = tuple(
        Face(Box(2 + 10 * i, 4, 8, 8), probabilities(expression), track_id=number)
        for i, (number, expression) in enumerate(faces)
    )
    return replace(frame_result(1), captured_at=end - before, faces=found)


def show(page: Page, staged: SimpleNamespace, result: FrameResult) -> None:
    """Publish a frame, and wait until it is drawn."""
    video = page.locator("#video")
    drawn = video.get_attribute("data-frames") or ""
    staged.camera.publish(result)
    expect(video).not_to_have_attribute("data-frames", drawn)


def test_the_chart_of_a_face_that_returns_goes_on(new_page: NewPage, staged: SimpleNamespace) -> None:
    """Its card was gone for long; back under its number, the chart has what was before, and a gap."""
    page = new_page()
    page.clock.install()
    page.goto(staged.address)
    end = time.monotonic()
    for before in (30, 29.5, 29):
        show(page, staged, seen((1, "Happy"), before=before, end=end))
    expect(page.locator(".face-card")).to_have_count(1)
    for before in (15, 14):
        page.clock.run_for(2000)
        show(page, staged, seen(before=before, end=end))
    expect(page.locator(".face-card")).to_have_count(0)
    for before in (2, 1.5, 1):
        show(page, staged, seen((1, "Sad"), before=before, end=end))
    chart, reading = page.locator(".history-chart"), page.locator(".history-reading")
    page.clock.run_for(200)
    show(page, staged, seen((1, "Sad"), before=0, end=end))
    chart.press("Home")
    expect(reading).to_have_text("30 s ago: Happy 70%")
    box = chart.locator(".u-over").bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 10)  # 15 s ago
    expect(reading).to_have_text("")


def test_rows_of_many_faces_stay_where_they_are(new_page: NewPage, staged: SimpleNamespace) -> None:
    """They stand by number, whatever the faces show, and wherever they go in the picture."""
    page = new_page()
    page.goto(staged.address)
    end = time.monotonic()
    names = page.locator(".face-list[data-many] .face-name")
    for i in range(7):
        shown = [(number, EXPRESSIONS[(i + number) % 7]) for number in (3, 1, 5, 2, 4, 6)]
        show(page, staged, seen(*shown[i:], *shown[:i], before=0.1 * (7 - i), end=end))
        expect(page.locator(".face-card .expression").first).to_have_text(EXPRESSIONS[(i + 1) % 7])
        expect(names).to_have_text([f"Face {number}" for number in range(1, 7)])
