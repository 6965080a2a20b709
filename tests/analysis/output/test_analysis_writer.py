"""Annotated videos play in browsers: H.264, index in front, original times and sound."""

import sys
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from analysis.output.sound import Sound
from analysis.output.writer import VideoWriter
from tests.helpers.footage import make_video, plain_frames
from vision.video.video_file import VideoFile


def rewrite(original: Path) -> tuple[Path, str]:
    """Copy a video through the writer; return the new file and what became of the sound."""
    path = original.with_name("annotated.mp4")
    with VideoFile(original) as video, VideoWriter(path, video.info, original) as writer:
        for frame in video.frames():
            writer.write(frame.image, frame.time or 0)
    return path, writer.sound


def with_sound_of(path: Path, other: Path, stuck_from: int = sys.maxsize) -> Path:
    """Write a video of a second with another file's sound, whose times stand still from some packet on."""
    pictures = make_video(path.with_name(f"pictures{path.suffix}"))
    with av.open(str(pictures)) as seen, av.open(str(other)) as heard, av.open(str(path), "w") as container:
        tracks = [container.add_stream_from_template(file.streams[-1]) for file in (seen, heard)]
        packets = [[packet for packet in file.demux(file.streams[-1]) if packet.size] for file in (seen, heard)]
        for packet in packets[1][stuck_from:]:
            packet.pts = packet.dts = packets[1][stuck_from].pts
        for track, found in zip(tracks, packets, strict=True):
            for packet in found:
                packet.stream = track
                container.mux(packet)
    return path


def changing_sound(path: Path, *layouts: str) -> Path:
    """Write a second of AC-3, a part of it in each layout."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ac3", rate=48_000)
        for number, layout in enumerate(layouts):
            codec = av.AudioCodecContext.create("ac3", "w")
            codec.format, codec.layout, codec.sample_rate = "fltp", layout, 48_000
            codec.time_base = Fraction(1, 48_000)
            for start in range(number * 48_000 // len(layouts), (number + 1) * 48_000 // len(layouts), 1536):
                wave = 0.5 * np.sin(2 * np.pi * 440 / 48_000 * np.arange(start, start + 1536))
                block = np.tile(wave.astype(np.float32), (codec.channels, 1))
                frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
                frame.sample_rate, frame.pts, frame.time_base = 48_000, start, Fraction(1, 48_000)
                for packet in codec.encode(frame):
                    packet.stream = stream
                    container.mux(packet)
    return path


def loudness(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the sound's samples as times in seconds and absolute values."""
    moments, values = [], []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            samples = np.abs(frame.to_ndarray().astype(float)).max(axis=0)
            moments.append((frame.time or 0) + np.arange(samples.size) / frame.sample_rate)
            values.append(samples)
    return np.concatenate(moments), np.concatenate(values)


def test_is_what_browsers_play(tmp_path: Path) -> None:
    """H.264 in 4:2:0 without B-frames, and the index before the pictures."""
    path, _ = rewrite(make_video(tmp_path / "a.mp4"))
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(path)) as container:
        codec = container.streams.video[0].codec_context
        assert (codec.name, codec.pix_fmt, codec.has_b_frames) == ("h264", "yuv420p", False)
        assert (codec.colorspace, codec.color_range) == (1, 1), "BT.709, limited range, as players assume"


def test_times_are_the_original_ones(tmp_path: Path) -> None:
    """Frames of a variable rate stay where they were."""
    shown = [0, 0.1, 0.2, 0.5, 0.6, 0.61, 3.0]
    path, _ = rewrite(make_video(tmp_path / "a.mp4", plain_frames(7), times=shown))
    with VideoFile(path) as video:
        assert [frame.time for frame in video.frames()] == pytest.approx(shown, abs=0.001)


def test_pictures_look_the_same(tmp_path: Path) -> None:
    """Neither colours nor brightness change visibly."""
    red = np.full((48, 64, 3), (30, 60, 200), np.uint8)
    path, _ = rewrite(make_video(tmp_path / "a.mp4", iter([red] * 5)))
    with VideoFile(tmp_path / "a.mp4") as before, VideoFile(path) as after:
        difference = next(before.frames()).image.astype(int) - next(after.frames()).image
    assert np.abs(difference).max() <= 8


def test_turned_video_is_written_upright(tmp_path: Path) -> None:
    """The new file needs no turning."""
    path, _ = rewrite(make_video(tmp_path / "a.mp4", turn=90))
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        assert (frame.width, frame.height, frame.rotation) == (48, 64, 0)


def test_odd_sizes_are_padded(tmp_path: Path) -> None:
    """H.264 needs even sides; no pixel is lost."""
    path, _ = rewrite(make_video(tmp_path / "a.avi", plain_frames(3, 63, 47), codec="mpeg4"))
    with VideoFile(path) as video:
        assert (video.info.width, video.info.height) == (64, 48)


