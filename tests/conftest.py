"""What several tests share: the folder of samples, and the means to do without them."""

import importlib
import os
import shutil
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

import cv2
import pytest
from matplotlib import cbook

from entities import Box, Image

ROOT = Path(__file__).resolve().parent.parent


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
