"""The report of a run, opened from disk: sorted and searched, in both colour schemes, without a network."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from analysis.batch.dataset import file_row
from analysis.output.intervals import find_intervals
from analysis.pairs.pair_list import read_pairs
from analysis.pairs.pair_study import conclude_pairs
from analysis.study.comparison import comparison
from analysis.study.figures import draw_comparison, draw_curves
from analysis.study.groups import curves, people, persons
from analysis.study.markers import marker_table
from analysis.study.report import GroupResults, report_page
from analysis.study.time_courses import courses
from entities import EXPRESSIONS
from tests.helpers.tables import course
from tests.helpers.talks import TALKS, WINDOWS, make_talks, names

SMILES = {
    f"{group}-{number}.mp4": smile + number / 50 for group, smile in (("a", 0.6), ("b", 0.2)) for number in range(6)
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report of a study with two groups of six, some conversations, and a file that failed."""
    frames = pd.concat(course("Happy", [0.1] * 10 + [smile] * 20, file=file) for file, smile in SMILES.items())
    markers = pd.DataFrame([(file, 1.0, "film") for file in SMILES], columns=["file", "time", "label"])
    groups = pd.DataFrame([(file, file[0], file) for file in SMILES], columns=["file", "group", "person"])
    table = people(courses(frames, 0.5), groups.assign(face=pd.array([1] * len(SMILES), "Int32")))
    compared = comparison(persons(table))
    rows = [
        file_row(
            {
                "file": file,
                "state": "done",
                "kind": "video",
                "seconds": 3,
                "frames": 30,
                "frames_with_faces": 30,
                "faces": 1,
            }
            | {f"share_{name}": smile if name == "Happy" else (1 - smile) / 6 for name in EXPRESSIONS}
        )
        for file, smile in SMILES.items()
    ]
    failed = file_row({"file": "bad.mp4", "state": "failed", "reason": "It is no video."})
    drawn = GroupResults(
        persons(table), compared, {"": draw_curves(curves(table))}, {"": draw_comparison(compared)}, 0.5
    )
    folder = tmp_path_factory.mktemp("talks")
    section, _ = conclude_pairs(folder, read_pairs(make_talks(folder), names(folder)), WINDOWS)
    assert section
    page = report_page(
        "Facial expressions in 12 files",
        pd.concat([*rows, failed]).assign(usable=1.0),
        find_intervals(frames),
        markers=marker_table(frames, markers),
        groups=drawn,
        sections=[section.page],
        notes=["groups.csv: in no group, and not compared: bad.mp4."],
        methods={"Faces": "YuNet finds the faces."},
    )
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report(
    report: Path,
    new_page: Callable[..., Page],
    check_accessibility: Callable[[Page], None],
    shoot: Callable[[Page, str], None],
    scheme: str,
) -> None:
    """Tables are sorted by a click, files found by their names; it is accessible and never wider than the screen."""
    page = new_page(color_scheme=scheme, offline=True)
    page.goto(report.as_uri())
    expect(page.get_by_role("heading", level=1)).to_have_text("Facial expressions in 12 files")
    expect(page.locator("#failed")).to_contain_text("It is no video.")
    expect(page.locator("#groups svg")).to_have_count(2)
    pairs = page.locator("#pairs")
    expect(pairs.locator("svg")).to_have_count(1 + TALKS)
    expect(pairs.locator("tbody").nth(1).locator("tr")).to_have_count(2 * TALKS)
    leads = pairs.get_by_role("columnheader", name="Lead: 1st, 2nd")
    leads.get_by_role("button").click()
    expect(leads).to_have_attribute("aria-sort", "descending")
    expect(pairs.get_by_role("row", name="Ann <2> – ben2.mp4").first).to_be_visible()
    files = page.locator("#files tbody tr")
    head = page.locator("#files").get_by_role("columnheader", name="Happy")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    expect(files.first).to_contain_text("a-5.mp4")
    head.get_by_role("button").click()
    expect(files.first).to_contain_text("b-0.mp4")
    page.get_by_role("searchbox", name="Find a file").fill("A-3")
    expect(files.filter(visible=True)).to_have_count(1)
    page.get_by_role("searchbox", name="Find a file").fill("")
    check_accessibility(page)
    shoot(page, f"report-{scheme}")
    page.set_viewport_size({"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("width", [718, 740], ids=["A4", "Letter"])
def test_the_report_prints_whole(report: Path, new_page: Callable[..., Page], width: int) -> None:
    """Nothing is wider than the paper between margins of a centimetre, where nobody can scroll."""
    page = new_page(offline=True)
    page.set_viewport_size({"width": width, "height": 1000})
    page.emulate_media(media="print")
    page.goto(report.as_uri())
    edges = page.evaluate(
        "[...document.querySelectorAll('table, svg, p, th, td')].map((part) => part.getBoundingClientRect().right)"
    )
    assert max(edges) <= width
