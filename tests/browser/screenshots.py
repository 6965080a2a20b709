"""Writes screenshots of all pages to tests/screenshots, for whoever changes one to look at: `make screenshots`.

Light and dark, on a computer and on a phone, while two, eight and twenty faces move.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import cv2
import numpy as np
from playwright.sync_api import Browser, FilePayload, Page, expect, sync_playwright

from config import DEMO_CLIP, ROOT
from entities import Image
from model import FacialExpressionModel
from tests.browser.conftest import FLAGS, PATIENCE_MS, SCREENSHOTS, demo_footage, live_video
from tests.helpers.footage import make_video

SIZES: Final = {"1440": (1440, 900), "390": (390, 844)}
SCHEMES: Final = ("light", "dark")
FEW: Final = 2
"""Faces in the demo clip."""
GRIDS: Final = {8: (2, 4), 20: (4, 5)}
"""Rows and columns of so many faces."""
PORTRAIT: Final = ROOT / "tests" / "data" / "astronaut.png"


def main() -> None:
    """Write all screenshots."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    SCREENSHOTS.mkdir(exist_ok=True)
    with TemporaryDirectory() as place, sync_playwright() as playwright:
        folder = Path(place)
        (folder / "camera.mjpeg").write_bytes(demo_footage())
        camera = ("--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={folder / 'camera.mjpeg'}")
        browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, *camera])
        sources = {FEW: DEMO_CLIP} | {count: crowd(folder / f"{count}.mp4", *grid) for count, grid in GRIDS.items()}
        for count, source in sources.items():
            with served(source, folder / f"uploads-{count}") as address:
                shoot_all(browser, count, address)
        browser.close()


@contextmanager
def served(source: Path, uploads: Path) -> Iterator[str]:
    """Serve the application as it ships, showing a video; give its address."""
    yield from live_video(source, uploads, FacialExpressionModel(ROOT / "model.json", ROOT / "model_weights.h5"))


def crowd(path: Path, rows: int, columns: int) -> Path:
    """Write a video of a face in so many rows and columns, all of which sway."""
    portrait = cv2.imread(str(PORTRAIT))
    assert portrait is not None
    face = cv2.resize(portrait[:300, 80:380], (1280 // columns, 720 // rows))
    people = np.tile(face, (rows, columns, 1))

    def frames() -> Iterator[Image]:
        for phase in np.linspace(0, 2 * np.pi, 50, endpoint=False):
            shift = np.array([[1, 0, 12 * np.sin(phase)], [0, 1, 0]], np.float32)
            moved = cv2.warpAffine(people, shift, people.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
            yield np.asarray(moved, np.uint8)

    return make_video(path, frames())


def shoot_all(browser: Browser, count: int, address: str) -> None:
    """Write the screenshots for which so many faces are shown; of two faces, those of all other pages as well."""
    views: dict[str, Callable[[Page, str], None]] = {f"live-{count}": live}
    if count == FEW:
        views |= OTHERS
    for scheme in SCHEMES:
        for size, (width, height) in SIZES.items():
            for name, prepare in views.items():
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                context.set_default_timeout(PATIENCE_MS)
                page = context.new_page()
                prepare(page, address)
                page.screenshot(path=SCREENSHOTS / f"all-{name}-{scheme}-{size}.png", full_page=True)
                context.close()


def live(page: Page, address: str) -> None:
    """Watch the server's video until all its faces have come."""
    page.goto(address)
    expect(page.locator(".face-card").first).to_be_visible()
    page.wait_for_timeout(3000)


def own_camera(page: Page, address: str) -> None:
    """Watch the own camera, recording."""
    page.goto(f"{address}#own")
    page.get_by_label("On the server").check()
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator(".face-card").first).to_be_visible()
    page.get_by_role("button", name="Record").click()
    page.wait_for_timeout(2000)


def recording_report(page: Page, address: str) -> None:
    """Open the report of a recording with a marker."""
    own_camera(page, address)
    page.keyboard.press("m")
    page.wait_for_timeout(1000)
    page.get_by_role("button", name="Stop and save").click()
    with page.expect_download() as report:
        page.get_by_role("button", name="Report").click()
    page.goto(Path(report.value.path()).rename(SCREENSHOTS / "recording.html").as_uri())


def pictures(count: int) -> Callable[[Page, str], None]:
    """Return what adds so many pictures."""

    def prepare(page: Page, address: str) -> None:
        page.goto(f"{address}pictures")
        if count:
            names, portrait = [f"portrait {i + 1}.png" for i in range(count)], PORTRAIT.read_bytes()
            files = [FilePayload(name=name, mimeType="image/png", buffer=portrait) for name in names]
            page.set_input_files("#file", files)
            expect(page.locator(".picture[data-state=done]")).to_have_count(count)

    return prepare


def video(page: Page, address: str) -> None:
    """Analyse a video."""
    page.goto(f"{address}pictures")
    page.set_input_files("#file", DEMO_CLIP)
    expect(page.locator(".video-card")).to_have_attribute("data-state", "done", timeout=4 * PATIENCE_MS)
    page.wait_for_timeout(1000)


def check(page: Page, address: str) -> None:
    """Be asked for an expression."""
    page.goto(f"{address}check")
    page.get_by_label("On the server").check()
    page.get_by_role("button", name="Start my camera").click()
    page.get_by_role("button", name="Begin").click()
    page.wait_for_timeout(3000)


def address_of(path: str) -> Callable[[Page, str], None]:
    """Return what opens a page."""

    def prepare(page: Page, address: str) -> None:
        page.goto(address + path)

    return prepare


OTHERS: Final[dict[str, Callable[[Page, str], None]]] = {
    "own-camera": own_camera,
    "recording-report": recording_report,
    "pictures-none": pictures(0),
    "pictures-1": pictures(1),
    "pictures-13": pictures(13),
    "video": video,
    "check": address_of("check"),
    "check-asking": check,
    "about": address_of("about"),
    "api": address_of("api/docs"),
    "error": address_of("nothing-here"),
}


if __name__ == "__main__":
    main()
