"""What several tests share: the folder of samples, and the means to do without them."""

from __future__ import annotations

import importlib
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from unittest import mock

import cv2
import pytest
from matplotlib import cbook

from config import ServerSettings, Settings
from entities import Box, Image

if TYPE_CHECKING:  # imported in the fixtures, so that a mistake in the web fails no other tests
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.helpers.fake_camera import FakeCamera
    from web.serving.server import Server

ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault("LSLAPICFG", str(ROOT / "tests" / "data" / "lsl_api.cfg"))  # read with the first stream
SLOW = (
    *("browser", "test_analysis_video", "test_analyze", "test_api_in_python", "test_app", "test_benchmark"),
    *("test_calibration", "test_cluster", "test_container", "test_crowds"),
    *("test_damaged_inputs", "test_damaged_videos", "test_demo_clip", "test_detection", "test_documentation"),
    *("test_evaluate", "test_execution", "test_fer2013", "test_foreign_user", "test_https", "test_identities"),
    *("test_installation", "test_jobs", "test_live", "test_lsl", "test_make_site", "test_memory", "test_model"),
    *(
        "test_network_file",
        "test_notebook",
        "test_odd_cameras",
        "test_pairs",
        "test_parts",
        "test_people",
        "test_recipe",
    ),
    *("test_recompute_notebook", "test_record", "test_recordings", "test_rests", "test_study"),
    *("test_study_notebook", "test_tracking", "test_training", "test_turning", "test_web_jobs"),
)
"""Folders and modules that take over five seconds in all; `make quick` leaves them out."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of slow modules."""
    for item in items:
        if {item.path.stem, *item.path.relative_to(ROOT).parts} & set(SLOW):
            item.add_marker(pytest.mark.slow)


def missing(reason: str) -> NoReturn:
    """Skip the test, or fail it where everything has to be there (REQUIRE_ALL=1)."""
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(f"{reason}; REQUIRE_ALL=1 allows no skips")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of sample footage and data beside the repository."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        missing("no folder ../shared with samples")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of an installed Chromium."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return path or missing("no Chromium installed")


@pytest.fixture(scope="session")
def portrait() -> tuple[Image, Box]:
    """Return a photograph of Grace Hopper, BGR, that comes with Matplotlib, and roughly where her face is."""
    path = cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    image = cv2.imread(str(path))
    assert image is not None
    return image, Box(175, 130, 180, 190)


@pytest.fixture(scope="session")
def keras() -> Any:
    """Return Keras on TensorFlow, whichever test comes first; programs that tests start choose for themselves."""
    with mock.patch.dict(os.environ, KERAS_BACKEND="tensorflow"):
        return importlib.import_module("keras")


@pytest.fixture
def camera() -> Iterator[FakeCamera]:
    """Return a camera that shows what the test publishes, with a model that calls every face happy."""
    from tests.helpers.fake_camera import FakeCamera
    from tests.helpers.footage import FixedClassifier

    camera = FakeCamera(FixedClassifier("Happy"))
    yield camera
    camera.close()


@pytest.fixture
def app(camera: FakeCamera, tmp_path: Path) -> Flask:
    """Return the application with the fake camera, two viewers at most, and small limits on uploads."""
    from app import create_app

    uploads = {"max_megabytes": 1, "folder": tmp_path / "uploads"}
    settings = Settings.model_validate({"server": {"port": 0, "max_viewers": 2}, "uploads": uploads})
    return create_app(settings, camera.as_camera())


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return a client that calls the application directly."""
    return app.test_client()


@pytest.fixture
def server(app: Flask, camera: FakeCamera) -> Iterator[Server]:
    """Return the real HTTP server, listening on a free port of loopback, serving the application."""
    with serving(app, max_viewers=2) as server:
        yield server
        camera.close()


@contextmanager
def serving(app: Flask, max_viewers: int) -> Iterator[Server]:
    """Serve an application for so many viewers on a free port of loopback, in a thread."""
    from web.serving.server import Server

    server = Server(app, ServerSettings(port=0, max_viewers=max_viewers))
    server.listen()
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let cameras try again and send messages after little time, so that tests take little time."""
    monkeypatch.setattr("vision.capture.FIRST_RETRY", 0.01)
    monkeypatch.setattr("vision.capture.STALL", 60.0)  # a busy computer may need seconds for a frame
    monkeypatch.setattr("camera.MESSAGE_SECONDS", 0.01)
    monkeypatch.setattr("live.analyser.LOAD_AGAIN", 0.01)
    monkeypatch.setattr("live.analyser.ANALYSE_AGAIN", 0.0)
