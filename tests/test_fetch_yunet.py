"""YuNet's weights are fetched whole and checked, or not at all; the server is the test's own, on loopback."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scripts import fetch_yunet
from scripts.fetch_yunet import FetchError, fetch

WEIGHTS = bytes(range(256)) * 900


@contextmanager
def answering(status: int = 200, body: bytes = WEIGHTS, length: int | None = None) -> Iterator[str]:
    """Serve one answer; one that announces more than it sends falls silent until the test is over."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(length or len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()
            if length:
                over.wait(10)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/face_detection_yunet_2023mar.onnx"
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the file is to go; the sum that is asked for is that of WEIGHTS."""
    monkeypatch.setattr(fetch_yunet, "SHA256", hashlib.sha256(WEIGHTS).hexdigest())
    return tmp_path / "yunet" / "weights.onnx"


def test_the_file_is_fetched_with_progress(target: Path, capsys: pytest.CaptureFixture[str]):
    """The right file is there afterwards, alone in its folder, and a progress line was shown."""
    with answering() as url:
        fetch(url, target)
    assert target.read_bytes() == WEIGHTS
    assert list(target.parent.iterdir()) == [target]
    assert "100%" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"body": b"<html>Please log in to the network.</html>"}, "proxy's page"),
        ({"body": WEIGHTS[:-1]}, "not the file"),
        ({"status": 404, "body": b"Not found"}, "HTTP status 404"),
        ({"status": 407, "body": b"<html>Proxy</html>"}, "HTTP status 407"),
        ({"body": WEIGHTS[:1000], "length": len(WEIGHTS)}, "could not be fetched"),
    ],
    ids=["proxy's page", "cut short", "not found", "proxy", "silence"],
)
def test_what_goes_wrong_is_said_and_leaves_nothing(target: Path, answer: dict[str, int], words: str):
    """Each error says what to do, and no part of a file stays."""
    with answering(**answer) as url, pytest.raises(FetchError, match=words) as caught:  # type: ignore[arg-type]
        fetch(url, target, silence=0.3)
    assert url in str(caught.value)
    assert list(target.parent.iterdir()) == []


def test_no_network(target: Path):
    """Where nobody answers, the error says to check the network."""
    with answering() as url:
        pass
    with pytest.raises(FetchError, match="Check the network"):
        fetch(url, target)


def test_a_broken_file_is_replaced(target: Path):
    """What is there already is kept only if it is the right file."""
    target.parent.mkdir()
    target.write_bytes(b"half a file")
    with answering() as url:
        fetch(url, target)
    assert target.read_bytes() == WEIGHTS


def test_the_command_says_how_it_ended(
    target: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """It tells what to do and ends with 1, or where the file is and with 0."""
    monkeypatch.setattr(fetch_yunet, "DetectorSettings", lambda: type("Settings", (), {"weights": target}))
    with answering(status=503) as url:
        monkeypatch.setattr(fetch_yunet, "URL", url)
        assert fetch_yunet.main() == 1
    assert "Haar finds the faces" in capsys.readouterr().err
    with answering() as url:
        monkeypatch.setattr(fetch_yunet, "URL", url)
        assert fetch_yunet.main() == 0
    assert str(target.parent) in capsys.readouterr().out
