"""A read-only folder with an unusual name, and another user who has no home: a service, or a shared computer."""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config import DEMO_CLIP, ROOT
from tests.conftest import missing

FOLDER = "Mes visages, größer 表情"
EXAMPLE = "static/images/example.jpg"
AS_STRANGER = """
set -e
mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir "/mnt/$FOLDER" /mnt/python
mount --bind "$CHECKOUT" "/mnt/$FOLDER"
mount -o remount,bind,ro "/mnt/$FOLDER"
mount --bind "$PREFIX" /mnt/python
case "$PREFIX" in /root/*)  # where only root may look
    mount -t tmpfs -o mode=755 tmpfs /root; mkdir -p "$PREFIX"; mount --bind /mnt/python "$PREFIX";;
esac
for full in $READ_ONLY; do mount -t tmpfs -o ro tmpfs "$full"; done
cd "/mnt/$FOLDER"
exec setpriv --reuid 12345 --regid 12345 --clear-groups env -i PATH=/usr/bin:/bin "$@"
"""
"""In a mount namespace of its own, of which nothing is left."""


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    if os.geteuid() != 0:
        missing("another user can be taken on by root only")
    if not (shutil.which("unshare") and shutil.which("setpriv")):
        missing("no unshare or setpriv, which are in util-linux")


def as_stranger(*command: str, read_only: str = "") -> subprocess.Popen[str]:
    """Start a Python program there; `read_only` are more folders that cannot be written to."""
    environment = {
        "PATH": os.environ["PATH"],
        "FOLDER": FOLDER,
        "CHECKOUT": str(ROOT),
        "PREFIX": sys.base_prefix,
        "READ_ONLY": read_only,
    }
    python = (
        [str(Path(sys.executable).relative_to(ROOT))] if Path(sys.executable).is_relative_to(ROOT) else [sys.executable]
    )
    return subprocess.Popen(
        ["unshare", "--mount", "bash", "-c", AS_STRANGER, "bash", *python, *command],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def told(*command: str, read_only: str = "") -> str:
    """Return what a program that ends prints."""
    return as_stranger(*command, read_only=read_only).communicate(timeout=60)[0]


@contextmanager
def served() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve the demo clip there; give the address, and the process, whose output is its log."""
    process = as_stranger("app.py", "--port", "0", "--source", "demo")
    try:
        assert process.stdout
        address = next(filter(None, (re.search(r"http://[\d.:]+", line) for line in process.stdout)))[0]
        yield address, process
    finally:
        process.terminate()
        process.wait(10)


def send(address: str, field: str, file: Path) -> tuple[int, str]:
    """Send a file in a form; return the answer's status and text."""
    body = b'--x\r\nContent-Disposition: form-data; name="%s"; filename="a"\r\n\r\n%s\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    request = urllib.request.Request(address, body % (field.encode(), file.read_bytes()), headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_live_video_and_pictures_work_and_videos_name_the_setting() -> None:
    """Videos are kept on the disk, and nothing else: the visitor is told that it fails, and the log how to mend it."""
    with served() as (address, process):
        with urllib.request.urlopen(f"{address}/video_feed", timeout=30) as stream:
            assert b"\xff\xd8" in stream.read(20_000)
        while (answer := send(f"{address}/api/predict", "image", ROOT / EXAMPLE))[0] == 503:
            pass  # the network is loading
        assert [face["expression"] for face in json.loads(answer[1])["faces"]] == ["Happy", "Neutral"]
        status, text = send(f"{address}/api/jobs", "file", DEMO_CLIP)
        assert status == 507
        assert "not writable" in text
        process.terminate()
        log = process.communicate(timeout=10)[0]
    assert "Set uploads.folder to one that can be written to." in log
    assert "Traceback" not in log


def test_results_need_another_folder() -> None:
    """The command line says so where results would go into the read-only folder."""
    output = told("analyze.py", EXAMPLE)
    assert re.search(r"Read-only file system.*Choose another folder with --out\.", output)
    assert "Traceback" not in output


def test_https_names_the_settings_where_no_certificate_can_be_kept() -> None:
    """One made elsewhere serves as well."""
    output = told("app.py", "--port", "0", "--https")
    assert re.fullmatch(
        r"error: .*Read-only file system.*set server\.certificate and server\.private_key to it\.\n", output
    )


def test_a_network_that_cannot_be_converted_names_the_setting() -> None:
    """No folder for temporary files can be written to."""
    pair = '"models/fer2013/model.json", "models/fer2013/model_weights.h5"'  # beside which is no network.onnx
    code = f"from model import *\ntry: FacialExpressionModel({pair})\nexcept ModelError as error: print(error)"
    assert "Set TMPDIR to a folder" in told("-c", code, read_only="/tmp /var/tmp /dev/shm")  # noqa: S108
