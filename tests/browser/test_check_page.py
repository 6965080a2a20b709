"""The check: a visitor shows expressions, sees how often the app is right, and keeps what helps."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

from config import ROOT
from entities import EXPRESSIONS
from tests.browser.conftest import demo_footage
from tests.helpers.people import recorded

NewPage = Callable[..., Page]

ANSWERS = """([rows, box]) => {
  const { fetch } = window;
  const rounds = {};
  window.fetch = async (address, ...rest) => {
    if (!String(address).includes("/api/live/frame")) return fetch(address, ...rest);
    await new Promise(requestAnimationFrame);
    const name = document.getElementById("prompt-name")?.textContent;
    const taken = rows[name] ?? rows.Neutral;
    if (window.shown !== name) rounds[window.shown = name] = (rounds[name] ?? -1) + 1;
    const row = taken[rounds[name] % taken.length];
    const names = Object.keys(row);
    const expression = names.reduce((a, b) => (row[b] > row[a] ? b : a));
    const face = { id: 1, box, expression, confidence: row[expression], uncertain: false, probabilities: row };
    const answer = { width: 640, height: 360, faces: window.away ? [] : [face], timings: {} };
    return new Response(JSON.stringify(answer), { headers: { "Content-Type": "application/json" } });
  };
}"""


@pytest.fixture(scope="module")
def camera_footage() -> bytes:
    """Let the browser's camera show the demo clip."""
    return demo_footage()


def hurry(route: Route) -> None:
    """Serve the page's script with expressions that are held for a moment only."""
    script = (ROOT / "static/js/check/check.js").read_text()
    for name, value in {"READ_MS": 20, "HOLD_MS": 1000, "REACTION_MS": 0, "TICK_MS": 10}.items():
        script, changed = re.subn(rf"const {name} = \d+", f"const {name} = {value}", script)
        assert changed == 1
    route.fulfill(body=script, content_type="text/javascript")


@pytest.fixture
def page(new_page: NewPage, live_app: str) -> Page:
    """Return the check's page, in a hurry."""
    page = new_page(accept_downloads=True)
    page.route("**/check.js", hurry)
    page.goto(f"{live_app}check")
    page.get_by_label("On the server").check()
    return page


def answer_as_recorded(page: Page) -> None:
    """Let the app answer as it would to somebody who looks sad at rest and shows everything faintly."""
    shown, rows = recorded(seed=1, takes=2)
    by_name: dict[str, list[dict[str, float]]] = {name: [] for name in EXPRESSIONS}
    for index, row in zip(shown, rows, strict=True):
        by_name[EXPRESSIONS[index]].append(dict(zip(EXPRESSIONS, np.round(row, 6).tolist(), strict=True)))
    page.evaluate(ANSWERS, [by_name, [220, 60, 200, 200]])


def check(page: Page) -> None:
    """Go through the whole check."""
    page.get_by_role("button", name="Start my camera").click()
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#results")).to_be_visible()


