"""`from analyze import analyze_video, analyze_image`: tables, a plot, and files only where they are asked for."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import PIL.Image
import pytest
from matplotlib.figure import Figure

from analysis.output.tables import columns
from analyze import analyze_image, analyze_video
from config import IntervalSettings, Settings
from entities import EXPRESSIONS, Box, Image
from errors import ConfigError, ImageError, RestError, SourceError
from tests.helpers.footage import FixedClassifier, make_video
from vision.sampling import Sampling

SAD = FixedClassifier("Sad", 0.9)


@pytest.fixture
def video(tmp_path: Path, portrait: tuple[Image, Box]) -> Path:
    """Return a video of 1.2 seconds with a face in the first 0.8."""
    small = np.asarray(cv2.resize(portrait[0], (160, 190)), np.uint8)
    return make_video(tmp_path / "clip.mp4", iter([small] * 8 + [np.full_like(small, 90)] * 4), fps=10)


def test_frames_of_a_video(video: Path) -> None:
    """A row a frame, with the face or without; the types are those that the documentation gives."""
    before = set(video.parent.iterdir())
    result = analyze_video(video, classifier=SAD)
    frames = result.frames
    assert set(video.parent.iterdir()) == before, "nothing is written"
    assert tuple(frames.columns) == columns(uncorrected=False)
    assert list(frames["frame"]) == list(range(12))
    assert frames["duration"].sum() == pytest.approx(1.2)
    seen, unseen = frames[frames["face"].notna()], frames[frames["face"].isna()]
    assert len(seen) >= 8
    assert set(seen["expression"]) == {"Sad"}
    assert np.allclose(seen[list(EXPRESSIONS)].sum(axis=1), 1, atol=1e-4)
    assert np.allclose(seen["valence"], -0.9 + 0.1 / 6, atol=1e-4)
    assert list(seen["usable"]) == [frame < 8 for frame in seen["frame"]], "what is still followed is not usable"
    assert set(unseen["expression"]) == {""}
    assert unseen[list(EXPRESSIONS)].isna().all(axis=None)
    kinds = {name: str(kind) for name, kind in frames.dtypes.items()}
    assert (kinds["frame"], kinds["face"], kinds["usable"], kinds["time"]) == ("int64", "Int32", "boolean", "float64")


def test_faces_of_a_video(video: Path) -> None:
    """A row a person: how long, what on average, and how that varies."""
    (face,) = analyze_video(video, classifier=SAD).faces.to_dict("records")
    assert (face["file"], face["share_Sad"], face["share_Uncertain"]) == ("clip.mp4", 1, 0)
    assert face["seconds"] == pytest.approx(0.8, abs=0.21)
    assert face["mean_Sad"] == pytest.approx(0.9)
    assert face["sd_Sad"] == pytest.approx(0, abs=1e-3)


def test_intervals_of_a_video(video: Path) -> None:
    """A row a stretch; other limits are a setting."""
    (interval,) = analyze_video(video, classifier=SAD).intervals.to_dict("records")
    assert (interval["file"], interval["expression"], interval["onset"]) == ("clip.mp4", "Sad", 0)
    assert interval["duration"] == pytest.approx(0.8)
    settings = Settings(intervals=IntervalSettings(shortest=1))
    assert analyze_video(video, classifier=SAD, settings=settings).intervals.empty


def test_what_is_written_is_what_the_tables_say(video: Path, tmp_path: Path) -> None:
    """`write` gives what the command writes of a file, and the same frames in CSV and Parquet."""
    result = analyze_video(video, classifier=SAD)
    result.write(tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"frames.csv", "frames.json", "frames.xlsx", "frames.parquet", "summary.json", "timeline.png"} <= names
    assert "annotated.mp4" not in names
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "out" / "frames.parquet"), result.frames)
    table = pd.read_csv(tmp_path / "out" / "frames.csv")
    assert list(table["time"]) == list(result.frames["time"])
    assert list(table["usable"].dropna()) == [int(usable) for usable in result.frames["usable"].dropna()]


def test_plots(video: Path, portrait: tuple[Image, Box]) -> None:
    """Of a video it is the timeline, of a picture the picture."""
    for result in (analyze_video(video, classifier=SAD), analyze_image(portrait[0], classifier=SAD)):
        assert isinstance(result.plot(), Figure)


def test_a_picture_from_a_path_bytes_or_pixels(tmp_path: Path, portrait: tuple[Image, Box]) -> None:
    """All three show the same face; colour or grey."""
    path = tmp_path / "portrait.png"
    cv2.imwrite(str(path), portrait[0])
    grey = np.asarray(cv2.cvtColor(portrait[0], cv2.COLOR_BGR2GRAY), np.uint8)
    tables = [analyze_image(image, classifier=SAD).frames for image in (path, path.read_bytes(), portrait[0], grey)]
    assert tables[0]["file"].item() == "portrait.png"
    for table in tables:
        assert (table["expression"].item(), table["duration"].item()) == ("Sad", 0)
        assert table["x"].item() == pytest.approx(tables[0]["x"].item(), abs=5)


def test_pictures_of_pillow(portrait: tuple[Image, Box]) -> None:
    """They are RGB, and may lie on their side, as their EXIF orientation tells."""
    rgb = PIL.Image.fromarray(portrait[0][..., ::-1])
    lying = rgb.transpose(PIL.Image.Transpose.ROTATE_90)
    lying.getexif()[0x0112] = 6
    straight = analyze_image(portrait[0], classifier=SAD).frames
    for image in (rgb, lying):
        table = analyze_image(image, classifier=SAD).frames
        pd.testing.assert_frame_equal(table, straight)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((0, 0, 3), np.uint8), r"shape \(0, 0, 3\) is no picture"),
        (np.zeros((2, 8, 8, 3), np.uint8), "is no picture. Pass .H, W, 3. BGR"),
        (np.zeros((8, 8, 3)), r"these are float64.*image \* 255"),
    ],
)
def test_pixels_that_are_no_picture_are_refused(image: Image, words: str) -> None:
    """The message says what to pass."""
    with pytest.raises(ImageError, match=words):
        analyze_image(image, classifier=SAD)


def test_what_is_asked_of_a_video_is_checked(video: Path) -> None:
    """Numbers that cannot be meant are refused before anything is read; seconds may be numbers."""
    for wrong in ({"fps": 0}, {"every": 0}, {"begin": 3, "end": 1}, {"begin": -1}):
        with pytest.raises(ConfigError, match="Give"):
            Sampling(**wrong)
    frames = [analyze_video(video, rest=rest, classifier=SAD).frames for rest in ((0, 0.5), "0-0.5")]
    pd.testing.assert_frame_equal(*frames)
    wrong_rests: list[Any] = [(2, 0), (1,), 3]
    for wrong_rest in wrong_rests:
        with pytest.raises(RestError, match=r"such as \(3, 6\)"):
            analyze_video(video, rest=wrong_rest, classifier=SAD)


def test_a_picture_without_a_face_has_a_row(tmp_path: Path) -> None:
    """It is a row without a face, and no person."""
    result = analyze_image(np.full((100, 100, 3), 90, np.uint8), classifier=SAD)
    assert len(result.frames) == 1
    assert result.frames["face"].isna().all()
    assert len(result.faces) == 0
    result.write(tmp_path / "out")
    assert len(pd.read_csv(tmp_path / "out" / "faces.csv")) == 1


def test_resting_faces(video: Path) -> None:
    """Tables have both, as seen and compared."""
    frames = analyze_video(video, rest="0-0.5", classifier=SAD).frames
    seen = frames[frames["face"].notna()]
    assert seen["compared"].all()
    assert np.allclose(seen["as_seen_Sad"], 0.9, atol=1e-4)
    assert (seen["Sad"] < 0.5).all()


def test_errors(tmp_path: Path) -> None:
    """They are the project's own, and say what to do."""
    with pytest.raises(SourceError, match="no such file"):
        analyze_video(tmp_path / "none.mp4", classifier=SAD)
    with pytest.raises(ImageError):
        analyze_image(b"no picture", classifier=SAD)
    with pytest.raises(RestError, match="no time"):
        analyze_image(tmp_path / "a.png", rest="0-1", classifier=SAD, settings=Settings())
