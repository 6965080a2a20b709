"""The static site, served by a plain file server below a prefix: camera, pictures and check, without a network too."""

import csv
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from config import ROOT
from scripts.make_site import PAGES, main
from tests.browser.conftest import demo_footage

MOST_BYTES = 12_000_000
PORTRAIT = ROOT / "tests" / "data" / "astronaut.png"

UPDATE = """async () => {
  const registration = await navigator.serviceWorker.getRegistration();
  await registration.update();
  const { installing } = registration;
  if (installing) await new Promise((done) => installing.addEventListener("statechange", done, { once: true }));
}"""


@pytest.fixture(scope="module")
def camera_footage() -> bytes:
    """Let the browser's camera show Eileen Collins, who smiles, and Grace Hopper, who does not."""
    return demo_footage()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a site that was just made."""
    folder = tmp_path / "faces"
    assert main(["--folder", str(folder)]) == 0
    return folder


@contextmanager
def served(folder: Path, port: int = 0) -> Iterator[int]:
    """Serve what is in a folder with Python's own file server; give its port."""
    command = [sys.executable, "-u", "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline().split("port ")[1].split()[0])
        finally:
            server.terminate()


def names_a_smile(page: Page) -> None:
    """Start the camera: of the two before it, one smiles."""
    page.get_by_role("button", name="Start my camera").click()
    cards = page.locator(".face-card .expression")
    expect(cards).to_have_count(2)
    expect(cards.filter(has_text="Happy")).to_have_count(1)


def makes_a_report(page: Page, tmp_path: Path) -> None:
    """Record some frames: there are a table and a report, a page that asks for nothing."""
    page.get_by_role("button", name="Record table").click()
    expect(page.locator("#record-count")).to_have_text(re.compile(r"^([3-9]|\d\d) frames$"))
    with page.expect_download() as table:
        page.get_by_role("button", name="Stop and save").click()
    assert table.value.suggested_filename.endswith(".csv")
    with page.expect_download() as report:
        page.get_by_role("button", name="Report").click()
    report.value.save_as(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert "<h2>Face 1</h2>" in text
    assert "Happy 100%" in text
    assert text.count("<svg") == 2
    assert "://" not in text


def analyses_a_picture(page: Page, tmp_path: Path) -> None:
    """Add a picture: it is marked, and its table can be saved."""
    page.get_by_role("link", name="Pictures").click()
    page.locator("#file").set_input_files(PORTRAIT)
    card = page.locator(".picture").first
    expect(card.locator(".picture-summary")).to_have_text("1 face: Happy")
    with page.expect_download() as download:
        card.get_by_role("button", name="CSV").click()
    download.value.save_as(tmp_path / "faces.csv")
    rows = list(csv.DictReader((tmp_path / "faces.csv").open()))
    assert [row["expression"] for row in rows] == ["Happy"]


def begins_a_check(page: Page) -> None:
    """Start the check, and leave it again."""
    page.get_by_role("link", name="Check").click()
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator("#seen")).to_have_text("Your face is in view. Begin when you like.")
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#number")).to_have_text("1 of 14")
    page.get_by_role("button", name="Stop here").click()


def is_accessible(page: Page, address: str, check: Callable[[Page], None]) -> None:
    """Read every page on a phone."""
    page.set_viewport_size({"width": 360, "height": 800})
    for name in PAGES.values():
        page.goto(address + name)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        check(page)
    page.set_viewport_size({"width": 1440, "height": 900})


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_site_needs_no_server(
    *,
    new_page: Callable[..., Page],
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    shoot: Any,
    check_accessibility: Callable[[Page], None],
) -> None:
    """Only its own files are asked for; once visited, it works with its server gone; a new version replaces it."""
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < MOST_BYTES
    page = new_page(accept_downloads=True)
    requests: list[tuple[str, str]] = []
    page.on("request", lambda request: requests.append((request.method, request.url)))
    with served(tmp_path) as port:
        address = f"http://127.0.0.1:{port}/faces/"
        page.goto(address)
        names_a_smile(page)
        makes_a_report(page, tmp_path)
        shoot(page, "site-camera")
        analyses_a_picture(page, tmp_path)
        shoot(page, "site-pictures")
        begins_a_check(page)
        is_accessible(page, address, check_accessibility)
        page.evaluate("async () => { await navigator.serviceWorker.ready; }")
    assert {method for method, _ in requests} == {"GET"}
    assert all(url.startswith((address, "blob:")) for _, url in requests)

    page.goto(address)  # the server is gone
    assert page.evaluate("crossOriginIsolated"), "the service worker adds the headers that threads need"
    names_a_smile(page)
    analyses_a_picture(page, tmp_path)

    monkeypatch.setenv("FER_MODEL__MIN_CONFIDENCE", "0.55")
    assert main(["--folder", str(folder)]) == 0
    with served(tmp_path, port):
        page.goto(address)
        page.evaluate(UPDATE)
        page.reload()
        expect(page.locator("#live-script")).to_have_attribute("data-least-confidence", "0.55")
