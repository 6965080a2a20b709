"""Static files are compressed, and kept by browsers under names that change with their content."""

import mimetypes
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import create_app
from config import ROOT, Settings
from tests.helpers.fake_camera import FakeCamera
from web.assets import modules, tagged_path


@pytest.fixture
def client(camera: FakeCamera) -> FlaskClient:
    """Return a client of the application."""
    return create_app(Settings(), camera.as_camera()).test_client()


def test_addresses_change_with_content(tmp_path: Path) -> None:
    """A byte more in any file is another address for all."""
    (tmp_path / "a.js").write_text("1")
    before = tagged_path(tmp_path)
    assert tagged_path(tmp_path) == before
    (tmp_path / "a.js").write_text("12")
    assert tagged_path(tmp_path) != before


@pytest.mark.parametrize("page", ["/", "/pictures", "/about", "/api/docs"])
def test_what_a_page_asks_for_is_kept_and_small(client: FlaskClient, page: str) -> None:
    """Each style sheet and script may be kept for good, and texts are compressed."""
    answer = client.get(page, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "immutable" not in answer.headers.get("Cache-Control", "")
    paths = re.findall(r'(?:src|href)="(/static/[^"]+)"', client.get(page).text)
    assert paths
    for path in paths:
        file = client.get(path, headers={"Accept-Encoding": "gzip"})
        assert file.status_code == 200, path
        assert "immutable" in file.headers["Cache-Control"]
        if len(client.get(path).data) > 1000:
            assert file.headers["Content-Encoding"] == "gzip", path


def test_scripts_are_scripts_whatever_the_system_says(camera: FakeCamera) -> None:
    """Browsers run none that is called plain text, as some Windows call them, and few servers know .mjs."""
    mimetypes.add_type("text/plain", ".js")
    client = create_app(Settings(), camera.as_camera()).test_client()
    (path,) = set(re.findall(r'src="(/static/[^"]+/theme.js)"', client.get("/about").text))
    assert client.get(path).mimetype == "text/javascript"
    assert list((ROOT / "static").rglob("*.mjs")) == []


def test_streams_are_not_compressed(client: FlaskClient, camera: FakeCamera) -> None:
    """Each of their parts has to leave at once."""
    camera.publish()
    for path in ("/video_feed", "/api/events", "/api/live"):
        with client.get(path, headers={"Accept-Encoding": "gzip"}) as stream:
            assert "Content-Encoding" not in stream.headers


def test_the_page_of_the_api_is_a_quarter_of_what_it_was(client: FlaskClient) -> None:
    """Its scripts and style sheets have 1.9 MB, and less than 0.6 MB on their way."""
    paths = re.findall(r'(?:src|href)="(/static/[^"]+)"', client.get("/api/docs").text)
    sizes = [len(client.get(path, headers={"Accept-Encoding": "br, gzip"}).data) for path in paths]
    assert sum(sizes) < 600_000


def test_pages_name_all_modules_that_are_imported() -> None:
    """So that browsers ask for them at once, and not one after the other."""
    entry = ROOT / "static" / "js" / "live" / "live.js"
    names = {path.name for path in modules(entry)}
    assert {"drawing.js", "labels.js", "uPlot.esm.js"} <= names
    assert all(path.is_file() for path in modules(entry))
