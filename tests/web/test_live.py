"""The streams, over real sockets where sockets matter."""

import json
import re
import selectors
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from http.client import HTTPConnection, HTTPResponse
from itertools import islice
from statistics import median
from typing import Any

import cv2
import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

from config import ServerSettings
from entities import SourceState, SourceStatus
from tests.conftest import serving
from tests.helpers.fake_camera import FakeCamera, frame_result
from tests.helpers.stand_ins import PATIENCE, vain_waits
from web.live_pictures import Drawings
from web.services import EXTENSION, Services
from web.serving.server import Connection, Server

BIG_FRAME = 400_000


@pytest.fixture
def the(app: Flask) -> Services:
    """Return what is behind the application."""
    return app.extensions[EXTENSION]


def connect(server: Server, path: str = "/video_feed", receive_buffer: int = 0) -> socket.socket:
    """Send a GET request and return the socket, nothing read."""
    sock = socket.socket()
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(PATIENCE)
    sock.connect(server.bind_addr)
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return sock


@contextmanager
def stream(server: Server, path: str) -> Iterator[HTTPResponse]:
    """Open a stream."""
    host, port = server.bind_addr
    connection = HTTPConnection(host, port, timeout=PATIENCE)
    connection.request("GET", path)
    response = connection.getresponse()
    yield response
    response.close()
    connection.close()


def read_until(sock: socket.socket, wanted: bytes) -> bytes:
    """Read until some bytes have come."""
    data = bytearray()
    while wanted not in data[-1_000_000:]:
        chunk = sock.recv(1 << 20)
        assert chunk, "the stream ended"
        data += chunk
    return bytes(data)


def read_part(response: HTTPResponse) -> bytes:
    """Read one part of the MJPEG stream as a client does that believes its headers."""
    assert response.readline() == b"--frame\r\n"
    assert response.readline() == b"Content-Type: image/jpeg\r\n"
    length = re.fullmatch(rb"Content-Length: (\d+)\r\n", response.readline())
    assert length
    assert response.readline() == b"\r\n"
    jpeg = response.read(int(length[1]))
    assert response.readline() == b"\r\n"
    return jpeg


