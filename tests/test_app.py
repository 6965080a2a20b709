"""The command: what it accepts, what it prints, how it starts and stops."""

import http.client
import platform
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest

import app
from config import DEMO_CLIP, ROOT, VERSION, Settings
from errors import ConfigError
from tests.helpers.fake_camera import FakeCamera
from tests.helpers.footage import FixedClassifier
from tests.vision.test_bombs import png


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Keep the developer's own settings out."""
    config = tmp_path / "empty.toml"
    config.touch()
    for name in ("FER_SOURCE", "FER_SERVER__PORT", "FER_SERVER__HOST", "FER_SERVER__TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return str(config)


def test_flags_are_settings(elsewhere: str):
    """Each flag sets what it says, and --set reaches everything else."""
    flags = ["--source", "1", "--no-loop", "--host", "::1", "--port", "8080", "--token", "abcdefghijkl"]
    others = ["--set", "video.max_fps=10", "--set", "detector.min_face=0.1"]
    settings = app.parse(["--config", elsewhere, *flags, *others])
    assert settings.source == 1
    assert settings.video.loop is False
    assert (settings.server.host, settings.server.port, settings.server.token) == ("::1", 8080, "abcdefghijkl")
    assert settings.video.max_fps == 10
    assert settings.detector.min_face == 0.1


def test_without_flags_nothing_is_overridden(elsewhere: str):
    """What is not given keeps its value from below."""
    assert app.parse(["--config", elsewhere]) == Settings()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "http"], "server.port = 'http'"),
        (["--set", "video.max_fps"], "NAME=VALUE"),
        (["--set", "video.max_fpz=3"], "Did you mean max_fps"),
        (["--config", "nowhere.toml"], "nowhere.toml"),
        (["--source", "ftp://nowhere"], "ftp://"),
    ],
)
def test_mistakes_end_with_words(elsewhere: str, capsys, arguments: list[str], words: str):
    """A wrong flag is answered with what is wrong, exit code 2, and no traceback."""
    assert app.main(["--config", elsewhere, *arguments]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("error: ")
    assert words in errors
    assert "Traceback" not in errors


def test_parse_raises_what_load_settings_raises():
    """Callers get the error itself."""
    with pytest.raises(ConfigError):
        app.parse(["--port", "http"])


def test_help_is_worth_reading(capsys):
    """It names the important flags, shows examples and says where else settings come from."""
    with pytest.raises(SystemExit):
        app.parse(["--help"])
    text = capsys.readouterr().out
    for word in ("--source", "--no-loop", "--host", "--port", "--config", "--token", "rtsp://", "config.toml", "FER_"):
        assert word in text
    assert max(map(len, text.splitlines())) <= 120


def test_version(capsys):
    """--version prints the version that the changelog has at its top."""
    with pytest.raises(SystemExit):
        app.parse(["--version"])
    assert capsys.readouterr().out.strip() == VERSION
    first = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert first
    assert first[1] == VERSION


def test_a_port_in_use_is_explained(elsewhere: str, capsys):
    """The message says which port, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert app.main(["--config", elsewhere, "--source", str(DEMO_CLIP), "--port", str(port)]) == 2
    assert f"Port {port} is in use" in capsys.readouterr().err


def test_an_address_of_another_computer_is_explained(elsewhere: str, capsys):
    """192.0.2.1 belongs to nobody."""
    assert app.main(["--config", elsewhere, "--source", str(DEMO_CLIP), "--host", "192.0.2.1"]) == 2
    assert "Cannot listen on 192.0.2.1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("server", "addresses"),
    [
        ({}, ["http://127.0.0.1:80"]),
        ({"host": "::1"}, ["http://[::1]:80"]),
        ({"https": True}, ["https://127.0.0.1:80"]),
        ({"host": "192.0.2.7", "token": "abcdefghijkl"}, ["http://192.0.2.7:80/?token=abcdefghijkl"]),
        (
            {"host": "0.0.0.0", "token": "abcdefghijkl"},  # noqa: S104
            ["http://127.0.0.1:80/?token=abcdefghijkl", "http://192.0.2.9:80/?token=abcdefghijkl"],
        ),
    ],
)
def test_welcome_shows_addresses_that_work_as_they_are(server: dict[str, Any], addresses: list[str]):
    """A person can open what is printed, from this computer and from others."""
    text = app.welcome(Settings.model_validate({"server": server}), 80, ["192.0.2.9"])
    assert [line.strip() for line in text.splitlines() if "://" in line] == addresses


def test_a_token_of_any_characters_can_be_opened_as_it_is_printed():
    """What means something in an address is escaped in the link."""
    token = "50% & more?/#+ä"
    text = app.welcome(Settings.model_validate({"server": {"token": token}}), 80, [])
    address = next(line.strip() for line in text.splitlines() if "://" in line)
    assert " " not in address
    assert parse_qs(urlsplit(address).query) == {"token": [token]}


COUNT_HEAPS = """
import process, ctypes, sys, threading
process.return_memory(4 * 1024 * 1024)
barrier = threading.Barrier(12)
def work():
    kept = [bytes(50_000) for _ in range(20)]
    barrier.wait()
threads = [threading.Thread(target=work) for _ in range(12)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
file = libc.fopen(sys.argv[1].encode(), b"w")
libc.malloc_info(0, ctypes.c_void_p(file))
libc.fclose(ctypes.c_void_p(file))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have one heap for all threads")
def test_threads_share_two_heaps(tmp_path: Path):
    """However many threads there are: with heaps of their own, each keeps what a large frame left in it."""
    report = tmp_path / "heaps.xml"
    subprocess.run([sys.executable, "-c", COUNT_HEAPS, str(report)], cwd=ROOT, check=True)
    assert 1 <= report.read_text().count("<heap nr=") <= 2


def test_the_factory_starts_nothing():
    """An application is made without a camera being opened or a model being loaded."""
    application = app.create_app(Settings(source=str(DEMO_CLIP)), classifier=FixedClassifier())
    status = application.test_client().get("/api/status").get_json()
    assert (status["state"], status["model"], status["viewers"]) == ("opening", "loading", 0)


def test_a_signal_during_the_start_ends_all_that_was_started(camera: FakeCamera, monkeypatch: pytest.MonkeyPatch):
    """Camera, worker and threads are closed as after a signal later on."""

    def interrupted() -> None:
        raise SystemExit

    application = app.create_app(Settings.model_validate({"server": {"port": 0}}), camera.as_camera())
    monkeypatch.setattr("signal.signal", lambda *_: None)  # pytest keeps its own
    monkeypatch.setattr(camera, "start_loading", interrupted)
    camera.publish()
    app.serve(application)
    assert list(camera.results()) == []  # it is closed


PATIENT = """
import runpy, threading
from web.serving import server
server.TIMEOUT = 3600
threading.Timer.run = lambda timer: None
runpy.run_path("app.py", run_name="__main__")
"""
"""The command, but it would wait for viewers without end, and nothing would end it after a while."""


@contextmanager
def started(*arguments: str, program: Sequence[str] = ("app.py",)) -> Iterator[tuple[subprocess.Popen[str], str, int]]:
    """Run the command and yield it with the host and port that it printed."""
    process = subprocess.Popen(
        [sys.executable, *program, "--port", "0", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout
        found = (re.search(r"http://\S+", line) for line in process.stdout)
        address = urlsplit(next(match[0] for match in found if match))
        assert address.hostname
        assert address.port
        yield process, address.hostname, address.port
    finally:
        process.kill()
        process.communicate()


def test_a_file_that_is_not_there_is_missed_at_once(elsewhere: str):
    """The terminal says so before anybody looks; the file may still come."""
    with started("--config", elsewhere, "--source", "nowhere.mp4") as (process, _, _):
        assert process.stdout
        warning = next(line for line in process.stdout if "WARNING" in line)
        assert "There is no file nowhere.mp4" in warning


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_the_command_starts_and_stops_at_once(elsewhere: str, name: str):
    """The page is there after two seconds of work, loading included; a signal ends it at once, with a viewer."""
    with started("--config", elsewhere, "--source", str(DEMO_CLIP), program=("-c", PATIENT)) as (process, host, port):
        page = http.client.HTTPConnection(host, port, timeout=30)
        page.request("GET", "/")
        assert page.getresponse().status == 200
        used = psutil.Process(process.pid).cpu_times()
        assert used.user + used.system < 2  # not by the clock, which runs on while other programs are busy
        viewer = http.client.HTTPConnection(host, port, timeout=30)
        viewer.request("GET", "/video_feed")
        stream = viewer.getresponse()
        assert len(stream.read(1000)) == 1000
        process.send_signal(getattr(signal, name))
        assert process.wait(60) == 0
        assert process.stdout
        assert "Traceback" not in process.stdout.read()
        viewer.close()
        page.close()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems count memory otherwise")
def test_a_large_picture_takes_little_memory_and_gives_it_back(elsewhere: str):
    """Of the whole process, with the real network: one picture of 49 megapixels after the other."""
    side = 7000
    body = png(side, side, (b"\0" + bytes(3 * side)) * side)
    form = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n' + body + b"\r\n--x--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    with started("--config", elsewhere, "--source", str(DEMO_CLIP)) as (process, host, port):
        client = http.client.HTTPConnection(host, port, timeout=60)

        def send(path: str, data: bytes) -> int:
            client.request("POST", path, data, headers)
            response = client.getresponse()
            response.read()
            return response.status

        small = form.replace(body, png(100, 100, bytes(301 * 100)))
        deadline = time.monotonic() + 60
        while send("/api/annotate", small) == 503:  # until the network is loaded
            assert time.monotonic() < deadline
        memory = psutil.Process(process.pid).memory_info
        before = memory().rss
        Path(f"/proc/{process.pid}/clear_refs").write_text("5", "ascii")  # forgets the most so far
        assert [send(path, form) for path in ("/api/predict", "/api/annotate")] == [200, 200]
        most = re.search(r"VmHWM:\s*(\d+)", Path(f"/proc/{process.pid}/status").read_text("ascii"))
        assert most
        assert 1024 * int(most[1]) - before < 700e6
        assert memory().rss - before < 150e6
        client.close()