def test_aac_is_copied_bit_for_bit(tmp_path: Path) -> None:
    """Sound that browsers play already is not encoded again."""
    original = make_video(tmp_path / "a.mp4", sound="aac")
    path, sound = rewrite(original)
    assert sound == "copied"
    packets = []
    for file in (original, path):
        with av.open(str(file)) as container:
            packets.append([bytes(packet) for packet in container.demux(audio=0) if packet.size])
    assert packets[0] == packets[1]


@pytest.mark.parametrize(
    ("name", "codec", "sound"),
    [("a.webm", "libvpx", "libopus"), ("a.avi", "mpeg4", "mp2"), ("a.mp4", "libx264", "aac")],
)
def test_sound_stays_in_step(tmp_path: Path, name: str, codec: str, sound: str) -> None:
    """A tone that begins at 0.5 s begins at 0.5 s in the new file."""
    path, kept = rewrite(make_video(tmp_path / name, codec=codec, sound=sound, sound_from=0.5))
    assert kept == ("copied" if sound == "aac" else "converted")
    moments, values = loudness(path)
    assert moments[np.argmax(values > 0.2 * values.max())] == pytest.approx(0.5, abs=0.04)
    assert moments[-1] == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("sound", ["aac", "mp2"])
def test_sound_ends_with_the_pictures(tmp_path: Path, sound: str) -> None:
    """However long the sound goes on, the new file is as long as its pictures."""
    long = make_video(tmp_path / "long.mkv", plain_frames(100), sound=sound)
    path, _ = rewrite(with_sound_of(tmp_path / "a.mkv", long))
    moments, values = loudness(path)
    assert moments[-1] == pytest.approx(1, abs=0.06)
    assert values[moments > 0.9].max() > 0.2 * values.max()


def test_sound_that_changes_its_layout_goes_on(tmp_path: Path) -> None:
    """A broadcast's sound turns from stereo to 5.1 and back, as films and advertisements follow each other."""
    path, kept = rewrite(
        with_sound_of(tmp_path / "a.ts", changing_sound(tmp_path / "sound.ts", "stereo", "5.1", "stereo"))
    )
    assert kept == "converted"
    moments, values = loudness(path)
    seconds = np.arange(0.1, 0.9, 0.1)
    assert all(values[np.abs(moments - second) < 0.05].max() > 0.2 * values.max() for second in seconds)
    assert moments[-1] == pytest.approx(1, abs=0.06)


def test_sound_that_cannot_be_written_ends(tmp_path: Path) -> None:
    """Where the sound's times go back, which MP4 knows nothing of, the pictures go on."""
    original = make_video(tmp_path / "original.mkv", sound="aac")
    path, _ = rewrite(with_sound_of(tmp_path / "a.mkv", original, stuck_from=20))
    assert loudness(path)[0][-1] < 0.6
    with VideoFile(path) as video:
        assert len(list(video.frames())) == 25


@pytest.mark.parametrize("error", [ValueError("unknown layout"), av.error.PatchWelcomeError(1, "not implemented")])
def test_sound_that_cannot_be_decoded_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Whatever FFmpeg cannot do with the sound, the pictures go on."""

    def decoded(*arguments: Any) -> Iterator[av.AudioFrame]:
        yield from islice(real(*arguments), 20)
        raise error

    real = Sound._decoded
    monkeypatch.setattr(Sound, "_decoded", decoded)
    path, kept = rewrite(make_video(tmp_path / "a.mkv", sound="mp2"))
    assert kept == "converted"
    assert loudness(path)[0][-1] < 0.6
    with VideoFile(path) as video:
        assert len(list(video.frames())) == 25


def test_silent_video_stays_silent(tmp_path: Path) -> None:
    """Without sound there is no sound track."""
    path, sound = rewrite(make_video(tmp_path / "a.mp4"))
    assert sound == "none"
    with av.open(str(path)) as container:
        assert not container.streams.audio


def fail_after_writing(original: Path, target: Path) -> None:
    """Copy a video, and raise RuntimeError before the file is complete."""
    with VideoFile(original) as video, VideoWriter(target, video.info, original) as writer:
        for frame in video.frames():
            writer.write(frame.image, frame.time or 0)
        raise RuntimeError("stop")


def test_an_error_leaves_the_files_closed(tmp_path: Path) -> None:
    """When the block ends with an error, that error comes out, and the file can be deleted."""
    original = make_video(tmp_path / "a.mp4", sound="aac")
    with pytest.raises(RuntimeError, match="stop"):
        fail_after_writing(original, tmp_path / "b.mp4")
    (tmp_path / "b.mp4").unlink()


def test_an_unwritable_place_is_an_os_error(tmp_path: Path) -> None:
    """A folder that is missing is reported as such."""
    original = make_video(tmp_path / "a.mp4")
    with pytest.raises(OSError, match="No such file"):
        fail_after_writing(original, tmp_path / "nowhere" / "b.mp4")
