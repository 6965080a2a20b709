"""Recordings that are unusual give what a person sees in a good player, live and in an analysis alike."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.stream import Disposition

from analysis.recording.video import analyze_video
from config import ROOT, Settings, UploadSettings, VideoSettings
from entities import Frame, Image
from errors import SourceError
from tests.analysis.output.test_analysis_writer import loudness
from tests.helpers.footage import FixedClassifier, make_video, plain_frames
from tests.helpers.recordings import (
    ORIENTATIONS,
    as_stored,
    encode,
    frame_of,
    hdr_frame,
    interlaced_frames,
    marked,
    say_oriented,
    squeezed,
)
from vision.sources.file import FileSource
from vision.video.decoding import decodable
from vision.video.video_file import VideoFile

SHARP = {"qscale": "2"}
ONCE = VideoSettings(loop=False, max_fps=240)


def analysed(path: Path) -> list[Frame]:
    """Return the frames as an analysis reads them."""
    with VideoFile(path) as video:
        return list(video.frames())


def played(path: Path) -> list[Frame]:
    """Return the frames as they are shown live."""
    return list(FileSource(path, ONCE).frames())


def annotated(path: Path) -> list[Frame]:
    """Return the frames of an analysis's annotated video."""
    analyze_video(path, path.parent / "out", Settings(), FixedClassifier(), overwrite=True)
    return analysed(path.parent / "out" / "annotated.mp4")


everywhere = pytest.mark.parametrize("read", [analysed, played, annotated])


def joined(path: Path, *parts: Path) -> Path:
    """Join recordings end to end, as `cat` does."""
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def transport_stream(path: Path, start: float = 0, count: int = 50, fps: int = 25, sound: str | None = None) -> Path:
    """Write an MPEG transport stream whose clock begins at `start` seconds."""
    times = [start + index / fps for index in range(count)]
    return make_video(path, plain_frames(count), times=times, fps=fps, sound=sound)


@everywhere
def test_joined_recordings_run_on_by_one_frame(tmp_path: Path, read) -> None:
    """Where times start again, the next frame comes one frame later, and no frame is lost."""
    part = transport_stream(tmp_path / "a.ts", sound="aac")
    times = [frame.time or 0 for frame in read(joined(tmp_path / "aa.ts", part, part))]
    assert times == pytest.approx(np.arange(100) / 25, abs=0.002)


@everywhere
@pytest.mark.parametrize("starts", [(0, 20_000), (20_000, 0), (0, 60), (100, 99)], ids=str)
@pytest.mark.parametrize("sound", [None, "aac"])
def test_a_part_whose_clock_is_another(tmp_path: Path, read, starts: tuple[float, float], sound: str | None) -> None:
    """Parts whose clocks are hours apart, or a minute, or a little behind, follow one another."""
    parts = [transport_stream(tmp_path / f"{start}.ts", start, sound=sound) for start in starts]
    times = [frame.time or 0 for frame in read(joined(tmp_path / "a.ts", *parts))]
    assert times == pytest.approx(np.arange(100) / 25, abs=0.002)


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_a_leap_within_a_file(tmp_path: Path, ending: str) -> None:
    """Two hours between two frames are an error in the times, whatever the container."""
    times = [index / 25 + 7200 * (index >= 25) for index in range(50)]
    path = make_video(tmp_path / f"a.{ending}", plain_frames(50), times=times)
    with VideoFile(path) as video:
        assert video.info.duration == pytest.approx(2, abs=0.01)
        assert [frame.time for frame in video.frames()] == pytest.approx(np.arange(50) / 25, abs=0.002)


def test_a_long_still_with_sound_is_no_leap(tmp_path: Path) -> None:
    """A talk whose slide stands for a while has no frames meanwhile; as long as sound goes on, time does."""
    times = [0, 0.04, 15, 15.04]
    path = make_video(tmp_path / "a.mp4", plain_frames(4), times=times, sound="aac")
    with VideoFile(path) as video:
        assert video.info.duration == pytest.approx(15.08, abs=0.05)
        assert [frame.time for frame in video.frames()] == pytest.approx(times, abs=0.002)


