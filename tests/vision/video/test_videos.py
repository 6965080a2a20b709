"""Video files are read upright, at their own times, within limits; everything else is a clear error."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.stream import Disposition

from entities import Frame
from errors import SourceError, VideoSizeError
from tests.helpers.footage import make_video, plain_frames
from vision.video.decoding import decoded, opened
from vision.video.video_file import VideoFile


def read(path: Path, max_megapixels: float = 40) -> Iterator[Frame]:
    """Yield the frames."""
    with VideoFile(path, max_megapixels) as video:
        yield from video.frames()


def times(path: Path) -> list[float]:
    """Return when each frame is shown."""
    return [frame.time or 0 for frame in read(path)]


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


def png_video(path: Path, *sides: int) -> Path:
    """Write a video of square pictures in PNG, each with its own size, of which the file's header says 64 x 48."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb24"
        for index, side in enumerate(sides):
            packet = av.Packet(cv2.imencode(".png", np.zeros((side, side, 3), np.uint8))[1].tobytes())
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts = packet.dts = index
            container.mux(packet)
    return path


@pytest.mark.parametrize("sides", [(400,), (64, 64, 64, 400, 64)])
def test_large_pictures_are_never_decoded(tmp_path: Path, sides: tuple[int, ...]) -> None:
    """What would take memory is refused before its size, known only from decoding it, can be told."""
    with pytest.raises(VideoSizeError, match=r"pictures are too large; at most 0\.01 megapixels"):
        list(read(png_video(tmp_path / "a.mov", *sides), max_megapixels=0.01))


def test_a_video_that_grows_too_large_is_refused(tmp_path: Path) -> None:
    """Every picture is checked, not only the first."""
    with pytest.raises(VideoSizeError, match=r"100 x 100 pixels; at most 0\.008 megapixels"):
        list(read(png_video(tmp_path / "a.mov", 64, 64, 100), max_megapixels=0.008))


def test_a_video_of_just_the_largest_size_is_read(tmp_path: Path) -> None:
    """Memory that the decoder needs beyond the picture itself does not count."""
    path = make_video(tmp_path / "a.mp4", plain_frames(3, 100, 100))
    assert len(list(read(path, max_megapixels=0.01))) == 3


def test_other_sources_say_what_is_wrong_with_large_pictures(tmp_path: Path) -> None:
    """Where the size cannot be told without decoding, the message says that it may be that."""
    path = png_video(tmp_path / "a.mov", 400)
    with (
        pytest.raises(SourceError, match="pictures are too large"),
        opened(f"file:{path}", max_pixels=10_000) as (container, stream),
    ):
        list(decoded(container, stream))


def test_a_songs_cover_is_no_video(tmp_path: Path) -> None:
    """A song with a picture is refused like one without."""
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        cover = container.add_stream("png", rate=1)
        assert isinstance(cover, av.VideoStream)
        cover.width, cover.height, cover.pix_fmt = 64, 48, "rgb24"
        cover.disposition = Disposition.attached_pic
        sound = container.add_stream("aac", rate=48_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.int16), format="s16", layout="mono")
        frame.sample_rate = 48_000
        container.mux(sound.encode(frame))
        container.mux(cover.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
        container.mux(sound.encode(None))
    with pytest.raises(SourceError, match="no moving picture"):
        VideoFile(path)


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
