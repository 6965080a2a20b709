"""Recordings are kept while they grow, are asked about before they are lost, and tell what they are of."""

import csv
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from playwright.sync_api import Dialog, Page, expect

NewPage = Callable[..., Page]

WAKE_LOCK = """Object.defineProperty(navigator, "wakeLock", { value: {
  request: async () => {
    window.asked = (window.asked ?? 0) + 1;
    window.held = (window.held ?? 0) + 1;
    return { release: () => window.held-- };
  },
} })"""


def record(page: Page, staged: SimpleNamespace, frames: int) -> None:
    """Record so many frames."""
    staged.camera.publish()
    page.get_by_role("button", name="Record").click()
    for number in range(1, frames + 1):
        staged.camera.publish()
        expect(page.locator("#record-count")).to_have_text(f"{number} frame{'s' if number > 1 else ''}")


def saved(page: Page, button: str, tmp_path: Path) -> str:
    """Return the text of the file that a button saves."""
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile(f"^{button}")).click()
    download.value.save_as(tmp_path / "saved")
    return (tmp_path / "saved").read_text("utf-8")


def table(text: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    return list(csv.DictReader(StringIO(text)))


def test_a_recording_outlives_its_page(
    new_page: NewPage, staged: SimpleNamespace, tmp_path: Path, shoot: Any, check_accessibility: Any
) -> None:
    """Leaving asks first; what was recorded is offered at the next visit, until it is discarded."""
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page = new_page(accept_downloads=True)
    page.on("dialog", leave)
    page.goto(staged.address)
    expect(page.locator("#kept-recording")).to_be_hidden()
    record(page, staged, 3)
    expect(page.locator("#record-time")).to_have_text(re.compile(r"^\d:\d\d$"))
    page.reload()
    assert asked == ["beforeunload"]
    kept = page.get_by_role("group", name="An earlier recording is still here")
    expect(kept).to_contain_text(re.compile(r"20\d\d at \d\d:\d\d, [\d.]+ s, 3 frames"))
    check_accessibility(page)
    shoot(page, "live-kept-recording")
    rows = table(saved(page, "Save table", tmp_path))
    assert [(row["face"], row["source"], row["expression"]) for row in rows] == 3 * [("7", "Test card", "Happy")]
    assert "Face 7" in saved(page, "Save report", tmp_path)
    page.clock.install()
    kept.get_by_role("button", name="Discard").click()
    page.get_by_role("button", name="Undo").click()
    expect(kept).to_be_visible()
    kept.get_by_role("button", name="Discard").click()
    page.clock.run_for(9_000)
    page.reload()
    expect(page.locator("#state")).to_have_text("Live")
    expect(page.locator("#kept-recording")).to_be_hidden()
    assert asked == ["beforeunload"]


def test_a_report_that_waits_is_asked_about_too(new_page: NewPage, staged: SimpleNamespace, tmp_path: Path) -> None:
    """Once it is saved, the page may be left, and nothing is offered later."""
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page = new_page(accept_downloads=True)
    page.on("dialog", leave)
    page.goto(staged.address)
    record(page, staged, 2)
    saved(page, "Stop and save", tmp_path)
    page.reload()
    assert asked == ["beforeunload"]
    expect(page.locator("#kept-words")).to_contain_text("2 frames")
    record(page, staged, 2)
    saved(page, "Stop and save", tmp_path)
    report = saved(page, "Report", tmp_path).replace("\n", "")
    assert re.search(r'<div class="axis"[^>]*>(<span>0:0\d\.\d</span>){5}</div>', report)
    page.reload()
    assert asked == ["beforeunload"]


def test_a_second_page_leaves_a_running_recording_alone(new_page: NewPage, staged: SimpleNamespace) -> None:
    """It is offered only once its own page is gone."""
    page = new_page()
    page.goto(staged.address)
    record(page, staged, 1)
    page.evaluate("dispatchEvent(new Event('beforeunload'))")  # by which it is written at once
    other = page.context.new_page()
    other.goto(staged.address)
    expect(other.locator("#state")).to_have_text("Live")
    expect(other.locator("#kept-recording")).to_be_hidden()
    page.close()
    other.reload()
    expect(other.locator("#kept-words")).to_contain_text("1 frame")


def test_another_video_has_other_numbers(new_page: NewPage, staged: SimpleNamespace, tmp_path: Path) -> None:
    """All who watch are told; faces of the one do not go on as faces of the other, on cards and in recordings."""
    page = new_page(accept_downloads=True)
    page.goto(staged.address)
    record(page, staged, 1)
    expect(page.locator(".face-name")).to_have_text("Face 7")
    changed = page.request.post(f"{staged.address}api/source", data={"id": "demo"})
    assert changed.ok
    expect(page.locator("#toasts")).to_contain_text("Now shown: Demo clip")
    expect(page.locator(".face-name")).to_have_text(["Face 8"])
    rows = table(saved(page, "Stop and save", tmp_path))
    assert [(row["face"], row["source"]) for row in rows] == [("7", "Test card"), ("8", "Demo clip")]


def test_the_screen_stays_on_while_it_records(new_page: NewPage, staged: SimpleNamespace) -> None:
    """The lock that a hidden page loses is asked for again; at the end it is given back."""
    page = new_page()
    page.add_init_script(WAKE_LOCK)
    page.goto(staged.address)
    record(page, staged, 1)
    assert page.evaluate("[window.asked, window.held]") == [1, 1]
    page.evaluate("window.held = 0; document.dispatchEvent(new Event('visibilitychange'))")
    assert page.evaluate("[window.asked, window.held]") == [2, 1]
    page.get_by_role("button", name="Stop and save").click()
    assert page.evaluate("window.held") == 0
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert page.evaluate("window.asked") == 2


REPORT = """async () => {
  const scripts = document.querySelector("script[src*='/js/']").src;
  const { recordingReport } = await import(new URL("../recording/recording-report.js", scripts));
  const probabilities = (name) => Object.fromEntries(
    ["Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral"].map((each) => [each, Number(each === name)]));
  const face = (expression) => ({ id: 1, expression, probabilities: probabilities(expression), uncertain: false });
  const frames = [0, 1, 2, 62, 63, 64].map((time, i) =>
    ({ time, clock: 1e9 + time, faces: [face(i < 4 ? "Happy" : "Sad")], marker: i < 2 ? "film" : "" }));
  return recordingReport(frames).text();
}"""


def test_a_report_tells_of_holes_and_markers(new_page: NewPage, staged: SimpleNamespace) -> None:
    """Where no picture came, nothing is drawn; of each marker it says what the face showed."""
    page = new_page()
    page.goto(f"{staged.address}about")
    report = page.evaluate(REPORT)
    assert "No picture came from 0:02.0 to 1:02.0." in report
    assert "1:04 min, 6 frames, 1 face." in report
    bars = [tuple(map(float, bar)) for bar in re.findall(r"M([\d.]+) [\d.]+h([\d.]+)v", report)]
    assert bars
    assert all(width <= 1 / 64 * 800 + 0.1 for _, width in bars)
    assert "<td>film<td>0:00.0<td>2<td>Happy 100%" in report
