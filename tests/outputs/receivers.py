"""Programs on loopback that receive what outputs send, and outputs that a test holds in its hands."""

import getpass
import re
import runpy
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from queue import Queue

from entities import Box, Face, FrameResult, SourceState
from errors import OutputError
from outputs.output import Session
from tests.conftest import ROOT, missing
from tests.helpers.fake_camera import FakeCamera, probabilities

PATIENCE = 60.0
"""Seconds that a test waits for what has to come; longer than any busy computer takes."""


def face(number: int, expression: str = "Happy", *, x: int = 8, size: int = 32) -> Face:
    """Return a face of a picture of 64x48."""
    return Face(Box(x, 4, size, size), probabilities(expression), track_id=number, roll=5.0, yaw=-10.0)


def frame(*faces: Face, captured_at: float | None = None) -> FrameResult:
    """Return a frame with these faces, captured now."""
    moment = time.monotonic() if captured_at is None else captured_at
    return FrameResult(0, moment, None, 64, 48, faces)


def until(condition: Callable[[], bool], camera: FakeCamera | None = None, result: FrameResult | None = None) -> None:
    """Wait for what other threads do, with frames from the camera meanwhile, if it is given."""
    pause, deadline = threading.Event(), time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        if camera:
            camera.publish(result and replace(result, captured_at=time.monotonic()))
        pause.wait(0.005)


class HeldSession:
    """A receiver that takes frames when the test lets it, and is lost when the test says so."""

    def __init__(self) -> None:
        self.frames: list[FrameResult] = []
        self.told: list[SourceState] = []
        self.entered, self.allowed = threading.Event(), threading.Event()
        self.allowed.set()
        self.lost = ""
        self.closed = 0

    def send(self, result: FrameResult) -> None:
        """Take a frame."""
        self.entered.set()
        assert self.allowed.wait(PATIENCE)
        self.frames.append(result)

    def tell(self, state: SourceState) -> None:
        """Take the camera's state."""
        self.told.append(state)

    def check(self) -> str:
        """Say that it is lost, if it is."""
        if self.lost:
            raise OutputError(self.lost)
        return ""

    def close(self) -> None:
        """Count."""
        self.closed += 1


@contextmanager
def sending(opened: Callable[[], Session]) -> Iterator[None]:
    """Send a happy face again and again meanwhile, as soon as somebody listens."""
    over = threading.Event()

    def run() -> None:
        session: Session | None = None
        while not over.wait(0.005):
            try:
                session = session or opened()
                session.send(frame(face(1)))
            except OutputError:
                session = None

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def run_example(number: int, folder: Path, changes: Mapping[str, str]) -> None:
    """Run a piece of Python code in docs/outputs.md as it stands there, but for what is changed."""
    text = (ROOT / "docs" / "outputs.md").read_text("utf-8")
    code = re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)[number]
    for old, new in changes.items():
        assert old in code
        code = code.replace(old, new)
    script = folder / "example.py"
    script.write_text(code, encoding="utf-8")
    runpy.run_path(str(script))


def free_port() -> int:
    """Return a port of loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def mosquitto(folder: Path, port: int, settings: str = "allow_anonymous true") -> Iterator[subprocess.Popen[str]]:
    """Run Debian's broker on loopback; kill it at the end if it still runs."""
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        missing("no mosquitto installed")
    config = folder / "mosquitto.conf"
    config.write_text(f"user {getpass.getuser()}\nlistener {port} 127.0.0.1\n{settings}\npersistence false\n")
    process = subprocess.Popen([program, "-v", "-c", config], stderr=subprocess.PIPE, text=True)
    try:
        lines: Queue[str] = Queue()
        threading.Thread(target=_read, args=(process, lines), daemon=True).start()
        while "running" not in (line := lines.get(timeout=PATIENCE)):
            assert line, "mosquitto has ended"
        yield process
    finally:
        process.kill()
        process.wait()


def _read(process: subprocess.Popen[str], lines: "Queue[str]") -> None:
    """Take what a process says, to its end, which is an empty line."""
    assert process.stderr
    for line in process.stderr:
        lines.put(line)
    lines.put("")