def events_of(lines: Iterator[bytes]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the kind and the data of server-sent events; comments as kind "comment"."""
    kind = "message"
    for line in lines:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            yield kind, json.loads(value)
            kind = "message"
        elif name == "" and value:
            yield "comment", {}


def test_video_is_mjpeg_that_can_be_parsed(server: Server, camera: FakeCamera):
    """Each part says its length, and is complete with the boundary behind it: a single picture is shown at once."""
    camera.publish()
    with stream(server, "/video_feed") as response:
        assert response.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=frame"
        assert response.headers["Cache-Control"] == "no-store"
        first = read_part(response)
        assert first.startswith(b"\xff\xd8")
        assert first.endswith(b"#000000")
        camera.publish()
        assert read_part(response).endswith(b"#000001")
        assert response.readline() == b"--frame\r\n"


def test_a_slow_viewer_skips_frames(server: Server, camera: FakeCamera):
    """Who does not read for a while goes on with the newest frame, not with a queue of old ones."""
    camera.frame_bytes = BIG_FRAME
    camera.publish()
    with connect(server, receive_buffer=65536) as sock:
        read_until(sock, b"#000000")
        for _ in range(100):
            camera.publish()
        missed = read_until(sock, b"#000100")
        seen = re.findall(rb"#(\d{6})", missed)
    assert len(seen) <= 4
    assert seen == sorted(seen)


def test_a_viewer_who_leaves_is_forgotten(server: Server, camera: FakeCamera, the: Services):
    """After a viewer hung up in mid-frame, nothing of them is left."""
    camera.frame_bytes = BIG_FRAME
    camera.publish()
    with connect(server) as sock:
        sock.recv(1000)
        assert the.videos.taken == 1
    until(lambda: the.videos.taken == 0, camera)
    until(lambda: camera.viewers == 0, camera)


def test_a_viewer_who_never_reads_is_dropped(server: Server, camera: FakeCamera, the: Services):
    """A connection that takes nothing ends with the server's timeout."""
    server.timeout = 1.0
    camera.frame_bytes = BIG_FRAME
    camera.publish()
    with connect(server, receive_buffer=4096):
        until(lambda: the.videos.taken == 1, camera)
        until(lambda: the.videos.taken == 0, camera)


def until(condition, camera: FakeCamera) -> None:
    """Publish frames until something is true."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        camera.publish()


@pytest.mark.parametrize("path", ["/video_feed", "/api/events"])
def test_too_many_viewers(client: FlaskClient, camera: FakeCamera, path: str):
    """One viewer more than allowed is told so; a place that is left is free again."""
    camera.publish()
    first, second = client.get(path), client.get(path)
    third = client.get(path)
    assert third.status_code == 503
    assert third.headers["Retry-After"]
    assert third.get_json()["error"]["code"] == "too_many_viewers"
    assert "2 viewers" in third.get_json()["error"]["message"]
    first.close()
    assert client.get(path).status_code == 200
    second.close()


def test_asking_for_headers_only_takes_no_place(client: FlaskClient, the: Services):
    """HEAD on the stream ends at once."""
    with client.head("/video_feed") as response:
        assert response.status_code == 200
    assert the.videos.taken == 0


@pytest.mark.parametrize("path", ["/video_feed", "/api/events"])
def test_who_asks_for_headers_and_hangs_up_takes_no_place(server: Server, the: Services, camera: FakeCamera, path: str):
    """A connection that is reset before the answer leaves nothing behind."""
    for _ in range(6):  # more than there are places
        with socket.create_connection(server.bind_addr, 10) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.sendall(f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    with stream(server, path) as response:
        assert response.status == 200
    until(lambda: the.videos.taken == the.events.taken == 0, camera)


def test_a_body_in_chunks_that_is_not_read_ends_the_connection(server: Server):
    """Else it would be taken for the next request."""
    with socket.create_connection(server.bind_addr, 10) as sock:
        sock.sendall(b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        sock.sendall(b"5\r\nhello\r\n0\r\n\r\n")
        answers = b"".join(iter(lambda: sock.recv(65536), b""))
    assert answers.startswith(b"HTTP/1.1 404")
    assert answers.count(b"HTTP/1.1") == 1


def test_events_tell_the_status_then_the_frames(server: Server, camera: FakeCamera):
    """A listener learns where the source stands before there is a frame, then hears of each frame."""
    with stream(server, "/api/events") as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        events = events_of(iter(response.readline, b""))
        kind, status = next(events)
        assert kind == "status"
        assert (status["state"], status["frame"]) == ("live", None)
        began = time.time()
        camera.publish()
        kind, status = next(events)
        assert (kind, status["frame"]) == ("status", {"width": 64, "height": 48})
        kind, frame = next(events)
        assert kind == "message"
        face = frame.pop("faces")[0]
        assert began - 5 < frame.pop("time") < time.time() + 5
        assert began - 5 < frame.pop("clock") < time.time() + 5
        assert frame == {
            "index": 0,
            "width": 64,
            "height": 48,
            "timings": {"detect": 3.0, "classify": 1.0, "total": 5.0},
            "fps": 25.0,
            "latency_ms": 12.0,
            "marker": "",
            "source": "Test card",
            "video": 1,
        }
        assert face["id"] == 7
        assert face["box"] == [8, 4, 32, 32]
        assert (face["expression"], face["uncertain"]) == ("Happy", False)
        assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-3)


def test_events_tell_changes_of_status(server: Server, camera: FakeCamera):
    """A new state is told with the next frame or message."""
    camera.publish()
    with stream(server, "/api/events") as response:
        events = events_of(iter(response.readline, b""))
        assert [kind for kind, _ in islice(events, 2)] == ["status", "message"]
        camera.status = SourceStatus(SourceState.RECONNECTING, "Door", "It went away.")
        camera.publish()
        kind, status = next(events)
        assert (kind, status["state"], status["reason"]) == ("status", "reconnecting", "It went away.")
        assert next(events)[0] == "message"


def test_events_have_a_heartbeat(server: Server, camera: FakeCamera, monkeypatch):
    """Where nothing is new, a comment keeps the connection known to be alive."""
    monkeypatch.setattr("web.routes.live.HEARTBEAT_SECONDS", 0.01)
    camera.publish()
    with stream(server, "/api/events") as response:
        events = events_of(iter(response.readline, b""))
        assert [kind for kind, _ in islice(events, 4)] == ["status", "message", "comment", "comment"]


def test_stopping_does_not_wait_for_viewers(app: Flask, camera: FakeCamera):
    """The server stops at once with viewers who read, who never read, and who never even asked."""
    with ExitStack() as clients, serving(app, max_viewers=2) as server:
        server.timeout = 3600.0  # who waited for a viewer, would wait until the test is stopped
        camera.frame_bytes = BIG_FRAME
        camera.publish()
        reader = clients.enter_context(connect(server))
        clients.enter_context(connect(server, receive_buffer=4096))
        clients.enter_context(socket.create_connection(server.bind_addr))
        read_until(reader, b"#000000")
        camera.close()
        server.shutdown_timeout = PATIENCE  # what a busy computer may need for its threads to end
        with vain_waits() as vain:
            server.stop()
        assert max(vain, default=0.0) <= 0.01  # cheroot looks that often whether its loop has ended


def test_who_comes_while_the_server_stops_is_hung_up_on(app: Flask):
    """A connection that was accepted just before does not keep a thread that the server waits for."""
    server = Server(app, ServerSettings(port=0))
    server.listen()
    server.stop()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connection = Connection(server, ours)
        theirs.settimeout(5)
        assert theirs.recv(1) == b""
        connection.close()


def test_a_body_that_is_too_large_is_refused_unread(server: Server):
    """A gigabyte is refused by its header, in JSON, without waiting for it."""
    with socket.create_connection(server.bind_addr, timeout=PATIENCE) as sock:
        sock.sendall(
            b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
            b"Content-Length: 1000000000\r\n\r\n" + bytes(200_000)
        )
        answer = b"".join(iter(lambda: sock.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 ")
    assert b"Connection: close" in head
    assert json.loads(body)["error"]["code"] == "image_too_large"


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20_000]
)
def test_garbage_gets_an_answer_and_the_server_goes_on(server: Server, client: FlaskClient, garbage: bytes):
    """What is no HTTP, or too much of it, is refused; the next request is served."""
    with socket.create_connection(server.bind_addr, timeout=PATIENCE) as sock:
        sock.sendall(garbage)
        sock.shutdown(socket.SHUT_WR)
        try:
            answer = sock.recv(65536)
        except ConnectionResetError:
            answer = b""
    assert not answer or b" 4" in answer.splitlines()[0]
    with stream(server, "/healthz") as response:
        assert response.status == 200


def pause(sock: socket.socket) -> None:
    """Let a moment pass, unless something comes."""
    before = sock.gettimeout()
    sock.settimeout(0.02)
    with suppress(TimeoutError):
        sock.recv(1, socket.MSG_PEEK)
    sock.settimeout(before)


def drip_until_answered(sock: socket.socket, piece: bytes = b"a") -> bytes:
    """Send a piece whenever nothing has come for the socket's timeout; return what comes."""
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        sock.sendall(piece)
        with suppress(TimeoutError):
            return sock.recv(65536)
    pytest.fail("nothing came")


@pytest.mark.parametrize("start", [b"", b"GET / HTTP/1.1\r\nX: "], ids=["first line", "header"])
def test_a_client_that_takes_for_ever_to_ask_is_dropped(server: Server, monkeypatch, start: bytes):
    """However steadily its bytes come."""
    monkeypatch.setattr("web.serving.timeouts.CHECK_SECONDS", 0.05)
    server.timeout = 0.5
    with socket.create_connection(server.bind_addr, 0.02) as sock:
        sock.sendall(start)
        assert drip_until_answered(sock).startswith(b"HTTP/1.1 408 ")
        assert sock.recv(1) == b""


def test_threads_that_end_at_once_are_not_waited_for(app: Flask):
    """More are started while some are being ended: the server goes on accepting."""
    with serving(app, max_viewers=50) as server, ExitStack() as stack:
        for _ in range(30):
            stack.enter_context(socket.create_connection(server.bind_addr))
        with stream(server, "/healthz"):
            pass  # all are being waited for now
        server.requests.shrink(1000)  # more than are idle
        server.requests.grow(16)
        with stream(server, "/healthz") as response:
            assert response.status == 200


def test_clients_that_never_ask_hold_up_nobody(app: Flask, monkeypatch):
    """Where they take all threads, they are dropped long before their time is over."""
    monkeypatch.setattr("web.serving.server.CROWDED_TIMEOUT", 0.2)
    monkeypatch.setattr("web.serving.timeouts.CHECK_SECONDS", 0.05)
    with serving(app, max_viewers=1) as server, ExitStack() as stack:
        server.timeout = 60
        for _ in range(server.requests.max + 10):
            stack.enter_context(socket.create_connection(server.bind_addr)).sendall(b"GET / HTTP/1.1\r\n")
        with stream(server, "/healthz") as response:
            assert response.status == 200


def test_a_body_may_take_longer_than_its_headers(server: Server):
    """Over a slow line, a picture arrives all the same."""
    server.timeout = 1
    with socket.create_connection(server.bind_addr, timeout=PATIENCE) as sock:
        sock.sendall(
            b"POST /api/live/frame?stream=abcdefghijklmnop HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60001\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
        read_until(sock, b"100 Continue\r\n\r\n")
        for _ in range(100):  # which takes longer than asking may
            sock.sendall(bytes(600))
            pause(sock)
        sock.sendall(b"a")
        assert b"unsupported_image" in read_until(sock, b"}")


def test_a_hundred_viewers(app: Flask, camera: FakeCamera, the: Services):
    """A hundred viewers get every frame, besides fifty connections that ask nothing, and pages answer meanwhile."""
    viewers = 100
    the.videos.limit = viewers
    camera.frame_bytes = 40_000
    with serving(app, max_viewers=viewers) as server, ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(socket.create_connection(server.bind_addr))
        selector = stack.enter_context(selectors.DefaultSelector())
        for _ in range(viewers):
            viewer = stack.enter_context(connect(server))
            selector.register(viewer, selectors.EVENT_READ, viewer)
        rounds = []
        for index in range(15):
            began = time.process_time()
            camera.publish()
            wait_for_all(selector, b"#%06d" % index, viewers)
            rounds.append(time.process_time() - began)
        with stream(server, "/api/status") as response:
            assert json.loads(response.read())["viewers"] == viewers
        camera.close()
    assert median(rounds) < 0.1  # of a processor, this client included; the clock runs on while others are busy


def wait_for_all(selector: selectors.DefaultSelector, mark: bytes, viewers: int) -> None:
    """Read from all sockets until each has the mark."""
    tails: dict[int, bytes] = {}
    done: set[int] = set()
    while len(done) < viewers:
        ready = selector.select(10)
        assert ready, f"{viewers - len(done)} viewers got no frame"
        for key, _ in ready:
            chunk = key.data.recv(1 << 17)
            assert chunk, "a stream ended"
            tails[key.fd] = (tails.get(key.fd, b"") + chunk)[-len(chunk) - 10 :]
            if mark in tails[key.fd]:
                done.add(key.fd)


def test_one_stream_has_pictures_with_their_faces(server: Server, camera: FakeCamera):
    """A status, then for each frame its faces and the picture that they are in."""
    with stream(server, "/api/live") as response:
        assert response.headers["Content-Type"].startswith("multipart/mixed")
        kind, content = part(response)
        assert (kind, json.loads(content)["status"]["state"]) == ("application/json", "live")
        for index in range(3):
            camera.publish()
            kind, content = part(response)
            while "status" in json.loads(content):
                kind, content = part(response)
            frame = json.loads(content)["frame"]
            assert (frame["index"], len(frame["faces"]), frame["blurred"]) == (index, 1, False)
            kind, picture = part(response)
            assert kind == "image/jpeg"
            decoded = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
            assert decoded is not None
            assert decoded.shape == (48, 64, 3)


@pytest.mark.parametrize(("rate", "width"), [(150, 320), (400, 400), (4000, 960)])
def test_pictures_fit_the_rate_that_is_asked_for(rate: int, width: int):
    """Slow networks get smaller pictures, and boxes still refer to the frame."""
    noise = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8)
    result = replace(frame_result(0), image=noise, width=1280, height=720)
    jpeg = Drawings(80).picture(result, blur=False, rate=rate)
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape[:2] == (width * 9 // 16, width)


def part(response: Any) -> tuple[str, bytes]:
    """Return type and content of a stream's next part."""
    assert response.readline() == b"--frame\r\n"
    headers = {}
    while line := response.readline().strip():
        if b":" in line:
            name, _, value = line.partition(b": ")
            headers[name.decode().lower()] = value.decode()
    content = response.read(int(headers["content-length"]))
    response.readline()
    return headers["content-type"], content
