"""Every page through a real nginx, set up as docs/deploy.md says: below a path, with TLS at the proxy."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from app import create_app
from camera import VideoCamera
from config import DEMO_CLIP, ROOT, ServerSettings, Settings
from tests.browser.conftest import Mood, demo_footage, serving
from tests.conftest import missing
from web.services import EXTENSION
from web.serving.certificates import tls_context

TOKEN = "a-long-and-secret-token"
NGINX = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    include /etc/nginx/mime.types;
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {server}
}}
"""


@pytest.fixture(scope="module")
def camera_footage() -> bytes:
    """Let the browser's camera show the demo clip."""
    return demo_footage()


@pytest.fixture
def nginx() -> str:
    """Return the path of nginx, which is not on every user's PATH."""
    return shutil.which("nginx", path="/usr/sbin:/usr/local/bin:/opt/homebrew/bin") or missing("no nginx installed")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return nginx's folder, with a certificate."""
    tls_context(ServerSettings(https=True), ["localhost"], tmp_path)
    return tmp_path


@pytest.fixture
def site(nginx: str, folder: Path) -> Iterator[str]:
    """Serve the application through nginx; give the address of its live page."""
    settings = Settings.model_validate(
        {
            "source": str(DEMO_CLIP),
            "server": {"prefix": "/faces", "proxies": 1, "token": TOKEN},
            "uploads": {"folder": str(folder / "uploads")},
        }
    )
    mood = Mood("Sad")
    camera = VideoCamera(settings, lambda: mood)
    app = create_app(settings, camera)
    with serving(app) as address:
        port = free_port()
        server = documented_server(port, urlsplit(address).netloc, folder)
        config = folder / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        config.write_text(NGINX.format(folder=folder, server=server, user=user))
        process = subprocess.Popen([nginx, "-p", str(folder), "-c", str(config)])
        try:
            wait_for(port, process)
            yield f"https://localhost:{port}/faces/"
        finally:
            process.terminate()
            process.wait(10)
            camera.close()
            app.extensions[EXTENSION].jobs.close()


def documented_server(port: int, upstream: str, folder: Path) -> str:
    """Return what docs/deploy.md tells to write, with this test's ports and files."""
    (block,) = re.findall(r"```nginx\n(.*?)```", (ROOT / "docs" / "deploy.md").read_text("utf-8"), re.DOTALL)
    for documented, ours in (
        ("listen 443", f"listen 127.0.0.1:{port}"),
        ("127.0.0.1:5000", upstream),
        ("/etc/ssl/faces", str(folder)),
        ("faces.example.org", "localhost"),
    ):
        assert documented in block
        block = block.replace(documented, ours)
    return block


def free_port() -> int:
    """Return a port that nobody listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        return int(probe.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return once nginx listens."""
    deadline = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if not probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.01)
    pytest.fail("nginx did not start")


def test_every_page_works_through_nginx(site: str, new_page: Callable[..., Page], folder: Path) -> None:
    """The token's link, the live video, the visitor's camera, pictures, videos, and all other pages."""
    page = new_page(ignore_https_errors=True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto(f"{site}?token={TOKEN}")
    assert page.url == site
    (cookie,) = page.context.cookies()
    assert (cookie["path"], cookie["secure"], cookie["httpOnly"]) == ("/faces", True, True)

    expect(page.locator("#state")).to_have_text("Live")
    expect(page.locator(".face-card .expression").first).to_have_text("Sad")
    expect(page.locator("#latency")).to_have_text(re.compile(r"\d+ ms"))

    page.get_by_label("My camera", exact=True).check()
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator(".face-card .expression").filter(has_text="Happy")).to_have_count(1)  # the browser's network
    page.get_by_label("On the server").check()
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator(".face-card .expression").first).to_have_text("Sad")

    page.get_by_role("link", name="Pictures & videos").click()
    page.set_input_files("#file", ROOT / "static" / "images" / "example.jpg")
    expect(page.locator(".picture .picture-summary")).to_have_text("2 faces: 2 Sad")
    sent = page.request.post(
        f"{site}api/jobs",
        multipart={"file": {"name": "a.mp4", "mimeType": "video/mp4", "buffer": DEMO_CLIP.read_bytes()}},
    )
    assert sent.status == 201
    assert page.request.delete(f"https://localhost:{urlsplit(site).port}{sent.headers['location']}").status == 204

    for name in ("Check", "About"):
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.goto(f"{site}api/docs")
    expect(page.get_by_role("link", name="/api/predict")).to_be_visible()
    assert [url for url in asked if not url.startswith((site, "blob:", "data:"))] == []
    assert not [path for path in folder.glob("*/**/*") if path.is_file() and "uploads" not in path.parts]
