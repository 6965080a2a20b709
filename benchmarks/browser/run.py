"""Private mode beside @vladmandic/human and @vladmandic/face-api: `python -m benchmarks.browser.run`.

All see the same video, in the same headless Chromium, one after the other. The packages are installed from npm, with
their weights inside, into an ignored folder.
"""

import argparse
import base64
import gzip
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from playwright.sync_api import Page, sync_playwright

from config import ROOT, Settings
from files import write_json
from training.data.fer2013 import load, majority
from web.routes.private import compressed, networks

FOLDER: Final = Path(__file__).parent
NAMES: Final = {
    "ours": "private mode",
    "human": "@vladmandic/human",
    "face-api": "@vladmandic/face-api",
}
FPS: Final = 30
FLAGS: Final = ("--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
PATIENCE_MS: Final = 600_000


class Handler(SimpleHTTPRequestHandler):
    """Serves the repository, isolated as the application's pages are, and notes what was asked for."""

    def __init__(self, *arguments: Any, asked: dict[str, int], **options: Any) -> None:
        self.asked = asked
        super().__init__(*arguments, **options)

    def do_GET(self) -> None:
        """Send a file, or a network as the application sends it."""
        if self.path.startswith("/private/"):
            content = compressed(networks(Settings())[Path(self.path).name.removesuffix(".onnx.gz")])
            self.asked[self.path] = len(content)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            return
        path = Path(self.translate_path(self.path))
        if path.is_file() and path.suffix != ".html":
            self.asked[self.path] = min(path.stat().st_size, len(gzip.compress(path.read_bytes(), 6)))
        super().do_GET()

    def end_headers(self) -> None:
        """Isolate the page, so that workers may have threads."""
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def write_footage(picture: Path, destination: Path) -> None:
    """Write a video of 640x480 in which a photographed face moves and nods a little."""
    image = np.asarray(cv2.imread(str(picture)))
    side = min(image.shape[:2])
    frames = []
    for i in range(3 * FPS):
        turn = cv2.getRotationMatrix2D((side / 2, side / 2), 4 * np.sin(i / 15), 640 / side)
        turn[:, 2] += (320 - side / 2 + 20 * np.sin(i / 20), 260 - side / 2)
        frame = cv2.warpAffine(image, turn, (640, 480), borderMode=cv2.BORDER_REPLICATE)
        frames.append(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes())
    destination.write_bytes(b"".join(frames))


def install() -> None:
    """Install the packages that are compared."""
    if not (FOLDER / "node_modules").is_dir():
        command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]
        subprocess.run(command, cwd=FOLDER, check=True)  # noqa: S603


def majority_rows(data: Path, votes: Path, most: int | None) -> tuple[bytes, Any]:
    """Return PublicTest's faces that most raters agree about, 48x48 bytes each, and what they say."""
    rows = load(data, votes).split("PublicTest")
    named = majority(np.asarray(rows.votes))
    agreed = np.flatnonzero(named >= 0)[:most]
    return rows.images[agreed].tobytes(), named[agreed]


def main(arguments: list[str] | None = None) -> int:
    """Print a table of what each library does in headless Chromium."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.browser.run", description=main.__doc__)
    parser.add_argument("--libraries", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--seconds", type=float, default=10, help="of video that are measured")
    parser.add_argument("--data", type=Path, help="fer2013.csv, for the accuracy")
    parser.add_argument("--votes", type=Path, help="FER+'s fer2013new.csv")
    parser.add_argument("--faces", type=int, help="so many of the rows, instead of all")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    given = parser.parse_args(arguments)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        print("error: Chromium is needed: on Debian or Ubuntu, apt install chromium.", file=sys.stderr)
        return 1
    if given.libraries != ["ours"]:
        install()
    rows = majority_rows(given.data, given.votes, given.faces) if given.data and given.votes else None
    figures = {}
    with serving() as (address, asked), tempfile.TemporaryDirectory() as folder:
        footage = Path(folder) / "footage.mjpeg"
        write_footage(ROOT / "tests" / "data" / "astronaut.png", footage)
        for name in given.libraries:
            asked.clear()
            with opened(chromium, footage, address) as page:
                figures[name] = measure(page, name, given.seconds) | {"megabytes": sum(asked.values()) / 1e6}
            if rows:
                with opened(chromium, footage, address) as page:
                    figures[name]["accuracy"] = accuracy(page, name, rows)
            print(NAMES[name], json.dumps(figures[name]), flush=True)
    if given.json:
        write_json(figures, str(given.json))
    return 0


@contextmanager
def serving() -> Iterator[tuple[str, dict[str, int]]]:
    """Serve the repository; give the page's address, and how many bytes each file that was asked for has."""
    asked = dict[str, int]()
    handler = partial(Handler, directory=str(ROOT), asked=asked)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/benchmarks/browser/index.html", asked
        server.shutdown()


@contextmanager
def opened(chromium: str, footage: Path, address: str) -> Iterator[Page]:
    """Open the page in a browser of its own, whose camera shows the footage."""
    with sync_playwright() as playwright:
        flags = [*FLAGS, f"--use-file-for-fake-video-capture={footage}"]
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(address)
        page.wait_for_function("window.ready")
        yield page
        browser.close()


def measure(page: Page, name: str, seconds: float) -> dict[str, Any]:
    """Return what a library does with the camera."""
    found: dict[str, Any] = page.evaluate("([name, seconds]) => measure(name, seconds)", [name, seconds])
    return found


def accuracy(page: Page, name: str, rows: tuple[bytes, Any]) -> float:
    """Return for which share (0-1) of the faces a library's network says what most raters say."""
    faces, truth = rows
    text = base64.b64encode(faces).decode()
    found = page.evaluate("([name, text]) => nameFaces(name, text)", [name, text])
    return float((np.array(found) == truth).mean())


if __name__ == "__main__":
    sys.exit(main())
