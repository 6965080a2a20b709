"""Visitors reach the network cameras that are allowed, and nothing else."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.sources import UntrustedAddress
from web.access.addresses import for_any_path, permitted

ALLOWED = (
    "rtsp://me:secret@cam-1/stream?channel=1",
    "http://10.0.0.5:8080/*",
    "rtsp://me:secret@[fd00::7]/*",
)


@pytest.mark.parametrize(
    ("address", "opened"),
    [
        ("rtsp://cam-1/stream?channel=1", ALLOWED[0]),
        ("RTSP://CAM-1:554/stream?channel=1", ALLOWED[0]),
        ("http://10.0.0.5:8080/video.mjpg?size=2", UntrustedAddress("http://10.0.0.5:8080/video.mjpg?size=2")),
        ("http://10.0.0.5:8080", UntrustedAddress("http://10.0.0.5:8080/")),
        ("http://10.0.0.5:8080/a#b", UntrustedAddress("http://10.0.0.5:8080/a")),
        ("rtsp://[fd00::7]:554/live", UntrustedAddress("rtsp://me:secret@[fd00::7]/live")),
        ("rtsp://[FD00::7]/@evil/", UntrustedAddress("rtsp://me:secret@[fd00::7]/@evil/")),
    ],
)
def test_what_is_allowed(address: str, opened: object) -> None:
    """A whole address is opened as it was set, passwords included; below an open host, any path is."""
    assert permitted(address, ALLOWED) == opened


@pytest.mark.parametrize(
    "address",
    [
        "",
        "cam-1",
        "/etc/passwd",
        "file:///etc/passwd",
        "file://10.0.0.5:8080/etc/passwd",
        "concat:http://10.0.0.5:8080/a|file:/etc/passwd",
        "rtsp://cam-1/stream",
        "rtsp://cam-1/stream?channel=12",
        "rtsp://cam-1/stream/../admin?channel=1",
        "rtsp://cam-1:8554/stream?channel=1",
        "http://cam-1/stream?channel=1",
        "https://10.0.0.5:8080/a",
        "http://10.0.0.5/a",
        "http://10.0.0.5:80801/a",
        "http://10.0.0.5:99999999/a",
        "http://10.0.0.5:8080.evil/a",
        "http://10.0.0.50:8080/a",
        "http://10.0.0.5:8080@evil/a",
        "http://evil@10.0.0.5:8080/a",
        "http://@10.0.0.5:8080/a",
        "http://evil/http://10.0.0.5:8080/a",
        "http://evil#@10.0.0.5:8080/a",
        "http://evil?@10.0.0.5:8080/a",
        "http://evil\\@10.0.0.5:8080/a",
        "http://10.0.0.5:8080\\@evil/a",
        "http:/10.0.0.5:8080/a",
        "http:10.0.0.5:8080/a",
        "//10.0.0.5:8080/a",
        "http://10.0.0.5:8080/a b",
        "http://10.0.0.5:8080/a\r\nX: y",
        "ht\ntp://10.0.0.5:8080/a",
        " http://10.0.0.5:8080/a",
        "http://10.0.0.5:8080/\u00e4",
        "http://\uff11\uff10.0.0.5:8080/a",
        "http://0x0a000005:8080/a",
        "http://[fd00::7/live",
        "rtsp://fd00::7/live",
        "http://10.0.0.5:8080/" + 1000 * "a",
    ],
)
def test_what_is_refused(address: str) -> None:
    """Another host, port, scheme or path, and whatever could be read in two ways."""
    assert permitted(address, ALLOWED) is None


def test_by_default_nothing_is_allowed() -> None:
    """Without the setting there is no address to choose."""
    assert permitted("http://10.0.0.5:8080/", ()) is None


def test_visitors_see_no_passwords() -> None:
    """They are told where they may choose any path."""
    assert for_any_path(ALLOWED) == ["http://10.0.0.5:8080/", "rtsp://[fd00::7]/"]


SCHEMES_AND_HOSTS = ["http", "rtsp", "10.0.0.5", "cam-1", "[fd00::7]", "evil", "me:secret", "0x0a000005", "channel=1"]
SIGNS = ["://", ":/", "//", ":8080", ":554", ":", "@", "/", "\\", "?", "#", "%2f", "%40", "%00", "%0a", "..", ";"]
UNSEEN = ["\t", "\n", " ", "\u3002", "\uff0f", "\u200b"]
PIECES = st.sampled_from([*SCHEMES_AND_HOSTS, *SIGNS, *UNSEEN])


@pytest.mark.slow
@settings(max_examples=1500, deadline=None)
@given(st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=40))
def test_no_address_leads_elsewhere(address: str) -> None:
    """However an address is put together, what is opened is at an allowed place, with that place's password."""
    opened = permitted(address, ALLOWED)
    if isinstance(opened, str):
        assert opened in ALLOWED
    elif opened is not None:
        places = {(urlsplit(entry).scheme, urlsplit(entry).netloc) for entry in ALLOWED[1:]}
        assert (urlsplit(opened.address).scheme, urlsplit(opened.address).netloc) in places
        assert opened.address.isprintable()