def test_parts_of_different_rates(tmp_path: Path) -> None:
    """Each part keeps its rate; length and rate are those of the whole, and so is what was seen."""
    parts = [transport_stream(tmp_path / f"{fps}.ts", count=2 * fps, fps=fps) for fps in (25, 30, 50)]
    summary = analyze_video(joined(tmp_path / "a.ts", *parts), tmp_path / "out", Settings(), FixedClassifier())
    assert summary["frames"] == 210
    assert summary["duration"] == pytest.approx(6, abs=0.01)
    assert summary["fps"] == pytest.approx(35, abs=0.1)
    with VideoFile(tmp_path / "out" / "annotated.mp4") as video:
        assert video.info.duration == pytest.approx(6, abs=0.05)


@pytest.mark.parametrize("ending", ["ts", "mpg"])
def test_sound_of_joined_recordings_keeps_in_step(tmp_path: Path, ending: str) -> None:
    """A tone in the second half of a part is heard there, although a part between has none, and its own clock."""
    codec, sound = ("libx264", "aac") if ending == "ts" else ("mpeg2video", "mp2")
    part = make_video(tmp_path / f"a.{ending}", plain_frames(25), sound_from=0.5, codec=codec, sound=sound)
    silent = transport_stream(tmp_path / "b.ts", start=30_000, count=25) if ending == "ts" else part
    path = joined(tmp_path / f"joined.{ending}", part, silent, part)
    analyze_video(path, tmp_path / "out", Settings(), FixedClassifier())
    moments, values = loudness(tmp_path / "out" / "annotated.mp4")
    heard = [bool(np.any(values[(moments >= at) & (moments < at + 0.1)] > 0.1)) for at in np.arange(0.15, 3, 0.25)]
    half, none = [False, False, True, True], [False] * 4
    assert heard == half + (none if ending == "ts" else half) + half


@pytest.mark.parametrize("seconds", [3.0, 3.9])
def test_the_limit_is_on_the_length_of_the_whole(tmp_path: Path, seconds: float) -> None:
    """Four seconds in two parts are more than three, although each part has two."""
    part = transport_stream(tmp_path / "a.ts")
    limits = Settings(uploads=UploadSettings(max_video_seconds=seconds))
    with pytest.raises(SourceError, match="longer than"):
        analyze_video(joined(tmp_path / "aa.ts", part, part), tmp_path / "out", limits, FixedClassifier())


