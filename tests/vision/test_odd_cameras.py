"""Network cameras that do not do as the standards say, or do what is seldom done, are shown all the same."""

from itertools import islice

import cv2
import pytest

from config import VideoSettings
from errors import SourceError
from tests.helpers.network_cameras import (
    Act,
    Connection,
    NetworkCamera,
    network_camera,
    plain_picture,
    says,
    serves_rtsp,
)
from tests.helpers.stand_ins import PATIENCE
from vision.sources.network import SNAPSHOT_SECONDS, NetworkSource, escaped

SETTINGS = VideoSettings(max_fps=240)


def source_at(camera: NetworkCamera, path: str = "/live", **options) -> NetworkSource:
    """Return what shows a camera on loopback."""
    options = {"timeout": PATIENCE, **options}
    return NetworkSource(f"http://127.0.0.1:{camera.port}{path}", SETTINGS, **options)


def jpeg(level: int) -> bytes:
    """Return a JPEG file of one brightness."""
    return cv2.imencode(".jpg", plain_picture(level))[1].tobytes()


def snapshots(*levels: int, kind: str = "image/jpeg") -> list[Act]:
    """Return acts that answer with one picture each."""

    def act(level: int) -> Act:
        data = jpeg(level)
        header = f"HTTP/1.0 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n\r\n".encode()
        return lambda connection: connection.send(header + data)

    return [act(level) for level in levels]


@pytest.mark.parametrize("path", ["/snapshot.jpg", "/snap?id=1", "/cgi-bin/snapshot.cgi"])
def test_a_still_at_an_address_is_a_camera(path: str) -> None:
    """It is asked again and again for its latest picture, but not more often than a still camera can bear."""
    pauses: list[float] = []
    with network_camera(*snapshots(50, 80, 110, 140, 170)) as camera:
        source = source_at(camera, path, pause=pauses.append)
        levels = [frame.image.mean() for frame in islice(source.frames(), 4)]
        assert levels == pytest.approx([50, 80, 110, 140], abs=2)
        assert source.live
        assert camera.connections == 4
    assert len(pauses) == 3
    assert all(SNAPSHOT_SECONDS - 0.45 < pause <= SNAPSHOT_SECONDS for pause in pauses)
    assert 0.2 <= SNAPSHOT_SECONDS <= 1


def test_a_snapshot_that_is_gone() -> None:
    """When the camera no longer answers, that is said."""
    with network_camera(*snapshots(50), says("404 Not Found")) as camera:
        frames = source_at(camera, pause=lambda _: None).frames()
        next(frames)
        with pytest.raises(SourceError, match="path"):
            next(frames)


def odd_mjpeg(header: bytes, before: bytes) -> Act:
    """Return an act that sends JPEG pictures with these bytes before each."""

    def act(connection: Connection) -> None:
        connection.send(b"HTTP/1.0 200 OK\r\n" + header + b"\r\n\r\n")
        for level in range(50, 200):
            connection.send(before + jpeg(level) + b"\r\n")
            connection.pause(0.01)

    return act


@pytest.mark.parametrize(
    "act",
    [
        odd_mjpeg(b"Content-Type: multipart/x-mixed-replace;boundary=frame", b"Content-Type: image/jpeg\r\n\r\n"),
        odd_mjpeg(b"Content-Type: multipart/x-mixed-replace;boundary=frame", b"--frame\r\n\r\n"),
        odd_mjpeg(b"Content-Type: multipart/x-mixed-replace;boundary=frame", b"--frame\r\nContent-Length: 700\r\n\r\n"),
        odd_mjpeg(b"Content-Type: multipart/x-mixed-replace;boundary=a", b"--b\r\nContent-Type: image/jpg\r\n\r\n"),
        odd_mjpeg(b"Content-Type: video/x-motion-jpeg", b""),
        odd_mjpeg(b"Content-Type: text/plain", b"--frame\r\n"),
    ],
    ids=["no first boundary", "no headers", "no type", "another boundary", "no parts", "no type at all"],
)
def test_mjpeg_that_is_not_as_the_standard_says(act: Act) -> None:
    """As small cameras send it; all that counts are the pictures."""
    with network_camera(act) as camera:
        frames = source_at(camera).frames()
        levels = [next(frames).image.mean() for _ in range(5)]
        frames.close()
        assert levels == sorted(levels)
        assert 48 <= levels[0] < levels[-1] <= 202


