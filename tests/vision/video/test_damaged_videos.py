"""Damaged videos of all usual kinds are read as far as they go, or refused in words."""

import random
from pathlib import Path

import pytest

from errors import SourceError
from tests.helpers.footage import make_video
from tests.vision.test_bombs import damaged
from vision.video.video_file import VideoFile

KINDS = {"mp4": "libx264", "mkv": "libx264", "webm": "libvpx", "avi": "mpeg4", "ts": "mpeg2video", "flv": "flv"}
BEGINNINGS = [b"RIFF\0\0\0\0AVI ", b"\0\0\0\x20ftypisom", b"\x1aE\xdf\xa3", b"FLV\x01\x05", b"G", b""]


@pytest.mark.parametrize(("container", "codec"), KINDS.items())
def test_damaged_videos_are_read_or_refused(tmp_path: Path, container: str, codec: str) -> None:
    """Wherever they are cut, overwritten, or have lost or gained a part."""
    whole = make_video(tmp_path / f"whole.{container}", codec=codec).read_bytes()
    path = tmp_path / "damaged"
    for data in damaged(whole):
        path.write_bytes(data)
        try:
            with VideoFile(path, 1) as video:
                times = [frame.time for frame in video.frames()]
        except SourceError as error:
            assert "." in str(error)  # noqa: PT017 - either may come
        else:
            assert times == sorted(times, key=lambda time: time or 0)


@pytest.mark.parametrize("beginning", BEGINNINGS)
@pytest.mark.parametrize("seed", range(4))
def test_noise_is_no_video(tmp_path: Path, beginning: bytes, seed: int) -> None:
    """Whatever it begins like."""
    path = tmp_path / "noise"
    path.write_bytes(beginning + random.Random(seed).randbytes(20_000))  # noqa: S311 - noise need not be secret
    with pytest.raises(SourceError):
        VideoFile(path, 1)
