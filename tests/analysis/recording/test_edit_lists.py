"""Clips that were cut without encoding: what an edit list hides is neither counted, nor seen, nor heard."""

import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.analysis.output.test_analysis_writer import loudness, rewrite
from tests.conftest import missing
from vision.sampling import EVERY_FRAME, Sampling
from vision.video.video_file import VideoFile

FPS, FRAMES = 25, 75
CUT = 38
"""The frame that a clip begins with; the key frames are 0, 25 and 50, so that it lies 13 frames after one."""
SECONDS = CUT / FPS


def recording(path: Path, sound: str) -> Path:
    """Write 3 s of frames of which each has its own brightness, with a tone from 1.1 to 1.4 and from 2.4 to 2.7 s."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"g": "25", "bf": "2", "sc_threshold": "0"})
        audio = container.add_stream(sound, rate=48_000)
        assert isinstance(stream, av.VideoStream)
        assert isinstance(audio, av.AudioStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(FRAMES):
            picture = np.full((48, 64, 3), 20 + 3 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
        times = np.arange(3 * 48_000) / 48_000
        wave = np.sin(2 * np.pi * 440 * times) * (((times > 1.1) & (times < 1.4)) | ((times > 2.4) & (times < 2.7)))
        for start in range(0, len(wave), 1152):
            block = (wave[start : start + 1152] * 16_000).astype(np.int16)[None]
            piece = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
            piece.sample_rate, piece.pts, piece.time_base = 48_000, start, Fraction(1, 48_000)
            container.mux(audio.encode(piece))
        container.mux(audio.encode(None))
    return path


def cut_by_ffmpeg(path: Path, target: Path) -> None:
    """Cut a recording at SECONDS as people do."""
    tool = shutil.which("ffmpeg")
    if tool is None:
        missing("no ffmpeg installed")
    command = [tool, "-v", "error", "-ss", str(SECONDS), "-i", str(path), "-c", "copy", str(target)]
    subprocess.run(command, check=True)


def cut_by_pyav(path: Path, target: Path) -> None:
    """Write the packets from the key frame before SECONDS on; those before time 0 go behind an edit list."""
    with av.open(str(path)) as source, av.open(str(target), "w") as container:
        streams = {stream.index: container.add_stream_from_template(stream) for stream in source.streams}
        source.seek(round(SECONDS * 1e6))
        for packet in source.demux():
            if packet.dts is None or packet.pts is None or packet.time_base is None:
                continue
            shift = round(SECONDS / packet.time_base)
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            packet.stream = streams[packet.stream.index]
            container.mux(packet)


@pytest.fixture(params=[cut_by_ffmpeg, cut_by_pyav])
def clips(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path]:
    """Return a recording, and the clip that was cut from it."""
    whole, clip = recording(tmp_path / "whole.mp4", "aac"), tmp_path / "clip.mp4"
    request.param(whole, clip)
    with av.open(str(clip)) as container:
        hidden = [packet for packet in container.demux(video=0) if packet.is_discard]
    assert len(hidden) >= CUT - 25, "there is a lead-in"
    return whole, clip


@pytest.mark.parametrize(
    "sampling",
    [
        EVERY_FRAME,
        Sampling(begin=0.3),
        Sampling(begin=1.0),
        Sampling(end=0.5),
        Sampling(fps=5, begin=0.2),
        Sampling(every=7),
    ],
    ids=repr,
)
def test_frames_are_those_that_a_player_shows(clips: tuple[Path, Path], sampling: Sampling) -> None:
    """Frame 38 is shown at 0 s, whatever lies before it in the file, and the clip ends 37 frames later."""
    whole, clip = clips
    with VideoFile(whole) as video:
        pictures = [frame.image for frame in video.frames()][CUT:]
    is_wanted = sampling.picker()
    expected = [index for index in range(FRAMES - CUT) if is_wanted(index, index / FPS + 1e-6)]
    with VideoFile(clip, sampling=sampling) as video:
        frames = list(video.frames())
        assert video.info.duration == pytest.approx((FRAMES - CUT) / FPS, abs=0.002)
        assert video.end == pytest.approx(min(sampling.end, (FRAMES - CUT) / FPS), abs=0.05)
    assert [frame.index for frame in frames] == expected
    assert [frame.time for frame in frames] == pytest.approx([index / FPS for index in expected], abs=0.002)
    assert all(np.array_equal(frame.image, pictures[frame.index]) for frame in frames)


@pytest.mark.parametrize("sound", ["aac", "mp2"])
@pytest.mark.parametrize("cut", [cut_by_ffmpeg, cut_by_pyav])
def test_sound_that_was_cut_away_is_not_heard(tmp_path: Path, sound: str, cut) -> None:
    """The tone before the cut is gone, the other is heard where a player has it: 2.4 s less the lead-in."""
    clip = tmp_path / "clip.mp4"
    cut(recording(tmp_path / "whole.mp4", sound), clip)
    path, _ = rewrite(clip)
    moments, values = loudness(path)
    loud = values > 0.3 * values.max()
    first, last = moments[loud][[0, -1]]
    assert (first, last) == pytest.approx((2.4 - SECONDS, 2.7 - SECONDS), abs=0.04)


def edit_sound(path: Path, *pieces: tuple[float, float]) -> None:
    """Write an edit list for the sound of a clip (ISO/IEC 14496-12, 8.6.6): from when on, for how long, each plays."""
    data = bytearray(path.read_bytes())
    timescale = int.from_bytes(data[data.index(b"mvhd") + 16 :][:4], "big")
    first = data.rindex(b"elst") + 12
    start = int.from_bytes(data[first + 4 :][:4], "big")
    entries = b"".join(
        round(seconds * timescale).to_bytes(4, "big")
        + (start + round(begin * 48_000)).to_bytes(4, "big")
        + (1 << 16).to_bytes(4, "big")
        for begin, seconds in pieces
    )
    data[first - 4 : first + 12] = len(pieces).to_bytes(4, "big") + entries
    for box in (b"elst", b"edts", b"trak", b"moov"):
        size = data.rindex(box, 0, first) - 4
        grown = int.from_bytes(data[size : size + 4], "big") + len(entries) - 12
        data[size : size + 4] = grown.to_bytes(4, "big")
    path.write_bytes(data)


@pytest.mark.parametrize("sound", ["aac", "mp2"])
@pytest.mark.parametrize("pieces", [[(0, 0.7)], [(0, 0.7), (1.3, 0.18)]], ids=["end", "middle"])
def test_sound_that_was_cut_out(tmp_path: Path, sound: str, pieces: list[tuple[float, float]]) -> None:
    """Pictures go on; the tone that the edit list hides, at 0.9 s, stays hidden."""
    clip = tmp_path / "clip.mp4"
    cut_by_pyav(recording(tmp_path / "whole.mp4", sound), clip)
    edit_sound(clip, *pieces)
    path, _ = rewrite(clip)
    _, heard = loudness(path)
    _, whole = loudness(tmp_path / "whole.mp4")
    assert heard.max() < 0.02 * whole.max()
