"""Makes the static site: private mode as files that any web server can serve, below any path.

python scripts/make_site.py [--folder site]

The pages are those of the application, rendered without what needs a server. A service worker (Workbox) keeps all of it
in the browser, so that it works without a network from the second visit on.
"""

import argparse
import shutil
import sys
import xml.etree.ElementTree as ET
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import resvg_py
from flask import Flask, render_template

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from app import create_app  # noqa: E402 - found beside this folder
from config import ServerSettings, Settings, load_settings  # noqa: E402
from errors import FacialExpressionError  # noqa: E402
from web.access.security import CONTENT_POLICY, HEADERS  # noqa: E402
from web.assets import TYPES, modules, tag  # noqa: E402
from web.routes.private import compressed, networks  # noqa: E402

STATIC: Final = ROOT / "static"
PAGES: Final = {
    "pages.live": "index.html",
    "pages.pictures": "pictures.html",
    "pages.check": "check.html",
    "pages.about": "about.html",
}
"""Which page of the application becomes which file."""
WORKER: Final = "service-worker.js"
MANIFEST: Final = "site.webmanifest"
LOGO: Final = STATIC / "icons" / "logo.svg"
ICONS: Final = {"icons/192.png": (192, 1.0), "icons/512.png": (512, 1.0), "icons/maskable.png": (512, 0.75)}
"""Side in pixels, and the logo's share of it: systems cut a maskable icon to any shape around its middle 80 %."""
STARTED: Final = ("js/camera/ticks.js", "js/private/worker.js", "js/private/search-worker.js")
"""Scripts that no page and no other script imports."""
WORKBOX: Final = [f"vendor/workbox/workbox-{name}.prod.js" for name in ("core", "routing", "strategies", "precaching")]
"""What the service worker is made with, in the order in which it has to be loaded."""
POLICY: Final = "; ".join(part for part in CONTENT_POLICY.split("; ") if not part.startswith("frame-ancestors"))
"""What browsers may load; in a page's head they take no `frame-ancestors`."""
WORKER_POLICY: Final = f"{POLICY}; script-src 'self' 'wasm-unsafe-eval'"


class SiteError(FacialExpressionError):
    """The site cannot be made; the message says what to do."""


