"""Many clients of the real server who mean no good, and what others notice of them."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection

import pytest
from flask import Flask

from app import create_app
from config import ServerSettings, Settings
from tests.conftest import serving
from tests.helpers.fake_camera import FakeCamera
from tests.helpers.stand_ins import PATIENCE
from tests.web.test_live import drip_until_answered, pause, read_until
from web.serving import server as server_module
from web.serving.server import Server

NEVER = 3600.0
"""Seconds; longer than any test may take."""
FEW_BODIES = 5
"""That many are waited for at once, of whatever kind: of videos, a network may send no more than the queue has room."""
FORM = (
    b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    b"Content-Length: 900000\r\n\r\n"
    b'--x\r\nContent-Disposition: form-data; name="%s"; filename="a"\r\n\r\n'
)
PICTURE = FORM % (b"/api/predict", b"image")
FRAME = b"POST /api/live/frame?stream=%016d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\n"
CHUNKED = b"POST /api/live/frame?stream=%016d HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


@contextmanager
def crowd(server: Server, size: int, request: Callable[[int], bytes]) -> Iterator[list[socket.socket]]:
    """Connect so many clients, each with the beginning of a request."""
    with ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(server.bind_addr, 20)) for _ in range(size)]
        for number, client in enumerate(clients):
            client.sendall(request(number))
        yield clients


def assert_answers(server: Server, path: str) -> None:
    """Ask for something, as somebody who means well."""
    host, port = server.bind_addr
    connection = HTTPConnection(host, port, timeout=PATIENCE)
    connection.request("GET", path)
    assert connection.getresponse().read()
    connection.close()


@pytest.mark.parametrize(
    ("viewers", "clients", "crowded_timeout"),
    [(150, 345, NEVER), (10, 60, NEVER), (10, 345, server_module.CROWDED_TIMEOUT)],
    ids=["many viewers", "few viewers", "four times as many as threads"],
)
@pytest.mark.parametrize(
    "request_of",
    [lambda _: PICTURE, lambda _: FORM % (b"/api/jobs", b"file"), lambda n: FRAME % n, lambda n: CHUNKED % n],
    ids=["pictures", "videos", "frames", "chunks"],
)
def test_slow_bodies_hold_up_nobody(
    app: Flask,
    camera: FakeCamera,
    monkeypatch: pytest.MonkeyPatch,
    *,
    viewers: int,
    clients: int,
    crowded_timeout: float,
    request_of: Callable[[int], bytes],
):
    """Pages and the status answer while hundreds of bodies come byte by byte, before anybody's time is over."""
    monkeypatch.setattr(server_module, "CROWDED_TIMEOUT", crowded_timeout)
    camera.publish()
    with patient_server(app, viewers) as server, crowd(server, clients, request_of) as slow:
        if crowded_timeout == NEVER:
            until(lambda: server.bodies.taken >= FEW_BODIES)
        for _ in range(3):
            for client in slow:
                with_luck(client, b"0")
            for path in ("/", "/api/status", "/static/css/base.css"):
                assert_answers(server, path)
        assert crowded_timeout < NEVER or server.bodies.taken >= FEW_BODIES


@contextmanager
def patient_server(app: Flask, viewers: int) -> Iterator[Server]:
    """Serve an application, and wait for clients without end: what is answered has waited for none of them."""
    with serving(app, viewers) as server:
        server.timeout = NEVER
        yield server


def with_luck(client: socket.socket, data: bytes) -> None:
    """Send something to a server that may have hung up."""
    with suppress(OSError):
        client.sendall(data)


def test_slow_bodies_leave_room_for_quick_ones(app: Flask, camera: FakeCamera):
    """Whoever sends at a usual pace gets their turn soon, although every place was taken by somebody slow."""
    with serving(app, 2) as server, crowd(server, server.bodies.limit, lambda _: PICTURE):
        until(lambda: server.bodies.full("127.0.0.1"))
        until(lambda: b"unsupported_image" in answer_in_two_parts(server))


def answer_in_two_parts(server: Server) -> bytes:
    """Send a frame whose last byte comes later than the rest, and return the answer."""
    with socket.create_connection(server.bind_addr, 10) as sock:
        sock.sendall(FRAME.replace(b"90000", b"2") % 1 + b"a")
        pause(sock)
        with_luck(sock, b"a")
        return read_until(sock, b"}")


@pytest.mark.parametrize("steadily", [True, False])
def test_a_body_has_a_least_rate(server: Server, monkeypatch: pytest.MonkeyPatch, *, steadily: bool):
    """One that comes byte by byte, or not at all, is given up, with an answer that says so."""
    monkeypatch.setattr("web.serving.timeouts.CHECK_SECONDS", 0.05)
    server.timeout = 0.5
    with socket.create_connection(server.bind_addr, 0.02) as sock:
        sock.sendall(PICTURE)
        answer = drip_until_answered(sock, b"0" if steadily else b"")
        sock.settimeout(10)
        answer += b"" if b"}" in answer else read_until(sock, b"}")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"too_slow" in answer


