"""The container: built from the Dockerfile as it is, and run as compose.yaml says, without a network and a daemon."""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config import ROOT
from tests.conftest import missing

pytestmark = [pytest.mark.container, pytest.mark.timeout(900)]
TOOLS = ("mmdebstrap", "buildah", "unshare", "chroot", "ip")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
MAX_BYTES = 1.2e9
RUN = """
set -e
ip link set lo up
mkdir -p "$ROOT/recordings"
mount --bind "$ROOT" "$ROOT"
mount -o remount,bind,ro "$ROOT"
mount -t tmpfs tmpfs "$ROOT/dev"
for name in null zero random urandom; do touch "$ROOT/dev/$name"; mount --bind "/dev/$name" "$ROOT/dev/$name"; done
touch "$ROOT/dev/video0"
mount --bind /dev/null "$ROOT/dev/video0"
mount -t proc proc "$ROOT/proc"
mount -t sysfs sysfs "$ROOT/sys"
mount -t tmpfs -o size=512m tmpfs "$ROOT/tmp"
mount -t tmpfs -o size=2g,mode=1777 tmpfs "$ROOT/app/var"
mount --bind "$FOLDER" "$ROOT/recordings"
inside() { chroot --userspec=10001:10001 --groups=44 "$ROOT" sh -c "cd /app; $1"; }
inside "exec $COMMAND" &
for attempt in $(seq 60); do inside "$HEALTH" 2>/dev/null && break; sleep 0.5; done
inside "$HEALTH"
inside "python -c '$CLIENT'"
inside "! touch /app/written"
"""
"""What a container engine does for compose.yaml: a read-only root, two file systems in memory, a folder, no root."""
CLIENT = """
import json, time, requests
headers = {"Authorization": "Bearer abcdefghijkl"}
for attempt in range(100):
    files = {"image": open("/recordings/face.jpg", "rb")}
    answer = requests.post("http://127.0.0.1:5000/api/predict", files=files, headers=headers)
    if answer.status_code != 503: break
    time.sleep(0.2)
assert answer.ok, answer.text
stream = requests.get("http://127.0.0.1:5000/video_feed", headers=headers, stream=True)
assert len(stream.raw.read(20_000)) == 20_000
status = requests.get("http://127.0.0.1:5000/api/status", headers=headers).json()
print("ANSWER", json.dumps([answer.json()["faces"][0]["expression"], status["detector"], status["source"]]))
"""


@pytest.fixture(scope="module")
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return a function that runs Buildah with a store of its own, which goes with the test."""
    if os.geteuid() != 0:
        missing("a container can be built by root only")
    if lacking := [tool for tool in TOOLS if not shutil.which(tool)]:
        missing(f"not installed: {', '.join(lacking)}")
    store = tmp_path_factory.mktemp("store")
    places = ["--root", str(store / "root"), "--runroot", str(store / "run")]

    def run(*arguments: object) -> str:
        command = ["buildah", *places, *map(str, arguments)]
        environment = {**os.environ, "BUILDAH_ISOLATION": "chroot"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout.strip()

    yield run
    run("rm", "--all")
    run("rmi", "--all", "--force")


@pytest.fixture(scope="module")
def debian(buildah: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Make the image that the Dockerfile begins with from Debian's packages; trust what this machine trusts."""
    (suite,) = re.findall(r"^FROM debian:(\w+)-slim$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    archive = tmp_path_factory.mktemp("debian") / "root.tar"
    made = subprocess.run(["mmdebstrap", "--variant=minbase", suite, archive], capture_output=True, check=False)
    if made.returncode:
        missing("no Debian packages can be had")
    container, name = buildah("from", "scratch"), f"localhost/debian:{suite}-slim"
    buildah("add", container, archive, "/")
    buildah("copy", container, CERTIFICATES, "/usr/local/share/ca-certificates/host.crt")
    buildah("config", "--env", f"PIP_CERT={CERTIFICATES}", container)
    buildah("commit", "--rm", container, name)
    return name


@pytest.fixture(scope="module")
def image(buildah: Any, debian: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Build the image from a copy of the checkout; return what is known about it."""
    context = tmp_path_factory.mktemp("context") / "checkout"
    shutil.copytree(ROOT, context, ignore=shutil.ignore_patterns(".git", ".venv", "var", "data", "checkpoints"))
    buildah("build", "--format", "docker", "--from", debian, "--tag", "facial-expressions", context)
    return dict(json.loads(buildah("inspect", "--type", "image", "facial-expressions")))


def test_the_image_is_small_and_shows_a_face_as_an_ordinary_user(buildah: Any, image: dict[str, Any], tmp_path: Path):
    """With a read-only root: health check, YuNet, a folder from outside, and the demo clip where there is no webcam."""
    assert sum(layer["size"] for layer in json.loads(image["Manifest"])["layers"]) <= MAX_BYTES
    config = image["Docker"]["config"]
    assert config["User"] == "app"
    root = buildah("mount", buildah("from", "facial-expressions"))
    assert ":10001:" in next(line for line in (Path(root) / "etc/passwd").read_text().splitlines() if "app:" in line)
    folder = tmp_path / "recordings"
    folder.mkdir()
    shutil.copy(ROOT / "tests" / "data" / "astronaut.png", folder / "face.jpg")
    os.chown(folder, 10001, 10001)
    environment = dict(entry.split("=", 1) for entry in config["Env"]) | {
        "FER_SERVER__TOKEN": "abcdefghijkl",
        "ROOT": root,
        "FOLDER": str(folder),
        "COMMAND": " ".join(config["Cmd"]),
        "HEALTH": health(config["Healthcheck"]["Test"]),
        "CLIENT": CLIENT,
    }
    command = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "bash", "-c", RUN]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'ANSWER ["Happy", "yunet", "Demo clip"]' in done.stdout


def health(command: list[str]) -> str:
    """Return a health check as a line for a shell."""
    return shlex.join(command[1:])
