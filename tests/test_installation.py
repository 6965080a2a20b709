"""From nothing to a face in one command, with the running part alone."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import cv2
import pytest
import requests

from config import DEMO_CLIP, ROOT
from tests.conftest import missing
from tests.helpers.footage import make_video

FOLDER = "Mes visages, größer 表情"
"""Spaces and letters that are not ASCII, as people's folders have them."""
MAX_MEGABYTES = 900


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of what is in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        missing("no git checkout")
    copy = tmp_path / FOLDER
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    return copy


@pytest.fixture
def index(tmp_path: Path) -> None:
    """Skip the test where no packages can be had."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir", "--retries", "0"]
    if subprocess.run(
        [*command, "--dest", tmp_path, "blinker"], capture_output=True, timeout=60, check=False
    ).returncode:
        missing("no package index can be reached")


def served(process: subprocess.Popen[str]) -> str:
    """Return the address that `make run` prints."""
    assert process.stdout
    for line in process.stdout:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return found[0]
    pytest.fail("make run ended without an address")


def faces(session: requests.Session, address: str, picture: Path) -> list[str]:
    """Return the expressions of the faces in a picture, as soon as the network is loaded."""
    deadline = time.monotonic() + 60
    while True:
        with picture.open("rb") as file:
            answer = session.post(f"{address}/api/predict", files={"image": file}, timeout=30)
        if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
            return [face["expression"] for face in answer.json()["faces"]]
        time.sleep(0.2)


def results(session: requests.Session, address: str, video: Path) -> set[str]:
    """Return the names of what comes of a video that is sent."""
    with video.open("rb") as file:
        job = session.post(f"{address}/api/jobs", files={"file": file}, timeout=30).json()["job"]
    deadline = time.monotonic() + 60
    while job["state"] not in {"done", "failed"} and time.monotonic() < deadline:
        time.sleep(0.2)
        job = session.get(f"{address}/api/jobs/{job['id']}", timeout=30).json()["job"]
    assert job["state"] == "done", job["error"]
    return set(job["files"])


@pytest.fixture
def running(checkout: Path, index: None) -> Iterator[str]:
    """Say `make run` in the copy; give the address that it prints."""
    environment = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
    command = ["make", "run", "PORT=0", "SOURCE=demo"]
    process = subprocess.Popen(
        command, cwd=checkout, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield served(process)
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(10)


def clip(folder: Path) -> Path:
    """Write the demo clip's first five frames."""
    video = cv2.VideoCapture(str(DEMO_CLIP))
    return make_video(folder / "clip.mp4", (video.read()[1] for _ in range(5)))


@pytest.mark.installation
@pytest.mark.timeout(600)
def test_make_run_serves_a_face_with_the_running_part_alone(running: str, checkout: Path, tmp_path: Path):
    """It takes at most 900 MB, without TensorFlow; and videos become tables, spreadsheet and plot with it."""
    session = requests.Session()
    assert faces(session, running, ROOT / "static" / "images" / "example.jpg") == ["Happy", "Neutral"]
    made = results(session, running, clip(tmp_path))
    assert {"annotated.mp4", "frames.csv", "frames.xlsx", "timeline.png", "intervals.vtt", "intervals.eaf"} <= made

    python = checkout / ".venv" / "bin" / "python"
    listed = subprocess.run([python, "-m", "pip", "list"], capture_output=True, text=True, check=True).stdout
    assert "keras" in listed
    assert not re.search("tensorflow|pyarrow|scipy", listed)
    files = (path.lstat() for path in (checkout / ".venv").rglob("*"))
    assert sum(file.st_blocks for file in files) * 512 / 2**20 <= MAX_MEGABYTES