def test_a_video_that_does_not_say_how_long_it_is(tmp_path: Path) -> None:
    """As browsers record: the progress goes to the end from the beginning on."""
    path = tmp_path / "recorded.webm"
    with path.open("wb") as file, av.open(_Pipe(file), "w", format="webm") as container:
        stream = container.add_stream("libvpx", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for image in plain_frames(50):
            container.mux(stream.encode(frame_of(image)))
        container.mux(stream.encode(None))
    with av.open(str(path)) as container:
        assert container.duration is None
    calls: list[tuple[float, float]] = []
    analyze_video(
        path, tmp_path / "out", Settings(), FixedClassifier(), progress=lambda done, total: calls.append((done, total))
    )
    assert {round(total, 2) for _, total in calls} == {2.0}
    assert calls[-1][0] == pytest.approx(2)


class _Pipe:
    """A file that can only be written to, one byte after the other, as a stream can."""

    def __init__(self, file) -> None:
        self.write = file.write


@everywhere
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_all_eight_orientations_are_upright(tmp_path: Path, read, orientation: int) -> None:
    """Turned or mirrored, as phones and front cameras say in a display matrix."""
    upright = marked()
    path = say_oriented(make_video(tmp_path / "a.mp4", iter([as_stored(upright, orientation)] * 3)), orientation)
    image = read(path)[0].image
    assert image.shape == upright.shape
    assert np.abs(image.astype(int) - upright).mean() < 6


def has_a_circle(image: Image, radius: int) -> None:
    """Assert that the white thing in a picture is as wide as it is high."""
    rows, columns = np.nonzero(image[..., 1] > 128)
    assert np.ptp(rows) == pytest.approx(2 * radius, abs=4)
    assert np.ptp(columns) == pytest.approx(2 * radius, abs=4)


def circle(width: int, height: int, radius: int) -> Image:
    """Return a black picture with a white disc in its middle."""
    image = np.zeros((height, width, 3), np.uint8)
    cv2.circle(image, (width // 2, height // 2), radius, (255, 255, 255), -1)
    return image


@everywhere
@pytest.mark.parametrize("turned", [1, 6, 7])
@pytest.mark.parametrize("aspect", [Fraction(64, 45), Fraction(2), Fraction(8, 9), Fraction(1, 2)], ids=str)
def test_pixels_become_square(tmp_path: Path, read, aspect: Fraction, turned: int) -> None:
    """Anamorphic video, turned or not, shows circles as circles, and no side loses pixels."""
    stored = squeezed(circle(256, 144, 50), aspect)[:, : int(256 / aspect) // 2 * 2]
    path = encode(tmp_path / "a.mp4", [frame_of(stored)] * 3, aspect=aspect)
    image = read(say_oriented(path, turned))[0].image
    grown = 1 if aspect > 1 else 1 / aspect
    has_a_circle(image, round(50 * grown))
    assert (image.shape[0] > image.shape[1]) == (turned > 4)


@pytest.mark.parametrize("read", [analysed, played])
def test_the_shape_of_pixels_may_change(tmp_path: Path, read) -> None:
    """As in broadcasts, where 4:3 and 16:9 follow one another in frames of one size."""
    parts = [
        encode(tmp_path / f"{number}.ts", [frame_of(image)] * 10, codec="mpeg2video", aspect=aspect, options=SHARP)
        for number, (image, aspect) in enumerate(
            [(circle(180, 144, 50), Fraction(1)), (squeezed(circle(256, 144, 50), Fraction(64, 45)), Fraction(64, 45))]
        )
    ]
    image = read(joined(tmp_path / "a.ts", *parts))[-1].image
    has_a_circle(image, 50 if read is played else round(50 * 180 / 256))


def test_pixels_of_an_absurd_shape_are_taken_for_square(tmp_path: Path) -> None:
    """A shape that no device makes is an error in the file, and must not cost memory."""
    path = encode(tmp_path / "a.mp4", [frame_of(circle(96, 64, 20))] * 2, aspect=Fraction(500))
    assert analysed(path)[0].image.shape == (64, 96, 3)


def changing_size(path: Path, *sizes: tuple[int, int]) -> Path:
    """Write recordings of a circle in frames of different sizes, joined."""
    parts = [
        encode(path.with_name(f"{number}.ts"), [frame_of(circle(*size, min(size) // 3))] * 10)
        for number, size in enumerate(sizes)
    ]
    return joined(path, *parts)


@pytest.mark.parametrize("read", [analysed, annotated])
@pytest.mark.parametrize("sizes", [((192, 108), (108, 192)), ((96, 96), (192, 108)), ((192, 108), (96, 96))], ids=str)
def test_size_changes_keep_proportions(tmp_path: Path, read, sizes: Sequence[tuple[int, int]]) -> None:
    """A phone that is turned while it records: later frames are fitted into the first one's size, in its middle."""
    frames = read(changing_size(tmp_path / "a.ts", *sizes))
    assert len(frames) == 20
    (width, height), later = sizes
    scale = min(width / later[0], height / later[1])
    assert {frame.image.shape for frame in frames} == {(height, width, 3)}
    has_a_circle(frames[-1].image, round(scale * (min(later) // 3)))
    rows, columns = np.nonzero(frames[-1].image[..., 1] > 128)
    assert (columns.mean(), rows.mean()) == pytest.approx((width / 2, height / 2), abs=2)


def test_size_changes_are_shown_as_they_are_live(tmp_path: Path) -> None:
    """A viewer sees each picture in its own proportions."""
    shapes = [frame.image.shape for frame in played(changing_size(tmp_path / "a.ts", (192, 108), (108, 192)))]
    assert shapes == [(108, 192, 3)] * 10 + [(192, 108, 3)] * 10


@everywhere
@pytest.mark.parametrize("transfer", ["pq", "hlg"])
def test_high_dynamic_range_becomes_bt709(tmp_path: Path, read, transfer: str, astronaut: Image) -> None:
    """A picture in PQ or HLG with its white at 203 cd/m2 looks as it did in BT.709."""
    options = {"x265-params": "log-level=none:crf=5"}
    path = encode(tmp_path / "a.mkv", [hdr_frame(astronaut, transfer)] * 3, codec="libx265", options=options)
    image = read(path)[0].image
    assert np.abs(image.astype(int) - astronaut).mean() < (8 if read is annotated else 4)


@pytest.fixture
def astronaut() -> Image:
    """Return a photograph with all colours."""
    image = cv2.imread(str(ROOT / "tests" / "data" / "astronaut.png"))
    assert image is not None
    return np.asarray(cv2.resize(image, (256, 256), interpolation=cv2.INTER_AREA), np.uint8)


def moving_bar(count: int) -> Iterator[Image]:
    """Yield pictures of a bar that moves to the right."""
    for index in range(count):
        image = np.full((96, 160, 3), 30, np.uint8)
        image[:, 10 + 4 * index : 40 + 4 * index] = 220
        yield image


def combing(image: Image) -> float:
    """Return how much each row differs from the two beside it."""
    rows = image.astype(int)
    return float(np.abs(2 * rows[1:-1] - rows[:-2] - rows[2:]).mean())


@everywhere
def test_interlaced_video_is_deinterlaced(tmp_path: Path, read) -> None:
    """Of frames that weave two moments together, no combs are left, and none is lost."""
    woven = interlaced_frames(moving_bar(24))
    assert combing(np.asarray(woven[6].to_ndarray(format="bgr24"), np.uint8)) > 10
    path = encode(tmp_path / "a.mkv", woven, codec="mpeg2video", options={"flags": "+ildct+ilme", "qscale": "2"})
    frames = read(path)
    assert [frame.time for frame in frames] == pytest.approx(np.arange(12) / 25, abs=0.002)
    assert max(combing(frame.image) for frame in frames) < 2


def test_progressive_video_is_left_as_it_is(tmp_path: Path) -> None:
    """Fine rows that are no combs stay."""
    image = np.zeros((64, 96, 3), np.uint8)
    image[::2] = 200
    path = encode(tmp_path / "a.mkv", [frame_of(image, "yuv444p")] * 3, options={"qp": "0"}, codec="libx264")
    assert combing(analysed(path)[1].image) > 300


def without_decoder(path: Path, code: bytes) -> Path:
    """Let an MP4 say that the pictures or sound that it calls `code` are of a kind that nobody knows."""
    data = path.read_bytes()
    assert code in data
    path.write_bytes(data.replace(code, b"zzzz"))
    return path


def test_the_first_sound_that_can_be_decoded_is_taken(tmp_path: Path) -> None:
    """As in an iPhone's videos, whose first sound nobody else can decode."""
    path = tmp_path / "a.mov"
    with_sound = make_video(tmp_path / "b.mp4", sound="aac")
    with av.open(str(with_sound)) as original, av.open(str(path), "w") as container:
        video, sound = original.streams.video[0], original.streams.audio[0]
        tracks = {video: container.add_stream_from_template(video)}
        unknown, known = (container.add_stream_from_template(sound) for _ in range(2))
        for packet in original.demux():
            if packet.dts is None:
                continue
            for track in [tracks[packet.stream]] if packet.stream in tracks else [unknown, known]:
                packet.stream = track
                container.mux(packet)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"mp4a", b"apac", 1).replace(b"esds", b"dapa", 1))
    with av.open(str(path)) as container:
        assert not decodable(list(container.streams.audio)[:1])
    summary = analyze_video(path, tmp_path / "out", Settings(), FixedClassifier())
    assert summary["sound"] == "copied"
    assert loudness(tmp_path / "out" / "annotated.mp4")[1].max() > 0.1


@pytest.mark.parametrize("read", [analysed, played])
def test_pictures_without_a_decoder_are_named(tmp_path: Path, read) -> None:
    """A codec that is not known is an error in words."""
    with pytest.raises(SourceError, match="not known here"):
        read(without_decoder(make_video(tmp_path / "a.mp4"), b"avc1"))


@everywhere
def test_metadata_that_is_not_utf_8(tmp_path: Path, read) -> None:
    """A title in Latin-1 is no reason to fail."""
    path = make_video(tmp_path / "a.mkv", title="Cafe")
    data = path.read_bytes()
    assert b"Cafe" in data
    path.write_bytes(data.replace(b"Cafe", b"Caf\xe9"))
    assert len(read(path)) == 25


@pytest.mark.parametrize(
    ("ending", "codec"),
    [
        ("h264", "libx264"),
        ("hevc", "libx265"),
        ("mjpeg", "mjpeg"),
        ("mxf", "mpeg2video"),
        ("y4m", "wrapped_avframe"),
        ("vob", "mpeg2video"),
        ("m2ts", "libx264"),
        ("flv", "libx264"),
        ("3g2", "libx264"),
        ("asf", "mpeg4"),
        ("ivf", "libvpx"),
    ],
)
@pytest.mark.parametrize("read", [analysed, played])
def test_containers_and_streams_that_are_seldom_seen(tmp_path: Path, read, ending: str, codec: str) -> None:
    """Streams without a container, and what cameras, DVDs and studios make, give all frames in their time."""
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    frames = [frame_of(image, pixels) for image in plain_frames(20)]
    path = encode(tmp_path / f"a.{ending}", frames, codec=codec, options=options).rename(tmp_path / "nameless")
    assert [frame.time for frame in read(path)] == pytest.approx(np.arange(20) / 25, abs=0.002)


def test_a_kind_of_file_that_is_not_opened_is_named(tmp_path: Path) -> None:
    """What may not be opened for safety's sake is not called too large."""
    path = tmp_path / "a.ffconcat"
    path.write_text("ffconcat version 1.0\nfile secret.ts\n", encoding="ascii")
    with pytest.raises(SourceError, match="Convert it to MP4"):
        analysed(path)


def test_a_live_stream_of_joined_parts_goes_on(tmp_path: Path) -> None:
    """Played again and again, each round begins at 0."""
    part = transport_stream(tmp_path / "a.ts", count=10)
    source = FileSource(joined(tmp_path / "aa.ts", part, part), VideoSettings(max_fps=240))
    times = [frame.time or 0 for frame in islice(source.frames(), 40)]
    assert times == pytest.approx([*np.arange(20) / 25, *np.arange(20) / 25], abs=0.002)


def two_tracks(path: Path, *, preview_is_default: bool | None) -> Path:
    """Write a video whose first track is a small preview at a frame a second; None: neither is the default one."""
    with av.open(str(path), "w") as container:
        tracks = []
        for side, rate, is_default in ((32, 1, preview_is_default), (64, 25, preview_is_default is False)):
            stream = container.add_stream("libx264", rate=rate)
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height, stream.pix_fmt = side, side, "yuv420p"
            if preview_is_default is not None and is_default:
                stream.disposition = Disposition.default
            tracks.append((stream, side, 2 * rate))
        for stream, side, count in tracks:
            for image in plain_frames(count, side, side):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
            container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("ending", "preview_is_default", "side", "number"),
    [("mkv", False, 64, 2), ("mkv", True, 32, 1), ("ts", None, 64, 2)],
)
def test_of_two_video_tracks_the_main_one_is_analysed(
    tmp_path: Path, ending: str, preview_is_default: bool | None, side: int, number: int
) -> None:
    """It is the default one, else the one with most pixels and frames; the results say which."""
    path = two_tracks(tmp_path / f"a.{ending}", preview_is_default=preview_is_default)
    summary = analyze_video(path, tmp_path / "out", Settings(), FixedClassifier())
    assert (summary["width"], summary["frames"]) == (side, 50 if side == 64 else 2)
    assert summary["note"] == f"Of its 2 video tracks, number {number} ({side} x {side}) is used."
