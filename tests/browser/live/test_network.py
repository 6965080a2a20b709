"""What pages say and do where the network is slow, the server is gone, or a page is visited again."""

import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app import create_app
from camera import VideoCamera
from config import DEMO_CLIP, ROOT, ServerSettings, Settings, UploadSettings
from tests.browser.conftest import Mood
from tests.browser.live.slow_network import slow_network
from web.serving.server import Server

NewPage = Callable[..., Page]
EXAMPLE = ROOT / "static" / "images" / "example.jpg"


class Restartable:
    """The application on one port, which can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._settings = Settings(source=str(DEMO_CLIP), uploads=UploadSettings(folder=folder))
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = probe.getsockname()[1]
        self.start()

    def start(self) -> None:
        """Serve."""
        self._camera = VideoCamera(self._settings, Mood)
        app = create_app(self._settings, self._camera)
        self._server = Server(app, ServerSettings(port=self._port, max_viewers=8))
        self._server.listen()
        self._thread = threading.Thread(target=self._server.serve, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._port}/"

    def kill(self) -> None:
        """Serve no more."""
        self._camera.close()
        self._server.stop()
        self._thread.join(10)


@pytest.fixture
def app(tmp_path: Path) -> Any:
    """Serve an application that a test may kill."""
    app = Restartable(tmp_path / "uploads")
    yield app
    app.kill()


def test_the_live_page_says_at_once_that_the_server_is_gone(new_page: NewPage, app: Any, shoot: Any) -> None:
    """No "Live", no rate, no faces, and nothing that could be saved; within seconds of its return, all is back."""
    page = new_page()
    page.goto(app.address)
    expect(page.locator(".face-card").first).to_be_visible()
    app.kill()
    expect(page.locator("#stage-message")).to_contain_text("Can’t reach the app")
    expect(page.locator("#state")).to_have_text("No connection")
    expect(page.locator("#fps")).to_have_text("–")
    expect(page.locator("#latency")).to_have_text("–")
    expect(page.locator("#face-count")).to_have_text("")
    expect(page.locator(".face-card")).to_have_count(0)
    for name in ("Snapshot", "Record", "Change video"):
        expect(page.get_by_role("button", name=name)).to_be_disabled()
    shoot(page, "live-lost")
    app.start()
    expect(page.locator("#state")).to_have_text("Live", timeout=10_000)
    expect(page.locator("#stage-message")).to_be_hidden()
    expect(page.locator(".face-card").first).to_be_visible()


def test_the_pictures_page_says_so_everywhere_and_goes_on(new_page: NewPage, app: Any, shoot: Any) -> None:
    """A banner, the picture and its icons; with the server's return the picture is analysed by itself."""
    page = new_page()
    page.goto(f"{app.address}pictures")
    app.kill()
    page.set_input_files("#file", EXAMPLE)
    card = page.locator(".picture")
    expect(card.locator(".picture-summary")).to_contain_text("Can’t reach the app")
    expect(page.locator("#connection")).to_contain_text("Can’t reach the app")
    icon = card.locator(".picture-remove use")
    assert icon.evaluate("use => document.querySelector(use.getAttribute('href')) !== null")
    shoot(page, "pictures-lost")
    app.start()
    expect(card).to_have_attribute("data-state", "done")
    expect(page.locator("#connection")).to_be_hidden()


def test_an_upload_that_failed_can_be_tried_again(new_page: NewPage, app: Any) -> None:
    """The video's card says why, and has a button."""
    page = new_page()
    page.goto(f"{app.address}pictures")
    page.route("**/api/jobs?*", lambda route: route.abort())
    page.set_input_files("#file", DEMO_CLIP)
    card = page.locator(".video-card")
    expect(card.locator(".video-state")).to_contain_text("Can’t reach the app")
    page.unroute_all()
    card.get_by_role("button", name="Try again").click()
    expect(card).to_have_attribute("data-state", re.compile("queued|running|done"))


@pytest.mark.slow
def test_on_a_slow_network_pictures_stay_fresh(new_page: NewPage, live_app: str) -> None:
    """At 1 Mbit/s and 300 ms, the picture on the screen is at most 700 ms old, and the page says how old it is."""
    with slow_network(live_app, kbit=1000, round_trip=0.3) as address:
        page = new_page()
        page.goto(address)
        expect(page.locator("#video")).to_have_attribute("data-frames", re.compile(r"\d\d"))
        ages = []
        for _ in range(20):
            page.wait_for_timeout(500)
            words = page.locator("#latency").text_content() or ""
            number, unit = words.split()
            ages.append(float(number) * (1000 if unit == "s" else 1))
        rate = float((page.locator("#fps").text_content() or "").split()[0])
        assert sorted(ages)[len(ages) // 2] <= 700
        assert min(ages) > 100
        assert rate > 1


def test_a_warm_page_needs_few_requests(new_page: NewPage, live_app: str) -> None:
    """What does not change is kept by the browser; what comes is compressed."""
    page = new_page()
    page.goto(live_app)
    expect(page.locator(".face-card").first).to_be_visible()
    page.reload()
    expect(page.locator(".face-card").first).to_be_visible()
    from_network = page.evaluate(
        "performance.getEntriesByType('resource').filter(({ transferSize }) => transferSize > 0).length"
    )
    assert 1 + from_network <= 5
    assert page.evaluate("performance.getEntriesByType('navigation')[0].transferSize") < 12_000


def test_the_first_picture_is_there_within_a_second_and_nothing_jumps(new_page: NewPage, live_app: str) -> None:
    """On loopback, from the second visit on; with a layout shift below 0.05."""
    page = new_page()
    page.add_init_script(
        """
        window.shift = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
        }).observe({ type: "layout-shift", buffered: true });
        document.addEventListener("DOMContentLoaded", () => {
          new MutationObserver(() => (window.firstPicture ??= performance.now()))
            .observe(document.getElementById("video"), { attributeFilter: ["data-frames"] });
        });
        """
    )
    page.goto(live_app)
    expect(page.locator(".face-card").first).to_be_visible()
    page.reload()
    expect(page.locator(".face-card").first).to_be_visible()
    assert page.evaluate("window.firstPicture") < 1000
    assert page.evaluate("window.shift") < 0.05
