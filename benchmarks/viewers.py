"""Watches the real server with many real HTTP clients on one thread."""

import json
import os
import re
import selectors
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import IO, Any, Final, cast

import numpy as np
import psutil
from tqdm import tqdm

from config import ROOT
from errors import ServerError

BOUNDARY: Final = b"--frame\r\n"
READY: Final = 60.0
"""Seconds that the server may take until the first face carries an expression."""
SLEEPERS: Final = 50
"""Clients that connect and never read."""
DROP_AFTER: Final = 15.0
"""Seconds after which the server should have dropped those."""
WAKING: Final = 3.0
"""Seconds in which they then read, to see who was."""
RECEIVE: Final = 256 * 1024


class Viewer:
    """A client of the MJPEG stream that counts pictures."""

    def __init__(self, port: int, *, small_buffer: bool = False, path: str = "/video_feed") -> None:
        """Connect and ask for the stream."""
        self.frames = 0
        self.open = True
        self._end = b""
        self.socket = socket.socket()
        if small_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(10)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        self.socket.setblocking(False)

    def read(self) -> None:
        """Take what has arrived."""
        try:
            data = self.socket.recv(RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.open = bool(data)
        self.frames += (self._end + data).count(BOUNDARY) - self._end.count(BOUNDARY)
        self._end = data[1 - len(BOUNDARY) :]


@dataclass(slots=True)
class Audience:
    """What a number of viewers saw over some seconds."""

    viewers: int
    fps_min: float
    fps_median: float
    """Frames a second and viewer."""
    pipeline_fps: float
    """Frames a second that the server made."""
    status_median_ms: float
    status_max_ms: float
    """How long /api/status took to answer meanwhile."""
    latency_p95_ms: float
    """From a frame's capture until its data reached a client of /api/events."""
    memory_mb: float
    threads: int
    cpu_percent: float
    """Of the server; 100 is one processor."""
    sleepers: int = 0
    sleepers_dropped: int | None = None


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long the server takes to begin and to end."""

    page_seconds: float
    """From the start of the process until the page was answered."""
    face_seconds: float
    """From the start of the process until a face in the stream carried an expression."""
    end_seconds: float
    """From SIGTERM, with a viewer watching, until the process was gone."""


def measure(source: Path, viewers: int, seconds: float) -> list[dict[str, Any]]:
    """Measure one viewer, many, and many with others who never read.

    Raises:
        ServerError: The server does not start, or recognises nothing.

    """
    with server(source) as (port, process):
        crowds = tqdm(((1, 0), (viewers, 0), (viewers, SLEEPERS)), desc="Viewers", leave=False)
        return [asdict(watch(port, process, count, sleepers, seconds=seconds)) for count, sleepers in crowds]


def measure_lifetime(source: Path) -> Lifetime:
    """Start the server, watch it until a face carries an expression, and end it.

    Raises:
        ServerError: The server does not start, or recognises nothing.

    """
    began = time.monotonic()
    with _started(source) as (port, process):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=READY) as answer:
            answer.read()
        page = time.monotonic()
        _wait_for_face(port)
        face = time.monotonic()
        viewer = Viewer(port)
        process.terminate()
        process.wait(READY)
        end = time.monotonic()
        viewer.socket.close()
    return Lifetime(page - began, face - began, end - face)


@contextmanager
def server(source: Path, cameras: int = 1) -> Iterator[tuple[int, psutil.Process]]:
    """Run app.py on a free port with pictures of 640x480 at most, until its first face has an expression.

    With several cameras, all show the source.
    """
    with _started(source, cameras) as (port, process):
        _wait_for_face(port)
        yield port, psutil.Process(process.pid)


@contextmanager
def _started(source: Path, cameras: int = 1) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """Run app.py until it says where it listens."""
    command = [sys.executable, "app.py", *(["--source", str(source)] * cameras), "--host", "127.0.0.1", "--port", "0"]
    command += ["--set", f"max_cameras={cameras}"]
    command += ["--set", "video.max_width=640", "--set", "video.max_height=480", "--set", "server.max_viewers=300"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FER_")}
    with subprocess.Popen(  # noqa: S603
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield _port(process), process
        finally:
            process.terminate()


def _port(process: "subprocess.Popen[str]") -> int:
    for line in cast("IO[str]", process.stdout):
        if address := re.search(r"http://127\.0\.0\.1:(\d+)", line):
            return int(address[1])
    raise ServerError("The server did not start. Try python app.py by itself to see why.")


def _wait_for_face(port: int) -> None:
    give_up = time.monotonic() + READY
    for event in _events(port):
        if event.get("faces") and event["timings"].get("classify"):
            return
        if time.monotonic() > give_up:
            break
    raise ServerError("The server shows no face with an expression. Choose another video.")


def _events(port: int) -> Iterator[dict[str, Any]]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/events", timeout=READY) as answer:
        for line in answer:
            if line.startswith(b"data: "):
                yield json.loads(line[6:])


@dataclass(slots=True)
class _Watcher:
    """Asks for the status four times a second, and notes when frames' data arrive, on threads of its own."""

    port: int
    answers: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    indices: list[int] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def ask(self) -> None:
        """Measure the status, in milliseconds."""
        while not self.stopped.wait(0.25):
            began = time.perf_counter()
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/status", timeout=30) as answer:
                answer.read()
            self.answers.append(1e3 * (time.perf_counter() - began))

    def listen(self) -> None:
        """Measure latencies, in milliseconds; both clocks are this computer's."""
        for event in _events(self.port):
            if "index" in event:
                self.latencies.append(1e3 * (time.time() - event["time"]))
                self.indices.append(event["index"])
            if self.stopped.is_set():
                return

    @contextmanager
    def running(self) -> Iterator[None]:
        """Measure meanwhile."""
        threads = [threading.Thread(target=target, daemon=True) for target in (self.ask, self.listen)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stopped.set()
            for thread in threads:
                thread.join(5)


def watch(
    port: int,
    process: psutil.Process,
    count: int,
    sleepers: int = 0,
    *,
    seconds: float,
    drop_after: float = DROP_AFTER,
) -> Audience:
    """Watch with `count` viewers for some seconds, while `sleepers` more ask for the stream and never read it."""
    idle = [Viewer(port, small_buffer=True) for _ in range(sleepers)]
    viewers = [Viewer(port) for _ in range(count)]
    with reading(viewers, idle) as selector:
        read_for(selector, 2.0)  # until everybody is served
        watcher = _Watcher(port)
        process.cpu_percent()
        with watcher.running():
            rates = frame_rates(viewers, selector, seconds)
        audience = _audience(rates, watcher, process, seconds)
        if not sleepers:
            return audience
        read_for(selector, max(0.0, drop_after - seconds))
        for viewer in idle:
            selector.register(viewer.socket, selectors.EVENT_READ, viewer)
        read_for(selector, WAKING)  # what was sent before comes first, then the end
        return replace(audience, sleepers=sleepers, sleepers_dropped=sum(not viewer.open for viewer in idle))


def _audience(rates: Sequence[float], watcher: _Watcher, process: psutil.Process, seconds: float) -> Audience:
    made = watcher.indices[-1] - watcher.indices[0] if watcher.indices else 0
    return Audience(
        viewers=len(rates),
        fps_min=min(rates),
        fps_median=median(rates),
        pipeline_fps=made / seconds,
        status_median_ms=median(watcher.answers),
        status_max_ms=max(watcher.answers),
        latency_p95_ms=float(np.percentile(watcher.latencies, 95)),
        memory_mb=process.memory_info().rss / 1e6,
        threads=process.num_threads(),
        cpu_percent=process.cpu_percent(),
    )


@contextmanager
def reading(viewers: Sequence[Viewer], others: Sequence[Viewer] = ()) -> Iterator[selectors.BaseSelector]:
    """Give what `read_for` lets the viewers read by; they and the others are closed afterwards."""
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        for viewer in (*viewers, *others):
            stack.callback(viewer.socket.close)
        for viewer in viewers:
            selector.register(viewer.socket, selectors.EVENT_READ, viewer)
        yield selector


def frame_rates(viewers: Sequence[Viewer], selector: selectors.BaseSelector, seconds: float) -> list[float]:
    """Let the viewers read for some seconds; return how many frames a second each of them got."""
    before = [viewer.frames for viewer in viewers]
    read_for(selector, seconds)
    return [(viewer.frames - start) / seconds for viewer, start in zip(viewers, before, strict=True)]


def read_for(selector: selectors.BaseSelector, seconds: float) -> None:
    """Let the viewers read for some seconds; who was hung up on is taken out."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        for key, _ in selector.select(left):
            key.data.read()
            if not key.data.open:
                selector.unregister(key.fileobj)
