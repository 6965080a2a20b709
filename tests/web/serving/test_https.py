"""Encrypted connections, with a certificate that is made here or with the user's own."""

import http.client
import socket
import ssl
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography import x509
from flask import Flask

from config import ServerSettings
from errors import ConfigError
from tests.helpers.fake_camera import FakeCamera
from web.serving import certificates
from web.serving.server import Server

HOSTS = ["localhost", "127.0.0.1", "::1"]


@pytest.fixture
def server(app: Flask, camera: FakeCamera, tmp_path: Path) -> Iterator[Server]:
    """Return the HTTPS server, serving the application with a certificate made for it."""
    settings = ServerSettings(port=0, max_viewers=2, https=True)
    server = Server(app, settings, certificates.tls_context(settings, HOSTS, tmp_path))
    server.listen()
    thread = threading.Thread(target=server.serve)
    thread.start()
    yield server
    camera.close()
    server.stop()
    thread.join()


@pytest.fixture
def trusting(tmp_path: Path, server: Server) -> ssl.SSLContext:
    """Return a client's settings that trust that certificate, and check it."""
    return ssl.create_default_context(cafile=tmp_path / "certificate.pem")


def fetch(server: Server, context: ssl.SSLContext, path: str = "/api/status") -> http.client.HTTPResponse:
    """Get a page."""
    connection = http.client.HTTPSConnection("127.0.0.1", server.bind_addr[1], context=context, timeout=10)
    connection.request("GET", path)
    return connection.getresponse()


def test_pages_come_encrypted(server: Server, trusting: ssl.SSLContext):
    """A browser that trusts the certificate finds this computer's address in it."""
    assert fetch(server, trusting).status == 200


def test_streams_come_encrypted(server: Server, trusting: ssl.SSLContext, camera: FakeCamera):
    """Frames larger than a buffer arrive whole."""
    camera.frame_bytes = 300_000
    camera.publish()
    response = fetch(server, trusting, "/video_feed")
    assert b"#000000" in response.read(301_000)
    response.close()


def test_a_silent_client_holds_up_nobody(server: Server, trusting: ssl.SSLContext):
    """Others are served while some never say how they want to encrypt."""
    silent = [socket.create_connection(server.bind_addr) for _ in range(3)]
    assert fetch(server, trusting).status == 200
    for sock in silent:
        sock.close()


def test_handshakes_that_take_all_threads_hold_up_nobody(server: Server, trusting: ssl.SSLContext, monkeypatch):
    """They are dropped long before their time is over."""
    monkeypatch.setattr("web.serving.server.CROWDED_TIMEOUT", 0.2)
    monkeypatch.setattr("web.serving.timeouts.CHECK_SECONDS", 0.05)
    server.timeout = 60
    with ExitStack() as stack:
        for _ in range(server.requests.max + 10):
            sock = stack.enter_context(socket.create_connection(server.bind_addr))
            sock.sendall(b"\x16\x03\x01\x40\x00")  # a record of 16 KB begins
        assert fetch(server, trusting).status == 200


def test_a_client_that_distrusts_is_forgotten(server: Server, trusting: ssl.SSLContext, caplog):
    """A browser that hangs up at the certificate leaves no trace in the log, and the next is served."""
    with pytest.raises(ssl.SSLCertVerificationError):
        fetch(server, ssl.create_default_context())
    assert fetch(server, trusting).status == 200
    assert "Traceback" not in caplog.text
    assert not [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]


def test_plain_http_is_told_to_encrypt(server: Server):
    """Who types http:// reads why nothing comes."""
    with socket.create_connection(server.bind_addr, timeout=10) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = b"".join(iter(lambda: sock.recv(1000), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"https://" in answer


def test_the_certificate_is_kept_while_it_fits(tmp_path: Path):
    """A browser told to trust it need not be told again at the next start, but for a new address."""
    path, settings = tmp_path / "certificate.pem", ServerSettings(https=True)
    certificates.tls_context(settings, HOSTS, tmp_path)
    first = path.read_bytes()
    certificates.tls_context(settings, HOSTS[:1], tmp_path)
    assert path.read_bytes() == first
    certificates.tls_context(settings, [*HOSTS, "192.0.2.7"], tmp_path)
    assert path.read_bytes() != first
    names = x509.load_pem_x509_certificate(path.read_bytes()).extensions
    assert "192.0.2.7" in str(names.get_extension_for_class(x509.SubjectAlternativeName))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_the_key_is_for_its_owner_only(tmp_path: Path):
    """Other users of the computer cannot read it."""
    certificates.tls_context(ServerSettings(https=True), HOSTS, tmp_path)
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600


def test_a_damaged_certificate_is_made_anew(tmp_path: Path):
    """Half a file is no reason to fail."""
    (tmp_path / "certificate.pem").write_text("half a", encoding="ascii")
    (tmp_path / "key.pem").write_text("file", encoding="ascii")
    certificates.tls_context(ServerSettings(https=True), HOSTS, tmp_path)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"certificate": "no.pem"}, "belong together"),
        ({"private_key": "no.pem"}, "belong together"),
        ({"certificate": "no.pem", "private_key": "no.pem"}, "no.pem"),
    ],
)
def test_a_wrong_certificate_is_named(tmp_path: Path, files: dict[str, str], words: str):
    """The user's own files have to be there, both of them."""
    with pytest.raises(ConfigError, match=words):
        certificates.tls_context(ServerSettings.model_validate({"https": True, **files}), HOSTS, tmp_path)