def test_a_newcomer_goes_through_it(page: Page, shoot: Any, check_accessibility: Any) -> None:
    """All fourteen answers count; the figures, the bars and the confusion table agree; the rest and adapting help."""
    shoot(page, "check-intro")
    check_accessibility(page)
    answer_as_recorded(page)
    check(page)
    expect(page.locator("#results-title")).to_have_text(re.compile(r"^Right in \d+ of 14$"))
    ways = page.locator(".check-way")
    expect(ways).to_have_count(3)
    right = [int(text.split()[0]) for text in page.locator(".check-way-figure").all_inner_texts()]
    assert right[0] <= 7 < right[1]
    assert right[2] > right[0]
    counts = page.locator("#matrix td[data-right]").all_inner_texts()
    assert sum(int(count or 0) for count in counts) == max(right)
    expect(page.locator("#results-words")).to_contain_text("With so few answers")
    page.get_by_label("As seen").check()
    counts = page.locator("#matrix td[data-right]").all_inner_texts()
    assert sum(int(count or 0) for count in counts) == right[0]
    assert page.locator("#advice li").count() >= 2
    check_accessibility(page)
    shoot(page, "check-results")
    page.screenshot(path=ROOT / "tests/screenshots/check-results-full.png", full_page=True)
    page.set_viewport_size({"width": 390, "height": 844})
    page.screenshot(path=ROOT / "tests/screenshots/check-results-390.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_each_expression_is_asked_for_with_what_to_do(page: Page, shoot: Any) -> None:
    """The prompt says what to show and how; it can be skipped; stopping early tells of what there is."""
    answer_as_recorded(page)
    page.get_by_role("button", name="Start my camera").click()
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#prompt-name")).to_have_text(re.compile("|".join(EXPRESSIONS)))
    expect(page.locator("#prompt-how")).not_to_be_empty()
    shoot(page, "check-asking")
    page.get_by_role("button", name="Skip this one").click()
    expect(page.locator("#number")).to_have_text("4 of 14")
    page.get_by_role("button", name="Stop here").click()
    expect(page.locator("#results-title")).to_have_text(re.compile(r"of [123]$"))
    assert page.locator("#video").evaluate("video => video.srcObject") is None


def test_what_was_skipped_is_not_counted(page: Page) -> None:
    """Who skips everything is told so, and can start again."""
    answer_as_recorded(page)
    page.get_by_role("button", name="Start my camera").click()
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("button", name="Stop here").click()
    expect(page.locator("#trouble")).to_contain_text("No expression was shown")
    expect(page.get_by_role("button", name="Start my camera")).to_be_visible()


def test_without_a_face_it_asks_once_more_and_goes_on(page: Page) -> None:
    """A face that is away is asked for again; then the next expression comes."""
    answer_as_recorded(page)
    page.get_by_role("button", name="Start my camera").click()
    expect(page.get_by_role("button", name="Begin")).to_be_enabled()
    page.get_by_role("button", name="Begin").click()
    page.evaluate("window.away = true")
    expect(page.locator("#prompt-how")).to_contain_text("No face was seen")
    page.evaluate("window.away = false")
    expect(page.locator("#results")).to_be_visible()


def save(page: Page, button: str, path: Path) -> Path:
    """Click a button that saves a file; return the file."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    download.value.save_as(path)
    return path


def test_figures_are_saved_without_pictures_and_loaded_again(page: Page, tmp_path: Path) -> None:
    """The JSON has every answer; the PNG is a picture of the figures; a fresh page takes the file over."""
    answer_as_recorded(page)
    check(page)
    figures = json.loads(save(page, "Figures (JSON)", tmp_path / "check.json").read_text())
    assert figures["total"] == 14
    assert sum(map(sum, figures["confusion"]["seen"])) == 14
    assert [sorted(answer["probabilities"]) for answer in figures["answers"]] == [sorted(EXPRESSIONS)] * 14
    assert len((tmp_path / "check.json").read_text()) < 20_000  # no room for a picture
    picture = cv2.imread(str(save(page, "Picture (PNG)", tmp_path / "check.png")))
    assert picture is not None
    assert picture.shape[1] == 1000
    assert picture.std() > 10
    page.reload()
    expect(page.locator("#in-use")).to_be_hidden()
    page.locator("#load").set_input_files(tmp_path / "check.json")
    expect(page.locator("#in-use")).to_be_visible()


@pytest.mark.parametrize("content", ["", "{}", '{"resting_face": {"Happy": 1}}', "[1, 2]"])
def test_a_file_of_another_kind_is_refused(page: Page, tmp_path: Path, content: str) -> None:
    """It says what to choose instead, and changes nothing."""
    (tmp_path / "other.json").write_text(content)
    page.locator("#load").set_input_files(tmp_path / "other.json")
    expect(page.locator("#trouble")).to_contain_text("holds no resting face")
    expect(page.locator("#in-use")).to_be_hidden()


def test_with_the_real_answers_of_the_server(page: Page, mood: Any) -> None:
    """Of a face that the app always calls happy, only the smiles are right, and adapting is not offered."""
    check(page)
    # A busy computer may see too little of the face at times, and skip an expression then.
    expect(page.locator("#results-title")).to_have_text(re.compile(r"^Right in [12] of \d+$"))
    expect(page.get_by_role("button", name="Adapt it to me")).to_be_hidden()


def test_no_click_is_lost_while_the_page_loads(new_page: NewPage, live_app: str) -> None:
    """Over a slow network the button is there before its script: it can be pressed once that is there."""
    page = new_page()
    held: list[Route] = []
    page.route("**/check.js", lambda route: held.append(route))  # noqa: PLW0108 - Playwright cannot call list.append
    with page.expect_request("**/check.js"):
        page.goto(f"{live_app}check", wait_until="commit")
    button = page.get_by_role("button", name="Start my camera")
    expect(button).to_be_disabled()
    held[0].continue_()
    expect(button).to_be_enabled()
