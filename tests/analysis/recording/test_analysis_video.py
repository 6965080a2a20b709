"""A video becomes a folder of results; too large, too long, stopped or unwritable, it leaves nothing."""

import csv
import errno
import json
import zipfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from analysis.output.result_folder import INTERVAL_FILES, VIDEO_FILES
from analysis.output.tables import columns
from analysis.output.writer import VideoWriter
from analysis.recording.video import analyze_video
from config import Settings, UploadSettings
from entities import EXPRESSIONS, Box, Image
from errors import AnalysisCancelledError, ResultsError, SourceError, VideoSizeError
from tests.helpers.footage import FixedClassifier, make_video, plain_frames
from vision.sampling import Sampling
from vision.video.video_file import VideoFile


def portrait_then_nothing(portrait: Image, with_face: int = 8, without: int = 4) -> Iterator[Image]:
    """Yield frames that show the portrait, and then frames that are grey."""
    image = np.asarray(cv2.resize(portrait, (160, 190)), np.uint8)
    for _ in range(with_face):
        yield image
    for _ in range(without):
        yield np.full_like(image, 90)


@pytest.fixture
def video(tmp_path: Path, portrait: tuple[Image, Box]) -> Path:
    """Return a video of 12 frames with a face in the first 8, and sound."""
    return make_video(tmp_path / "a.mp4", portrait_then_nothing(portrait[0]), fps=10, sound="aac")


def limits(**values: float) -> Settings:
    """Return settings with these limits on uploads."""
    return Settings(uploads=UploadSettings.model_validate(values))


