"""What is not decoded changes nothing of the frames that are looked at."""

from array import array
from collections.abc import Iterator
from fractions import Fraction
from math import inf
from pathlib import Path
from unittest.mock import patch

import av
import cv2
import numpy as np
import pytest

from entities import Frame, Image
from tests.helpers.footage import make_video
from vision.sampling import EVERY_FRAME, Sampling
from vision.video.skipping import DecodingPlan
from vision.video.video_file import VideoFile

FRAMES = 150


def moving_pictures(count: int = FRAMES) -> Iterator[Image]:
    """Yield pictures of noise on which a bright disc moves, so that each differs and codecs predict from neighbours."""
    noise = np.random.default_rng(1).integers(0, 120, (96, 128, 3), np.uint8)
    for index in range(count):
        picture = np.roll(noise, index, axis=1)
        cv2.circle(picture, (10 + index % 100, 48), 12, (250, 200, index), -1)
        yield picture


def recording(path: Path, codec: str, options: dict[str, str], *, uneven: bool = False) -> Path:
    """Write 150 moving pictures, 25 a second, or with times that are not even."""
    random = np.random.default_rng(2)
    steps = random.choice([20, 40, 55, 300], FRAMES, p=[0.4, 0.4, 0.15, 0.05]) if uneven else np.full(FRAMES, 40)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = 128, 96
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.time_base = Fraction(1, 25 if codec == "mjpeg" else 1000)
        for index, (picture, shown) in enumerate(zip(moving_pictures(), np.cumsum(steps), strict=True)):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format=stream.pix_fmt)
            frame.time_base = stream.codec_context.time_base
            frame.pts = index if codec == "mjpeg" else int(shown)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


X264 = {"preset": "fast", "g": "40", "bf": "3", "sc_threshold": "0"}
RECORDINGS = {
    "b-frames.mp4": ("libx264", X264 | {"x264-params": "b-pyramid=normal:b-adapt=0"}),
    "closed.ts": ("libx264", X264),
    "no-b-frames.mkv": ("libx264", X264 | {"bf": "0"}),
    "open-gop.mp4": ("libx264", X264 | {"x264-params": "open-gop=1:b-adapt=0"}),
    "refresh.mp4": ("libx264", X264 | {"x264-params": "intra-refresh=1"}),
    "hevc.mp4": ("libx265", {"preset": "ultrafast", "g": "40", "x265-params": "log-level=none:bframes=3:open-gop=0"}),
    "hevc-open.mkv": ("libx265", {"preset": "ultrafast", "g": "40", "x265-params": "log-level=none:bframes=3"}),
    "vp9.webm": ("libvpx-vp9", {"g": "40", "deadline": "realtime", "cpu-used": "8"}),
    "vp8.webm": ("libvpx", {"g": "40", "deadline": "realtime", "cpu-used": "8", "auto-alt-ref": "1"}),
    "mpeg4.mp4": ("mpeg4", {"g": "40", "bf": "2"}),
    "camera.avi": ("mjpeg", {}),
    "camera.mov": ("mjpeg", {}),
}
SAMPLINGS = [
    Sampling(fps=5),
    Sampling(fps=0.4),
    Sampling(fps=9.7, begin=1.3),
    Sampling(every=7),
    Sampling(every=60, begin=2.0),
    Sampling(fps=2, begin=2.5, end=4.2),
    Sampling(every=1000),
]


