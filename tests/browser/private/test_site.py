"""The static site, served by a plain file server below a prefix: camera, pictures and check, without a network too."""

import csv
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from config import ROOT
from scripts.make_site import PAGES, main
from tests.browser.conftest import demo_footage
from web import assets

PREFIX = "some/folder"
PORTRAIT = ROOT / "tests" / "data" / "astronaut.png"

UPDATE = """async () => {
  const registration = await navigator.serviceWorker.getRegistration();
  await navigator.serviceWorker.ready;
  await registration.update();
  const { installing } = registration;
  if (installing) await new Promise((done) => installing.addEventListener("statechange", done, { once: true }));
}"""
NEEDED = re.compile(r".*/(service-worker|workbox-.*|site|toasts)[.]js|.*/|.*[.]html")
"""What starts the service worker; without that much, there is no help."""
TYPES = """async () => {
  const caches = await Promise.all((await window.caches.keys()).map((name) => window.caches.open(name)));
  const keys = (await Promise.all(caches.map((cache) => cache.keys()))).flat();
  const paths = keys.map(({ url }) => new URL(url).pathname).filter((path) => /[.][a-z]+$/.test(path));
  const types = await Promise.all(paths.map(async (path) => (await fetch(path)).headers.get("Content-Type")));
  return paths.map((path, i) => [path.replace(/.*[.]/, "."), types[i]]);
}"""
KEPT = """async () => {
  const caches = await Promise.all((await window.caches.keys()).map((name) => window.caches.open(name)));
  const keys = await Promise.all(caches.map((cache) => cache.keys()));
  return keys.flat().map(({ url }) => url);
}"""


@pytest.fixture(scope="module")
def camera_footage() -> bytes:
    """Let the browser's camera show Eileen Collins, who smiles, and Grace Hopper, who does not."""
    return demo_footage()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a web server's root with the site below it."""
    root = tmp_path_factory.mktemp("www")
    assert main(["--folder", str(root / PREFIX)]) == 0
    return root


@contextmanager
def served(root: Path) -> Iterator[str]:
    """Serve a folder with Python's own file server; give the site's address."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            port = server.stdout.readline().split("port ")[1].split()[0]
            yield f"http://127.0.0.1:{port}/{PREFIX}/"
        finally:
            server.terminate()


class PlainTextHandler(SimpleHTTPRequestHandler):
    """Serves files, most of them as plain text."""

    def guess_type(self, path: Any) -> str:
        """Return the type only of what is needed."""
        return super().guess_type(path) if NEEDED.fullmatch(str(path)) else "text/plain"

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served_as_plain_text(root: Path) -> Iterator[str]:
    """Serve a folder with a server that knows next to no types; give the site's address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(PlainTextHandler, directory=str(root))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/{PREFIX}/"
        server.shutdown()
        thread.join()


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


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_it_works_without_a_server(new_page: Callable[..., Page], root: Path, tmp_path: Path, shoot: Any) -> None:
    """Only its own files are asked for; once visited, it goes on with its server gone."""
    page = new_page(accept_downloads=True)
    requests: list[tuple[str, str]] = []

    def note(request: Request) -> None:
        requests.append((request.method, request.url))

    page.context.on("request", note)
    with served(root) as address:
        page.goto(address)
        names_a_smile(page)
        makes_a_report(page, tmp_path)
        shoot(page, "site-camera")
        analyses_a_picture(page, tmp_path)
        shoot(page, "site-pictures")
        begins_a_check(page)
        page.evaluate("async () => { await navigator.serviceWorker.ready; }")
    assert {method for method, _ in requests} == {"GET"}
    assert all(url.startswith((address, "blob:")) for _, url in requests)

    page.goto(address)  # which nothing answers any more
    assert page.evaluate("crossOriginIsolated"), "the service worker adds the headers that threads need"
    names_a_smile(page)
    analyses_a_picture(page, tmp_path)


def test_types_are_right_whatever_the_server_says(
    new_page: Callable[..., Page], root: Path, complaints: list[str]
) -> None:
    """Browsers run no script and use no style that a server calls plain text; kept, all files have their types."""
    page = new_page()
    with served_as_plain_text(root) as address:
        page.goto(address)
        page.evaluate("async () => { await navigator.serviceWorker.ready; }")
        assert any("MIME type" in complaint for complaint in complaints)
        complaints.clear()
        page.goto(address)
        names_a_smile(page)
        assert page.locator("#main").evaluate("main => getComputedStyle(main).display") == "grid"
        sent = {(ending, kind.split(";")[0]) for ending, kind in page.evaluate(TYPES)}
    assert {ending for ending, _ in sent} >= {".html", ".js", ".css", ".svg", ".png", ".jpg", ".webmanifest", ".gz"}
    assert sent - {(".gz", "text/plain")} <= set(assets.TYPES.items())


def test_opened_from_the_disk_it_says_what_it_needs(
    new_page: Callable[..., Page], root: Path, complaints: list[str]
) -> None:
    """Browsers run no modules from there; served, the page says nothing of it."""
    page = new_page()
    page.goto((root / PREFIX / "index.html").as_uri())
    expect(page.get_by_text("This page needs a web server")).to_be_visible()
    complaints.clear()  # what browsers say of such pages
    with served(root) as address:
        page.goto(address)
        expect(page.get_by_text("This page needs a web server")).to_be_hidden()


def test_a_new_version_replaces_the_old_one(
    new_page: Callable[..., Page], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is loaded in the background, shown when the page is loaded again, and leaves nothing of the old one."""
    page = new_page()
    with served(tmp_path) as address:
        for confidence in ("0.45", "0.55"):
            monkeypatch.setenv("FER_MODEL__MIN_CONFIDENCE", confidence)
            assert main(["--folder", str(tmp_path / PREFIX)]) == 0
            page.goto(address)
            page.evaluate(UPDATE)
        script = page.locator("#live-script")
        expect(script).to_have_attribute("data-least-confidence", "0.45")
        page.reload()
        expect(script).to_have_attribute("data-least-confidence", "0.55")
    kept = page.evaluate(KEPT)
    assert len(kept) == len({re.sub(r"\?.*", "", url) for url in kept})


def test_it_fits_a_phone_and_is_accessible(
    new_page: Callable[..., Page], root: Path, check_accessibility: Callable[[Page], None]
) -> None:
    """No page is wider than the screen, and axe finds nothing."""
    page = new_page(viewport={"width": 360, "height": 800})
    with served(root) as address:
        for name in PAGES.values():
            page.goto(address + name)
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
            check_accessibility(page)