def test_a_page_at_the_address_is_no_camera() -> None:
    """What is no video is still called that, after all has been tried."""
    page = b"<!doctype html><title>Camera</title>" + b"<p>Please log in.</p>" * 500
    header = b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(page)
    with (
        network_camera(lambda connection: connection.send(header + page)) as camera,
        pytest.raises(SourceError, match="not a video"),
    ):
        next(source_at(camera).frames())


@pytest.mark.parametrize("refusal", ["461 Unsupported Transport", "406 Not Acceptable"])
def test_a_camera_that_only_sends_over_udp(refusal: str) -> None:
    """Where RTP in the same connection is refused, it is asked for over UDP."""
    with network_camera(serves_rtsp(range(50, 200), refuses=refusal, udp=True)) as camera:
        address = f"rtsp://127.0.0.1:{camera.port}/live"
        frames = NetworkSource(address, SETTINGS, timeout=PATIENCE).frames()
        assert 45 <= next(frames).image.mean() <= 205
        frames.close()


@pytest.mark.parametrize(("transport", "udp"), [("udp", True), ("tcp", False)])
def test_the_transport_can_be_set(transport: str, udp: bool) -> None:
    """Some cameras accept what they then do not do, so that people have to be able to say which it is."""
    settings = VideoSettings.model_validate({"rtsp_transport": transport, "max_fps": 240})
    with network_camera(serves_rtsp(range(50, 200), udp=udp)) as camera:
        frames = NetworkSource(f"rtsp://127.0.0.1:{camera.port}/live", settings, timeout=PATIENCE).frames()
        next(frames)
        frames.close()


def test_tcp_alone_is_refused_in_words() -> None:
    """With the setting, no other way is tried."""
    settings = VideoSettings(rtsp_transport="tcp")
    with network_camera(serves_rtsp([50], refuses="461 Unsupported Transport", udp=True)) as camera:
        source = NetworkSource(f"rtsp://127.0.0.1:{camera.port}/live", settings, timeout=PATIENCE)
        with pytest.raises(SourceError, match="rtsp_transport"):
            next(source.frames())


@pytest.mark.parametrize(
    ("address", "opened"),
    [
        ("rtsp://host/live", "rtsp://host/live"),
        ("rtsp://user:secret@host/live", "rtsp://user:secret@host/live"),
        ("rtsp://user:s%23cret@host/live", "rtsp://user:s%23cret@host/live"),
        ("rtsp://user:s#cret@host/live", "rtsp://user:s%23cret@host/live"),
        ("rtsp://user:s/cret@host/live", "rtsp://user:s%2Fcret@host/live"),
        ("rtsp://user:s?cr#t@host:554/live?x=1", "rtsp://user:s%3Fcr%23t@host:554/live?x=1"),
        ("rtsp://user:p@ss@host/live", "rtsp://user:p%40ss@host/live"),
        ("rtsp://admin:1234#5@192.168.1.20/s", "rtsp://admin:1234%235@192.168.1.20/s"),
        ("rtsp://admin:12/34@192.168.1.20/s", "rtsp://admin:12%2F34@192.168.1.20/s"),
        ("http://192.168.1.20/cam@2x.jpg", "http://192.168.1.20/cam@2x.jpg"),
        ("http://user:secret@cam.example/a@b", "http://user:secret@cam.example/a@b"),
        ("http://camera/view?mail=a@b", "http://camera/view?mail=a@b"),
        ("http://localhost:8080/a@b", "http://localhost:8080/a@b"),
        ("http://[::1]:8080/a@b", "http://[::1]:8080/a@b"),
    ],
)
def test_passwords_may_hold_any_sign(address: str, opened: str) -> None:
    """What stands before the last @ is escaped, where it is not plainly a host with an @ in its path."""
    assert escaped(address) == opened


@pytest.mark.parametrize("password", ["pa#ss", "pa/ss", "pa?ss", "p@ss", "100%"])
def test_any_password_reaches_the_camera(password: str) -> None:
    """The camera is asked, at its own address, with the password as it was written."""
    with network_camera(says("401 Unauthorized")) as camera:
        source = NetworkSource(f"http://me:{password}@127.0.0.1:{camera.port}/live", SETTINGS, timeout=PATIENCE)
        with pytest.raises(SourceError, match="password"):
            next(source.frames())
        assert camera.connections
        assert source.name == f"http://127.0.0.1:{camera.port}/live"
