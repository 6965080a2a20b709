"""A run whose inputs are damaged in all sorts of ways names every one of them."""

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pandas as pd
import pytest

import analyze
from entities import Image
from tests.helpers.footage import FixedClassifier, make_video
from vision.video.video_file import VideoFile


def noise(count: int) -> Iterator[Image]:
    """Yield frames that do not compress, so that half of a file is half of its frames."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        yield rng.integers(0, 255, (48, 64, 3), np.uint8)


def with_index_in_front(path: Path) -> Path:
    """Write an MP4 anew, its index before its frames."""
    target = path.with_name(f"fast-{path.name}")
    with av.open(str(path)) as source, av.open(str(target), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream_from_template(source.streams[0])
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = stream
                container.mux(packet)
    path.unlink()
    return target


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a good recording, and others that are damaged each in its own way."""
    clips = tmp_path / "clips"
    clips.mkdir()
    make_video(clips / "good.mp4")
    whole = with_index_in_front(make_video(clips / "long.mp4", noise(75))).read_bytes()
    (clips / "fast-long.mp4").unlink()
    (clips / "empty.mp4").touch()
    (clips / "text.mov").write_text("This is no video.")
    (clips / "no-index.mp4").write_bytes((clips / "good.mp4").read_bytes()[:1000])
    (clips / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    mkv = make_video(tmp_path / "long.mkv", noise(75)).read_bytes()
    (clips / "cut.mkv").write_bytes(mkv[: len(mkv) // 2])
    avi = make_video(tmp_path / "long.avi", noise(75)).read_bytes()
    (clips / "cut.avi").write_bytes(avi[: len(avi) // 2])
    stream = make_video(tmp_path / "long.ts", noise(75)).read_bytes()
    (clips / "hole.ts").write_bytes(stream[: len(stream) // 3] + stream[len(stream) // 2 :])
    middle = len(whole) // 2
    (clips / "hole.mp4").write_bytes(whole[:middle] + bytes(np.full(3000, 0xA5, np.uint8)) + whole[middle + 3000 :])
    picture = cv2.imencode(".jpg", next(noise(1)))[1].tobytes()
    (clips / "cut.jpg").write_bytes(picture[: len(picture) // 2])
    (clips / "copy.mp4").write_bytes((clips / "good.mp4").read_bytes())
    (clips / "notes.docx").write_bytes(b"PK\3\4rest")
    (clips / "gone.mp4").symlink_to(tmp_path / "nowhere.mp4")
    return clips


def test_sound_that_begins_first_or_lasts_longer_is_no_damage(tmp_path: Path) -> None:
    """A recording is whole whose pictures begin after its sound, or end before it."""
    for name, first in (("late.mp4", 2.5), ("early.mkv", 0.0)):
        path = make_video(tmp_path / f"plain-{name}", noise(25), times=[first + index / 25 for index in range(25)])
        long = make_video(tmp_path / f"long-{name}", noise(100), sound="aac")
        with av.open(str(path)) as seen, av.open(str(long)) as heard, av.open(str(tmp_path / name), "w") as container:
            tracks = [container.add_stream_from_template(file.streams[-1]) for file in (seen, heard)]
            for track, file in zip(tracks, (seen, heard), strict=True):
                for packet in file.demux(file.streams[-1]):
                    if packet.dts is not None:
                        packet.stream = track
                        container.mux(packet)
        with VideoFile(tmp_path / name) as video:
            assert len(list(video.frames())) == 25
            assert video.note == ""


def test_all_that_is_damaged_is_named(folder: Path, tmp_path: Path, capsys) -> None:
    """On the terminal, in `files` and in the report, each with its reason; the rest is analysed."""
    out = tmp_path / "out"
    (tmp_path / "m.csv").write_text("file,time,label\ngood.mp4,0.2,film\ngood.mp4,99,late\nabsent.mp4,1,film\n")
    arguments = [str(folder), "--out", str(out), "--markers", str(tmp_path / "m.csv")]
    assert analyze.main(arguments, FixedClassifier()) == 1
    told, report = capsys.readouterr().err, (out / "report.html").read_text("utf-8")
    files = pd.read_parquet(out / "files").set_index("file")
    failed = {"empty.mp4", "text.mov", "no-index.mp4", "cut.jpg", "gone.mp4"}
    assert set(files.index[files["state"] == "failed"]) == failed
    assert files.loc[files["state"] == "left out", "reason"].to_dict() == {
        "notes.docx": "neither a picture nor a video"
    }
    notes = files["note"]
    assert "1.5 s that its header tells of are missing" in notes["cut.mp4"]
    assert "It is cut off" in notes["cut.mkv"]
    assert "that its header tells of are missing" in notes["cut.avi"]
    assert "It is damaged" in notes["hole.mp4"]
    assert "It is damaged" in notes["hole.ts"]
    assert "No pictures come for 0.6 s, at 1.0 s." in notes["hole.ts"]
    assert notes["good.mp4"] == ""
    for name in (
        *failed,
        "cut.mp4",
        "cut.mkv",
        "cut.avi",
        "hole.mp4",
        "hole.ts",
        "notes.docx",
        "copy.mp4",
        "late at 99 s",
        "absent.mp4",
    ):
        assert name in told
        assert name in report


@pytest.mark.parametrize(
    ("times", "told"),
    [
        ([0.0, 0.04, 0.08, 0.12, 0.16, 0.7], "No pictures come for 0.5 s, at 0.2 s."),
        ([0.0, 0.04, 0.08, 1.08, 1.12, 1.16, 3.16, 3.2], "No pictures come 2 times, for up to 2.0 s, at 1.2 s."),
        ([0.0, 0.1, 0.5, 0.6, 0.9], ""),
        ([0.0, 2.0, 4.0, 6.0], ""),
    ],
)
def test_where_no_pictures_come_is_told(tmp_path: Path, times: list[float], told: str) -> None:
    """A tab that was hidden, a lost packet; but not what is usual in that video."""
    with VideoFile(make_video(tmp_path / "gaps.mkv", noise(len(times)), times=times)) as video:
        assert len(list(video.frames())) == len(times)
        assert video.note == told