class Site:
    """The site in the making: what its pages ask for is noted while they are rendered, and copied afterwards."""

    def __init__(self, settings: Settings) -> None:
        """Make the application whose pages become files.

        Raises:
            SiteError: The network in use was not made for browsers.

        """
        self.networks = networks(settings)
        if not self.networks:
            raise SiteError(
                "Beside the weights is no network.onnx that was made of them, or YuNet's weights are not those of the "
                "project. Make network.onnx with python -m training.quantization fer2013.csv."
            )
        self.files: dict[str, bytes] = {}
        self.asked: set[str] = set()
        self.app: Flask = create_app(settings)
        self.app.url_for = self.address  # type: ignore[method-assign]
        self.app.jinja_env.globals |= {
            "url_for": self.address,
            "static_site": {"policy": POLICY, "manifest": MANIFEST, "worker": WORKER, "icon": "icons/192.png"},
        }

    def address(self, endpoint: str, *, filename: str = "", name: str = "", **_: Any) -> str:
        """Return where something is, as seen from the pages: the site's counterpart of Flask's url_for.

        Raises:
            SiteError: It is nothing that a site without a server has.

        """
        if endpoint in PAGES:
            return PAGES[endpoint]
        if endpoint == "private.network":
            return self._data(f"{name}.onnx.gz", compressed(self.networks[name]))
        if endpoint != "static":
            raise SiteError(f"A page asks for {endpoint}, which needs a server. Leave it out where static_site is set.")
        self.asked.add(filename)
        path = STATIC / filename
        return self._data(path.name, path.read_bytes()) if path.suffix == ".gz" else self._static(filename)

    def make(self) -> dict[str, bytes]:
        """Return all files by their paths."""
        client = self.app.test_client()
        for endpoint, name in PAGES.items():
            with self.app.test_request_context():
                path = Flask.url_for(self.app, endpoint)
            page = client.get(path)
            if page.status_code != HTTPStatus.OK:
                raise SiteError(f"{path} cannot be written as a page of the site: {page.text[:200]}")
            self.files[name] = page.data
        self.files |= {name: icon(*size) for name, size in ICONS.items()}
        self._render(MANIFEST, icons=ICONS)
        scripts = [self.address("static", filename=name) for name in WORKBOX]
        self._copy()
        kept = [{"url": name, "revision": self._revision(name)} for name in sorted(self.files)]
        headers = HEADERS | {"Content-Security-Policy": POLICY}
        self._render(WORKER, scripts=scripts, kept=kept, headers=headers, types=TYPES, worker_policy=WORKER_POLICY)
        return self.files

    def _revision(self, name: str) -> str | None:
        """Return what tells a file's versions apart; None where its address does."""
        return None if name.startswith(("data/", "static/")) else tag(self.files[name])

    def _render(self, name: str, **context: Any) -> None:
        with self.app.test_request_context():
            self.files[name] = render_template(f"site/{name}", **context).encode()

    def _copy(self) -> None:
        """Add the static files that were asked for, with what they import, and the licences of what is not ours."""
        for name in {*self.asked, *STARTED}:
            imported = modules(STATIC / name) if name.endswith(".js") else ()
            self.asked |= {name, *(path.relative_to(STATIC).as_posix() for path in imported)}
        folders = {(STATIC / name).parent for name in self.asked if name.startswith("vendor/")}
        self.asked |= {path.relative_to(STATIC).as_posix() for folder in folders for path in folder.glob("LICENSE*")}
        for name in self.asked:
            if not name.endswith(".gz"):
                self.files[self._static(name)] = (STATIC / name).read_bytes()

    def _static(self, name: str) -> str:
        return f"{str(self.app.static_url_path).strip('/')}/{name}"

    def _data(self, name: str, content: bytes) -> str:
        """Add a large file below a name of its own, so that it is loaded anew only when it has changed."""
        path = f"data/{tag(content)}/{name}"
        self.files[path] = content
        return path


def icon(side: int, share: float) -> bytes:
    """Return the logo as a PNG of so many pixels a side; less than all of it stands on the logo's own ground."""
    ET.register_namespace("", "http://www.w3.org/2000/svg")
    logo = ET.parse(LOGO).getroot()  # noqa: S314 - our own file
    ground = logo[0]
    if share < 1:
        ground.attrib.pop("rx")
        middle = ET.Element("g", transform=f"translate({16 * (1 - share)} {16 * (1 - share)}) scale({share})")
        middle.extend(logo[1:])
        logo[1:] = [middle]
    return bytes(resvg_py.svg_to_bytes(ET.tostring(logo, "unicode"), width=side, height=side))


def write(files: dict[str, bytes], folder: Path) -> None:
    """Write the site, in place of the one that was there; all of it or nothing.

    Raises:
        SiteError: The folder holds something else, or cannot be written.

    """
    if folder.exists() and any(folder.iterdir()) and not (folder / WORKER).is_file():
        raise SiteError(f"{folder} holds something else than a site. Choose another folder with --folder.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".site-", dir=folder.parent) as place:
            whole = Path(place) / "site"
            for name, content in files.items():
                (whole / name).parent.mkdir(parents=True, exist_ok=True)
                (whole / name).write_bytes(content)
            if folder.exists():
                shutil.rmtree(folder)
            whole.rename(folder)
    except OSError as error:
        raise SiteError(f"{folder} cannot be written: {error.strerror}.") from error


def main(arguments: list[str] | None = None) -> int:
    """Make the static site; return the exit status."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "site", help="where it is written (default: site)")
    folder = parser.parse_args(arguments).folder
    try:
        site = Site(load_settings({}).model_copy(update={"server": ServerSettings()}))
        files = site.make()
        write(files, folder)
    except FacialExpressionError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    megabytes = sum(map(len, files.values())) / 1e6
    print(f"Wrote {folder}: {len(files)} files, {megabytes:.1f} MB. Try it: python -m http.server --directory {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