@pytest.fixture(scope="module", params=[f"{name}{kind}" for name in RECORDINGS for kind in ("", " uneven")])
def video(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a recording of each kind, with even and with uneven times."""
    name, _, uneven = request.param.partition(" ")
    codec, options = RECORDINGS[name]
    return recording(tmp_path_factory.mktemp("video") / name, codec, options, uneven=bool(uneven))


@pytest.fixture(scope="module")
def every(video: Path) -> tuple[list[Frame], float]:
    """Return all frames of the recording, and its end."""
    return read(video, EVERY_FRAME)


def read(path: Path, sampling: Sampling) -> tuple[list[Frame], float]:
    """Return the frames that are looked at, and the video's end."""
    with VideoFile(path, sampling=sampling) as video:
        return list(video.frames()), video.end


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=repr)
@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_frames_as_decoding_all(
    video: Path, every: tuple[list[Frame], float], sampling: Sampling, threads: int
) -> None:
    """Frames have the index, the time and the pixels that they have where all are decoded, and none is missing."""
    is_wanted = sampling.picker()
    frames, end = every
    expected = [frame for frame in frames if is_wanted(frame.index, frame.time or 0.0)]
    with patch("cv2.getNumThreads", return_value=threads):
        found, found_end = read(video, sampling)
    assert [(frame.index, frame.time) for frame in found] == [(frame.index, frame.time) for frame in expected]
    assert all(np.array_equal(one.image, other.image) for one, other in zip(found, expected, strict=True))
    assert found_end == pytest.approx(max(sampling.begin, min(end, sampling.end)))


def decoded_share(path: Path, sampling: Sampling) -> float:
    """Return which share of a video's frames comes out of the decoder."""
    with VideoFile(path, sampling=sampling) as video:
        count = sum(1 for _ in video._frames)
    return count / FRAMES


@pytest.mark.parametrize(
    ("name", "sampling", "most"),
    [
        ("b-frames.mp4", Sampling(fps=5), 0.7),
        ("b-frames.mp4", Sampling(fps=0.4), 0.25),
        ("no-b-frames.mkv", Sampling(fps=0.4), 0.35),
        ("hevc.mp4", Sampling(fps=5), 0.7),
        ("vp9.webm", Sampling(fps=0.4), 0.4),
        ("camera.avi", Sampling(fps=5), 0.22),
    ],
    ids=str,
)
def test_most_of_what_is_left_out_is_not_decoded(tmp_path: Path, name: str, sampling: Sampling, most: float) -> None:
    """Few frames a second are decoded without most of the others."""
    assert decoded_share(recording(tmp_path / name, *RECORDINGS[name]), sampling) <= most


def test_a_plan_sends_what_a_wanted_frame_needs() -> None:
    """From the last restart to the frame all are sent, as references; what follows up to the next restart is not."""
    plan = DecodingPlan({0.3: (3, 0.3), 0.8: (8, 0.8)}, array("d", [0.0, 0.5]))
    verdicts = [plan.verdict(time / 10) for time in range(10)]
    assert verdicts == ["NONREF"] * 3 + ["DEFAULT", None] + ["NONREF"] * 3 + ["DEFAULT", None]
    assert plan.is_done


def test_interlaced_frames_keep_their_neighbours(tmp_path: Path) -> None:
    """Where rows of two moments are woven together, all frames are decoded: each is mixed with those around it."""
    path = recording(tmp_path / "a.mp4", "libx264", X264 | {"flags": "+ildct+ilme", "x264-params": "tff=1"})
    found, _ = read(path, Sampling(fps=5))
    every, _ = read(path, EVERY_FRAME)
    assert all(np.array_equal(frame.image, every[frame.index].image) for frame in found)
    assert len(found) == 30


def test_a_damaged_recording_is_read_to_its_end(tmp_path: Path) -> None:
    """Of a stream whose end is missing, and in which bytes are wrong, frames are found as far as there are any."""
    path = recording(tmp_path / "a.ts", "libx264", X264)
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 400] = bytes(400)
    path.write_bytes(data[: len(data) * 3 // 4])
    found, end = read(path, Sampling(fps=5, end=inf))
    assert 15 <= len(found) <= 30
    assert end >= (found[-1].time or 0.0)


def test_times_that_start_again_are_decoded_whole(tmp_path: Path) -> None:
    """Joined recordings, whose times do not tell frames apart, give the frames that they gave before."""
    part = make_video(tmp_path / "part.ts", moving_pictures(50))
    path = tmp_path / "joined.ts"
    path.write_bytes(2 * part.read_bytes())
    found, _ = read(path, Sampling(fps=5))
    assert [frame.index for frame in found] == list(range(0, 100, 5))