def test_a_network_may_take_half_of_the_places(app: Flask, monkeypatch: pytest.MonkeyPatch):
    """The other half is for others."""
    monkeypatch.setattr(server_module, "CROWDED_TIMEOUT", 60.0)
    with serving(app, 2) as server, crowd(server, server.bodies.limit, lambda _: PICTURE):
        until(lambda: server.bodies.full("127.0.0.1"))
        assert not server.bodies.full("192.0.2.1")


def test_behind_a_proxy_the_visitor_s_network_may_take_half_of_the_places(
    camera: FakeCamera, monkeypatch: pytest.MonkeyPatch
):
    """Not the proxy, from whose address everybody comes."""
    monkeypatch.setattr(server_module, "CROWDED_TIMEOUT", 60.0)
    token = "a-long-and-secret-token"
    app = create_app(Settings(server=ServerSettings(max_viewers=2, proxies=1, token=token)), camera.as_camera())
    headers = f"X-Forwarded-For: 192.0.2.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    request = PICTURE.replace(b"\r\n\r\n", b"\r\n" + headers, 1)
    with serving(app, 2) as server, crowd(server, server.bodies.limit, lambda _: request):
        until(lambda: server.bodies.full("192.0.2.1"))
        assert not server.bodies.full("127.0.0.1")


def until(condition: Callable[[], bool]) -> None:
    """Wait for the server."""
    give_up = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < give_up


def test_answers_that_nobody_reads_hold_up_nobody(app: Flask, camera: FakeCamera):
    """Who asks for a large file and does not read it is dropped when threads run short."""
    request = b"GET /static/demo.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with patient_server(app, 2) as server, ExitStack() as stack:
        for _ in range(server.requests.max + 10):
            sock = stack.enter_context(socket.socket())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect(server.bind_addr)
            sock.sendall(request)
        assert_answers(server, "/api/status")


def test_refused_bodies_hold_up_nobody(app: Flask, camera: FakeCamera, monkeypatch: pytest.MonkeyPatch):
    """Clients who go on sending what was refused do not keep the server listening to them."""
    monkeypatch.setattr(server_module, "CROWDED_TIMEOUT", NEVER)
    monkeypatch.setattr(server_module, "LINGER_SECONDS", NEVER)
    request = PICTURE.replace(b"/api/predict", b"/nothing")
    with patient_server(app, 10) as server, crowd(server, 200, lambda _: request):
        assert_answers(server, "/api/status")


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"Content-Length: -1", b"HTTP/1.1 400 "),
        (b"Content-Length: 1_000", b"HTTP/1.1 400 "),
        (b"Content-Length: 99999999999999999999", b"HTTP/1.1 413 "),
    ],
    ids=["negative", "underscore", "huge"],
)
def test_lengths_that_cannot_be_are_refused(server: Server, head: bytes, words: bytes):
    """The answer comes at once, before any of the body."""
    with socket.create_connection(server.bind_addr, 10) as sock:
        sock.sendall(
            b"POST /api/live/frame?stream=abcdefghijklmnop HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n\r\n"
        )
        assert sock.recv(65536).startswith(words)


@pytest.mark.parametrize(
    "start", [b"7fffffff\r\n", b"", b"-5\r\n"], ids=["huge chunk", "endless size", "negative chunk"]
)
def test_chunks_that_cannot_be_take_no_memory(server: Server, monkeypatch: pytest.MonkeyPatch, start: bytes):
    """A chunk is taken into memory whole: one that is too large, or whose size never ends, ends the connection."""
    monkeypatch.setattr(server_module, "LINGER_SECONDS", 0.01)
    taken = 0
    with socket.create_connection(server.bind_addr, 10) as sock, suppress(ConnectionError):
        sock.sendall(CHUNKED % 1 + start)
        while taken < 64:
            sock.sendall(b"0" * 1_000_000)
            taken += 1
    assert taken < 32


def test_who_sends_what_is_refused_still_gets_the_answer(server: Server):
    """The connection is not reset while its client is sending: that would take back the answer on its way."""
    with socket.create_connection(server.bind_addr, 10) as sock:
        sock.sendall(b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n")
        for _ in range(3):
            pause(sock)  # until the answer is there, and the server would have closed
            sock.sendall(b"0" * 1_000_000)
        assert sock.recv(65536).startswith(b"HTTP/1.1 404 ")


def test_threads_end_with_their_clients(app: Flask, camera: FakeCamera):
    """After a crowd has left, only about as many threads remain as always wait."""
    with serving(app, 50) as server:
        with crowd(server, 50, lambda _: PICTURE):
            wait_until(lambda: len(server.requests._threads) > 50, server)
        wait_until(lambda: len(server.requests._threads) < 2 * server_module.IDLE_THREADS, server)


def wait_until(condition: Callable[[], bool], server: Server):
    """Make small requests until something is so."""
    give_up = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < give_up
        assert_answers(server, "/healthz")
