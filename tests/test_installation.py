"""From nothing to a face in one command, with the running part alone."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from config import DEMO_CLIP, ROOT
from tests.conftest import missing
from tests.footage import make_video

FOLDER = "Mes visages, größer 表情"
"""Spaces and letters that are not ASCII, as people's folders have them."""
MOST_MEGABYTES = 900


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


def faces(address: str, picture: Path) -> list[dict[str, object]]:
    """Return the faces in a picture, as soon as the network is loaded."""
    body = (
        b"--x\r\nContent-Disposition: form-data; name=image; filename=a.jpg\r\n\r\n%s\r\n--x--\r\n"
        % picture.read_bytes()
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    request = urllib.request.Request(f"{address}/api/predict", body, headers)
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(request) as answer:
                return list(json.load(answer)["faces"])
        except urllib.error.HTTPError as error:
            if error.code != 503 or time.monotonic() > deadline:
                raise
        time.sleep(0.2)


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
    found = faces(running, ROOT / "static" / "images" / "example.jpg")
    assert [face["expression"] for face in found] == ["Happy", "Neutral"]
    with urllib.request.urlopen(f"{running}/api/status") as answer:
        assert json.load(answer)["model"] == "ready"

    python = checkout / ".venv" / "bin" / "python"
    listed = subprocess.run([python, "-m", "pip", "list"], capture_output=True, text=True, check=True).stdout
    assert "keras" in listed
    assert "tensorflow" not in listed
    files = (path.lstat() for path in (checkout / ".venv").rglob("*"))
    assert sum(file.st_blocks for file in files) * 512 / 2**20 <= MOST_MEGABYTES

    out = tmp_path / "results"
    subprocess.run([python, checkout / "analyze.py", clip(tmp_path), "--out", out], check=True, capture_output=True)
    assert {"annotated.mp4", "frames.csv", "frames.xlsx", "timeline.png"} <= {path.name for path in out.rglob("*")}
