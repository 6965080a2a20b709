"""Video files are read upright, at their own times, within limits; everything else is a clear error."""

from pathlib import Path

import av
import numpy as np
import pytest

from errors import SourceError, VideoSizeError
from tests.footage import make_video, plain_frames
from vision.videos import VideoFile


def times(path: Path) -> list[float]:
    """Return when each frame is shown."""
    with VideoFile(path) as video:
        return [frame.time or 0 for frame in video.frames()]


@pytest.mark.parametrize(
    ("name", "codec", "sound"),
    [
        ("a.mp4", "libx264", "aac"),
        ("a.webm", "libvpx", "libopus"),
        ("a.avi", "mpeg4", "mp2"),
        ("a.ts", "libx264", None),
    ],
)
def test_reads_what_browsers_and_cameras_make(tmp_path: Path, name: str, codec: str, sound: str | None) -> None:
    """Every container gives all its frames, from time 0 on, and tells its length."""
    path = make_video(tmp_path / name, plain_frames(20), codec=codec, sound=sound)
    assert times(path) == pytest.approx(np.arange(20) / 25, abs=0.002)
    with VideoFile(path) as video:
        assert (video.info.width, video.info.height) == (64, 48)
        assert video.info.fps == pytest.approx(25, rel=0.05)
        assert video.info.duration == pytest.approx(0.8, abs=0.05)


def test_the_name_says_nothing(tmp_path: Path) -> None:
    """A video called .png is a video."""
    path = make_video(tmp_path / "a.mp4").rename(tmp_path / "a.png")
    assert len(times(path)) == 25


def test_variable_frame_rate_is_kept(tmp_path: Path) -> None:
    """Frames have the times that the file gives them, not multiples of a rate."""
    shown = [0, 0.1, 0.2, 0.5, 0.6, 0.61, 3.0]
    assert times(make_video(tmp_path / "a.mp4", plain_frames(7), times=shown)) == pytest.approx(shown, abs=0.001)


def test_turned_video_is_upright(tmp_path: Path) -> None:
    """A phone's video that is to be turned clockwise has its top left corner at the top right."""
    with VideoFile(make_video(tmp_path / "a.mp4", turn=90)) as video:
        frame = next(video.frames())
        assert frame.image.shape == (64, 48, 3)
        assert (video.info.width, video.info.height) == (48, 64)
    assert frame.image[4, -4].min() > 200
    assert frame.image[4, 4].max() < 100


def test_large_pictures_are_refused_before_decoding(tmp_path: Path) -> None:
    """The limit is checked in the header, and the message says what was found and what is allowed."""
    path = make_video(tmp_path / "a.mp4")
    with pytest.raises(VideoSizeError, match=r"64 x 48 pixels; at most 0\.003 megapixels"):
        VideoFile(path, max_megapixels=0.003)


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    """A song is refused."""
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.int16), format="s16", layout="mono")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(SourceError, match="sound"):
        VideoFile(path)


@pytest.mark.parametrize("content", [b"", b"hello " * 100, b"\x00\x00\x00\x18ftypmp42" + bytes(100)])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    """Empty files, texts and broken headers are one clear error."""
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"not a video|cannot be read|No picture"):
        VideoFile(path)


def test_missing_file_and_folder_are_errors(tmp_path: Path) -> None:
    """A path that leads nowhere or to a folder says so."""
    with pytest.raises(SourceError, match="no such file"):
        VideoFile(tmp_path / "nowhere.mp4")
    with pytest.raises(SourceError, match=r"folder|cannot be read"):
        VideoFile(tmp_path)


def test_playlists_are_not_followed(tmp_path: Path) -> None:
    """A playlist that names another file is refused, so that an upload cannot read what lies beside it."""
    make_video(tmp_path / "secret.ts")
    path = tmp_path / "a.mp4"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.ts\n#EXT-X-ENDLIST\n", encoding="ascii")
    with pytest.raises(SourceError):
        VideoFile(path)
    path.write_text("ffconcat version 1.0\nfile secret.ts\n", encoding="ascii")
    with pytest.raises(SourceError):
        VideoFile(path)


def test_cut_off_video_ends_early(tmp_path: Path) -> None:
    """Of a file whose end is missing, what is there is read."""
    path = make_video(tmp_path / "a.ts", plain_frames(50))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    assert 10 <= len(times(path)) < 50


def test_video_cut_off_before_its_index_is_an_error(tmp_path: Path) -> None:
    """An MP4 without its index cannot be read at all."""
    path = make_video(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(SourceError):
        VideoFile(path)