def test_parquet_is_no_condition_for_intervals(tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page works without its libraries; names are texts, whatever they look like."""
    monkeypatch.setattr("analysis.output.sinks.find_spec", lambda name: None)
    summary = analyze_video(video, tmp_path / "out", Settings(), FixedClassifier("Sad", 0.9), name="NA")
    assert not (tmp_path / "out" / "frames.parquet").exists()
    assert [interval["expression"] for interval in summary["intervals"]] == ["Sad"]
    assert "NA,1,,Sad," in (tmp_path / "out" / "intervals.csv").read_text("utf-8")


def test_writes_every_result(tmp_path: Path, video: Path) -> None:
    """All files are there, and their names are among those that may be there."""
    summary = analyze_video(video, tmp_path / "out", Settings(), FixedClassifier("Sad", 0.9))
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names <= set(VIDEO_FILES)
    assert names == {
        "annotated.mp4", "frames.csv", "frames.xlsx", "frames.json", "frames.parquet", "summary.json", "timeline.png",
        "all.zip", "moment-Sad.jpg", *INTERVAL_FILES,
    }  # fmt: skip
    assert summary == json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    with zipfile.ZipFile(tmp_path / "out" / "all.zip") as archive:
        assert set(archive.namelist()) == names - {"all.zip"}


def test_without_the_library_for_parquet_only_that_table_is_missing(
    tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is of the part for studies; the page does without, intervals and all."""
    analyze_video(video, tmp_path / "with", Settings(), FixedClassifier("Sad", 0.9), name="a, NA.mp4")
    monkeypatch.setattr("analysis.output.sinks.find_spec", lambda _: None)
    analyze_video(video, tmp_path / "without", Settings(), FixedClassifier("Sad", 0.9), name="a, NA.mp4")
    names = {path.name for path in (tmp_path / "with").iterdir()}
    assert names - {path.name for path in (tmp_path / "without").iterdir()} == {"frames.parquet"}
    intervals = (tmp_path / "without" / "intervals.csv").read_text("utf-8")
    assert intervals == (tmp_path / "with" / "intervals.csv").read_text("utf-8")
    assert "Sad" in intervals


def test_summary_says_what_was_seen(tmp_path: Path, video: Path) -> None:
    """Length, rate, faces, shares of the time and the strongest moment."""
    summary = analyze_video(video, tmp_path / "out", Settings(), FixedClassifier("Sad", 0.9), name="Holiday.mp4")
    assert (summary["name"], summary["width"], summary["height"]) == ("Holiday.mp4", 160, 190)
    assert (summary["duration"], summary["fps"], summary["frames"], summary["sound"]) == (1.2, 10, 12, "copied")
    assert summary["shares"]["Sad"] == 1
    seen = summary["faces"][0]
    assert seen["seconds"] == pytest.approx(0.8, abs=0.21)
    assert seen["shares"]["Sad"] == 1
    (moment,) = summary["moments"]
    assert (moment["expression"], moment["confidence"], moment["face"]) == ("Sad", 0.9, seen["id"])


def test_tables_have_a_row_for_every_frame(tmp_path: Path, video: Path) -> None:
    """Frames without a face are rows too, and JSON says the same as CSV."""
    analyze_video(video, tmp_path / "out", Settings(), FixedClassifier())
    with (tmp_path / "out" / "frames.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    frames = json.loads((tmp_path / "out" / "frames.json").read_text("utf-8"))["frames"]
    assert [int(row["frame"]) for row in rows] == [frame["frame"] for frame in frames] == list(range(12))
    assert [float(row["time"]) for row in rows] == pytest.approx(np.arange(12) / 10)
    assert tuple(rows[0]) == columns(uncorrected=False)
    assert rows[0]["expression"] == "Happy"
    assert sum(float(rows[0][name]) for name in EXPRESSIONS) == pytest.approx(1, abs=0.001)
    assert set(list(rows[-1].values())[4:]) == {""}
    (face,) = frames[0]["faces"]
    assert [str(side) for side in face["box"]] == [rows[0][side] for side in ("x", "y", "width", "height")]
    assert frames[-1]["faces"] == []


def test_the_annotated_video_of_few_frames_is_as_long(tmp_path: Path, video: Path) -> None:
    """The last picture is shown to the end of what is looked at, however few there are."""
    summary = analyze_video(video, tmp_path / "out", Settings(), FixedClassifier(), sampling=Sampling(fps=2))
    with av.open(str(tmp_path / "out" / "annotated.mp4")) as annotated:
        assert (annotated.duration or 0) / 1e6 == pytest.approx(summary["duration"], abs=0.05)


def test_video_is_annotated(tmp_path: Path, video: Path) -> None:
    """Frames with a face differ from the original, those without do not."""
    analyze_video(video, tmp_path / "out", Settings(), FixedClassifier())
    with VideoFile(video) as before, VideoFile(tmp_path / "out" / "annotated.mp4") as after:
        changes = [
            np.abs(a.image.astype(int) - b.image).max() for a, b in zip(before.frames(), after.frames(), strict=True)
        ]
    assert changes[0] > 60
    assert changes[-1] < 20


def test_timeline_numbers_have_gaps_where_no_face_is_seen(tmp_path: Path, video: Path) -> None:
    """The chart's numbers are equal steps over the whole video, null without the face."""
    timeline = analyze_video(video, tmp_path / "out", Settings(), FixedClassifier("Happy", 0.8))["timeline"]
    assert timeline["step"] == pytest.approx(0.1)
    happy = timeline["faces"][0]["probabilities"]["Happy"]
    assert len(happy) == len(timeline["times"]) == 12
    assert happy[0] == 0.8
    assert happy[-1] is None


def test_a_video_without_faces_has_results_too(tmp_path: Path) -> None:
    """No face is a result, not an error."""
    path = make_video(tmp_path / "a.mp4")
    summary = analyze_video(path, tmp_path / "out", Settings(), FixedClassifier())
    assert (summary["faces"], summary["moments"], summary["frames_with_faces"]) == ([], [], 0)
    assert (tmp_path / "out" / "timeline.png").stat().st_size > 1000


def test_progress_rises_to_the_end(tmp_path: Path, video: Path) -> None:
    """Seconds done never fall, and the last call says that all is done."""
    calls: list[tuple[float, float]] = []
    analyze_video(
        video, tmp_path / "out", Settings(), FixedClassifier(), progress=lambda done, total: calls.append((done, total))
    )
    done = [call[0] for call in calls]
    assert done == sorted(done)
    assert [*calls[0], *calls[-1]] == pytest.approx([0, 1.2, 1.2, 1.2])


def test_stopping_leaves_nothing(tmp_path: Path, video: Path) -> None:
    """When asked to stop in the middle, it stops before the next frame and removes what it wrote."""
    answers = [False, False, True]
    with pytest.raises(AnalysisCancelledError):
        analyze_video(video, tmp_path / "out", Settings(), FixedClassifier(), cancelled=lambda: answers.pop(0))
    assert answers == []
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize(("times", "question"), [([0, 3], 50), ([0, 0.04], 5)])
def test_stopping_while_sound_is_written(tmp_path: Path, times: list[float], question: int) -> None:
    """Between two pictures, and after the last, there may be much sound; it does not have to be waited for."""
    path = make_video(tmp_path / "a.mkv", plain_frames(2), times=times, sound="mp2")
    questions = count(1)
    with pytest.raises(AnalysisCancelledError):
        analyze_video(
            path, tmp_path / "out", Settings(), FixedClassifier(), cancelled=lambda: next(questions) > question
        )
    assert next(questions) == question + 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.mkv"]


def test_a_full_disk_leaves_nothing(tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk is full in the middle, the error says so, and what was written is gone."""
    written: list[float] = []

    def write(self: VideoWriter, image: Image, time: float, duration: float) -> None:
        written.append(time)
        if len(written) == 5:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(VideoWriter, "write", write)
    with pytest.raises(ResultsError, match="disk is full"):
        analyze_video(video, tmp_path / "out", Settings(), FixedClassifier())
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"max_video_megabytes": 0.001}, "at most 0.001 MB"),
        ({"max_video_megapixels": 0.01}, "160 x 190 pixels"),
        ({"max_video_seconds": 1}, r"longer than 1\.0 s"),
    ],
)
def test_limits_are_checked_first(tmp_path: Path, video: Path, values: dict[str, float], message: str) -> None:
    """Too large a file, too large pictures and too long a video are refused, with the limit in the message."""
    with pytest.raises(VideoSizeError, match=message):
        analyze_video(video, tmp_path / "out", limits(**values), FixedClassifier())
    assert not (tmp_path / "out").exists()


def test_length_is_checked_while_reading(tmp_path: Path) -> None:
    """A video that is longer than its header says is stopped when it passes the limit."""
    path = make_video(tmp_path / "a.mp4", plain_frames(50))
    data = bytearray(path.read_bytes())
    for box, at in ((b"mvhd", 16), (b"mdhd", 16), (b"tkhd", 20)):
        where = data.index(box) + 4 + at
        data[where : where + 4] = bytes(4)
    path.write_bytes(data)
    with pytest.raises(VideoSizeError, match=r"longer than 1\.0 s"):
        analyze_video(path, tmp_path / "out", limits(max_video_seconds=1), FixedClassifier())
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_a_broken_video_is_an_error(tmp_path: Path) -> None:
    """What is no video says so, and leaves nothing."""
    (tmp_path / "a.mp4").write_bytes(b"no video")
    with pytest.raises(SourceError):
        analyze_video(tmp_path / "a.mp4", tmp_path / "out", Settings(), FixedClassifier())
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
