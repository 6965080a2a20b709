"""What a network camera announces, or sends without an end, takes only so much memory."""

import resource
import sys

import pytest

from config import VideoSettings
from errors import SourceError
from tests.helpers.network_cameras import Connection, network_camera
from vision.sources.network import NetworkSource
from vision.video.allocation import bound_blocks

PICTURE = b"--x\r\nContent-Type: image/jpeg\r\n%s\r\n\xff\xd8"
ENDLESS = {
    "a part of 2 GB": (b"multipart/x-mixed-replace; boundary=x", PICTURE % b"Content-Length: 2000000000\r\n"),
    "a part without an end": (b"multipart/x-mixed-replace; boundary=x", PICTURE % b""),
    "a picture of 2 GB": (b"image/jpeg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"),
}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count memory otherwise")
@pytest.mark.parametrize("kind", ENDLESS)
def test_a_camera_takes_little_memory(kind: str) -> None:
    """It is given up when a picture is larger than any can be."""
    assert bound_blocks(32_000_000)
    content_type, start = ENDLESS[kind]

    def send(connection: Connection) -> None:
        connection.send(b"HTTP/1.0 200 OK\r\nContent-Type: " + content_type + b"\r\n\r\n" + start)
        for _ in range(300):
            connection.send(bytes(1_000_000))

    before = peak()
    try:
        with network_camera(send) as server:
            source = NetworkSource(f"http://127.0.0.1:{server.port}/video", VideoSettings(), timeout=1)
            with pytest.raises(SourceError):
                next(source.frames())
        assert peak() - before < 150
    finally:
        bound_blocks()


def peak() -> float:
    """Return the most memory that this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
