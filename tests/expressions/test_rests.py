"""Resting faces in recordings, and by way of the API."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from flask.testing import FlaskClient

import analyze
from analysis.recording.baseline import BaselineSource, known_rests, parse_rest, rest_record
from analysis.recording.video import analyze_video
from config import ROOT, ModelSettings, Settings
from entities import EXPRESSIONS, Box, Frame
from errors import RestError, SourceError
from expressions.resting import RestingFace
from expressions.stillness import resting_spans
from model import FacialExpressionModel
from pipeline import ExpressionPipeline, RawFace, compare_largest
from tests.expressions.test_resting import row
from tests.helpers.footage import make_video
from vision.detectors.detector import Detection
from vision.geometry import Square

SAD = RestingFace.of(row(Sad=0.85))


class SadAtRest:
    """Sees every face as rather sad, and a dark one as sadder still."""

    def predict(self, faces):
        """Return a row a face."""
        return np.array([row(Sad=0.75, Neutral=0.2) for _ in faces], np.float32).reshape(-1, 7)


@pytest.fixture
def video(tmp_path: Path, portrait) -> Path:
    """Return two seconds of a face."""
    image = cv2.resize(portrait[0], (320, 378))
    return make_video(tmp_path / "face.mp4", (image for _ in range(20)), fps=10)


def frames_of(rows, rate=10.0, number=1):
    """Return the frames of a recording that shows one face with these probabilities."""
    box, detection = Box(0, 0, 9, 9), Detection(Square(0, 0, 9), 1.0)
    return [(i / rate, [RawFace(number, box, tuple(values), detection)]) for i, values in enumerate(rows)]


@pytest.mark.parametrize(
    ("text", "span"),
    [("0:03-0:06", (3, 6)), (" 1:00 - 1:02.5 ", (60, 62.5)), ("3-6", (3, 6)), ("1:00:03–1:00:06", (3603, 3606))],
)
def test_times_are_read_as_people_write_them(text, span):
    """Seconds, minutes and hours, with either dash."""
    assert parse_rest(text) == BaselineSource("asked", span)


@pytest.mark.parametrize("text", ["", "3", "6-3", "0:03-", "a-b", "-3-6", "3-6-9", "1:2:3:4-9", "nan-inf"])
def test_other_times_are_refused(text):
    """The error says what to write."""
    with pytest.raises(RestError, match="0:03-0:06"):
        parse_rest(text)


def test_auto_takes_still_and_unclear_times_only():
    """Of two minutes, those are taken in which the face hardly changes and no expression is clear."""
    still = [row(Sad=0.45, Neutral=0.5)] * 300
    smiling = [row(Happy=0.95)] * 300
    restless = [row(Neutral=0.9) if i % 4 < 2 else row(Neutral=0.5, Sad=0.4) for i in range(300)]
    frames = frames_of([*smiling, *still, *restless, *smiling])
    rests = known_rests(BaselineSource("found"), frames, 120)
    ((begin, end),) = rests[1].spans
    assert begin == pytest.approx(30, abs=0.2)
    assert end == pytest.approx(59.9, abs=0.2)
    assert rests[1].rest.probabilities == pytest.approx(still[0], abs=1e-4)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([row(Happy=0.95)] * 700, "none was still"),
        ([row(Neutral=0.9)] * 590, "60 seconds or more"),
        ([row(Happy=0.95)] * 700 + [row(Neutral=0.9)] * 25, "none was still"),
    ],
)
def test_auto_says_that_it_found_none(rows, why):
    """A face that always smiles, a short recording, and a rest of two seconds give none, and the results say why."""
    frames, duration = frames_of(rows), len(rows) / 10
    rests = known_rests(BaselineSource("found"), frames, duration)
    assert rests == {}
    assert why in rest_record(BaselineSource("found"), rests, duration)["note"]


@pytest.mark.parametrize(("rate", "found"), [(1.0, False), (3.3, False), (3.4, True)])
def test_auto_says_that_the_rate_is_too_low(rate, found):
    """Below 3.4 frames a second no rest is found in a face that never moves, and that is not the face's fault."""
    frames = frames_of([row(Neutral=0.9)] * round(100 * rate), rate)
    rests = known_rests(BaselineSource("found"), frames, 100)
    assert bool(rests) == found
    said = rest_record(BaselineSource("found"), rests, 100, rate)["note"]
    assert said.startswith("" if found else "No resting face was looked for: that takes 3.4 frames a second or more")
    assert (f"{rate:g} were looked at" in said) != found


def test_a_face_that_comes_and_goes_is_not_still():
    """A second counts only if the face was there all the time."""
    times = np.concatenate([start + np.arange(9) / 10 for start in range(0, 120, 2)])
    assert resting_spans(times, np.tile(row(Neutral=0.9), (len(times), 1))) == []


def test_a_video_is_compared_from_its_first_frame(video, tmp_path):
    """The rest is seen late in the video, and counts in all of it; tables and summary tell of both."""
    target = tmp_path / "results"
    summary = analyze_video(video, target, Settings(), SadAtRest(), rest=parse_rest("0:01-0:02"))
    assert summary["shares"]["Neutral"] == 1
    assert summary["rest"]["kind"] == "asked"
    ((begin, end),) = summary["rest"]["faces"][0]["spans"]
    assert 1 <= begin < end <= 2
    header, first, *_ = (line.split(",") for line in (target / "frames.csv").read_text().splitlines())
    cells = dict(zip(header, first, strict=True))
    assert (cells["expression"], cells["compared"]) == ("Neutral", "1")
    assert float(cells["as_seen_Sad"]) == pytest.approx(0.75)
    seen = json.loads((target / "frames.json").read_text())["frames"][0]["faces"][0]["as_seen"]
    assert list(seen) == list(EXPRESSIONS)


def test_a_rest_that_looks_like_none_is_told():
    """It is taken as asked for, since some faces do look like that; the results say so."""
    wanted, frames = parse_rest("0-2"), frames_of([row(Happy=0.97)] * 30)
    assert "face 1 looked Happy (97%)" in rest_record(wanted, known_rests(wanted, frames, 3), 3)["note"]


def test_without_a_rest_results_are_as_ever(video, tmp_path):
    """No comparison, no columns for it, and `rest` is null."""
    summary = analyze_video(video, tmp_path / "results", Settings(), SadAtRest())
    assert summary["rest"] is None
    assert summary["shares"]["Sad"] == 1
    assert "as_seen" not in (tmp_path / "results" / "frames.csv").read_text()


def test_progress_covers_both_ways_through_a_video(video, tmp_path):
    """It rises to the end, without starting again."""
    told = []
    analyze_video(
        video,
        tmp_path / "results",
        Settings(),
        SadAtRest(),
        rest=parse_rest("0-1"),
        progress=lambda done, total: told.append((done, total)),
    )
    done = [share for share, _ in told]
    assert done == sorted(done)
    assert len(told) > 30
    assert done[-1] == told[-1][1]


def test_a_time_without_faces_leaves_nothing(video, tmp_path):
    """The error names the time; no results are made."""
    with pytest.raises(RestError, match="no face is seen"):
        analyze_video(video, tmp_path / "results", Settings(), SadAtRest(), rest=parse_rest("5-6"))
    assert not list(tmp_path.glob("*results*"))


def test_a_saved_rest_from_the_command_line(video, tmp_path, portrait, capsys):
    """A file that the page saved serves for videos and for pictures; for these a time does not."""
    saved = tmp_path / "rest.json"
    saved.write_text(json.dumps({"resting_face": SAD.record()}))
    picture = tmp_path / "face.png"
    cv2.imwrite(str(picture), portrait[0])
    out = ("--no-quiet", "--out", str(tmp_path / "out"))
    assert analyze.main([str(video), str(picture), "--rest", str(saved), *out], SadAtRest()) == 0
    assert capsys.readouterr().out.count("Neutral") == 2
    rows = (tmp_path / "out" / "face-2" / "faces.csv").read_text().splitlines()
    assert rows[0].endswith("as_seen_Neutral,marker")
    assert analyze.main([str(picture), "--rest", "0:01-0:02", *out, "--overwrite"], SadAtRest()) == 1
    assert "A picture has no time" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"resting_face": {"Happy": 1}}', '{"resting_face": 5}'])
def test_a_file_that_holds_no_rest_is_refused(tmp_path, capsys, content):
    """An empty file, other JSON, and half a record give an error in a line."""
    saved = tmp_path / "rest.json"
    saved.write_text(content)
    assert analyze.main(["any.mp4", "--rest", str(saved)], SadAtRest()) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_live_faces_are_compared_until_it_is_taken_back(portrait):
    """The next frame tells both; taken back, the face is as it was seen, with its past."""
    pipeline = ExpressionPipeline(Settings(model=ModelSettings(smoothing=0)), SadAtRest())
    (face,), _ = pipeline.process(Frame(portrait[0], 0, 0.0))
    assert (face.expression, face.uncorrected) == ("Sad", ())
    pipeline.compare(face.track_id, SAD)
    (face,), _ = pipeline.process(Frame(portrait[0], 1, 0.1))
    assert face.expression == "Neutral"
    assert face.uncorrected == pytest.approx(face.raw)
    pipeline.compare(face.track_id, None)
    (face,), _ = pipeline.process(Frame(portrait[0], 2, 0.2))
    assert (face.expression, face.uncorrected) == ("Sad", ())


def test_a_rest_is_gone_with_its_video(portrait):
    """After a reset nobody is compared with anything."""
    pipeline = ExpressionPipeline(Settings(), SadAtRest())
    (face,), _ = pipeline.process(Frame(portrait[0], 0, 0.0))
    pipeline.compare(face.track_id, SAD)
    pipeline.reset()
    (face,), _ = pipeline.process(Frame(portrait[0], 1, 0.1))
    assert face.uncorrected == ()


def test_a_rest_goes_with_its_face(portrait):
    """While its number may come back it is kept, and no longer."""
    pipeline = ExpressionPipeline(Settings(), SadAtRest())
    (face,), _ = pipeline.process(Frame(portrait[0], 0, 0.0))
    pipeline.compare(face.track_id, SAD)
    nobody = np.zeros_like(portrait[0])
    pipeline.process(Frame(nobody, 1, 1.0))
    assert list(pipeline._rests) == [face.track_id]
    pipeline.process(Frame(nobody, 2, 4.0))
    assert not pipeline._rests


def test_of_a_picture_the_largest_face_is_compared():
    """A rest is one person's."""
    from entities import Face

    faces = [Face(Box(0, 0, side, side), tuple(row(Sad=0.8)), side, raw=tuple(row(Sad=0.8))) for side in (10, 30, 20)]
    assert [bool(face.uncorrected) for face in compare_largest(faces, SAD)] == [False, True, False]
    assert compare_largest([], SAD) == ()


def send(client: FlaskClient, stream: str, picture: bytes):
    """Send a frame of the own camera; return its faces."""
    return client.post(f"/api/live/frame?stream={stream}", data=picture).get_json()["faces"]


def test_the_own_cameras_face(client, camera, portrait):
    """A rest is set by a face's id and stream, shows in the next answer, and is taken back."""
    picture, stream = cv2.imencode(".jpg", portrait[0])[1].tobytes(), "x" * 20
    (face,) = send(client, stream, picture)
    where = f"/api/live/rest?stream={stream}&face={face['id']}"
    body = {"resting_face": RestingFace.of(row(Happy=0.8)).record()}
    assert client.put(where, json=body).status_code == 204
    (face,) = send(client, stream, picture)
    assert face["expression"] == "Neutral"
    assert face["as_seen"]["Happy"] == pytest.approx(0.8)
    assert client.delete(where).status_code == 204
    (face,) = send(client, stream, picture)
    assert "as_seen" not in face


def test_faces_that_are_not_in_view(client, camera):
    """Another id, another stream, and the server's video without faces are answered with 404."""
    body = {"resting_face": SAD.record()}
    for where in ("face=3", "face=3&stream=" + "y" * 20):
        answer = client.put(f"/api/live/rest?{where}", json=body)
        assert answer.status_code == 404
        assert answer.get_json()["error"]["code"] == "no_such_face"


def test_the_servers_video_is_for_those_who_may_change_it(camera):
    """Where the video may not be changed, its labels may not either."""
    from app import create_app

    settings = Settings.model_validate({"server": {"change_source": False}})
    client = create_app(settings, camera.as_camera()).test_client()
    answer = client.put("/api/live/rest?face=7", json={"resting_face": SAD.record()})
    assert answer.status_code == 403


@pytest.mark.parametrize("body", [{}, {"resting_face": {}}, {"resting_face": dict.fromkeys(EXPRESSIONS, 0.9)}, []])
def test_a_body_that_is_no_rest(client, body):
    """It is refused with 400, in words."""
    answer = client.put("/api/live/rest?face=7", json=body)
    assert answer.status_code == 400
    assert answer.get_json()["error"]["message"]


def test_a_picture_with_a_rest(client, camera, portrait):
    """/api/predict compares the face, and tells what it saw; a field that is no rest is refused."""
    picture = cv2.imencode(".jpg", portrait[0])[1].tobytes()

    def predict(rest):
        from io import BytesIO

        return client.post("/api/predict", data={"image": (BytesIO(picture), "x.jpg"), "rest": rest})

    rest = json.dumps({"resting_face": RestingFace.of(row(Happy=0.8)).record()})
    (face,) = predict(rest).get_json()["faces"]
    assert (face["expression"], face["as_seen"]["Happy"]) == ("Neutral", pytest.approx(0.8))
    for wrong in ("no json", "{}", json.dumps({"resting_face": dict.fromkeys(EXPRESSIONS, 0.9)})):
        answer = predict(wrong)
        assert answer.status_code == 400
        assert answer.get_json()["error"]["message"]


def test_unknown_videos_stay_errors(tmp_path):
    """Looking ahead does not hide that a file is no video."""
    with pytest.raises(SourceError):
        analyze_video(tmp_path / "none.mp4", tmp_path / "r", Settings(), SadAtRest(), rest=parse_rest("auto"))


SMILE = (("Neutral", 0.0, 0.55), ("Happy", 0.9, 2.4), ("Neutral", 2.8, 3.1))
"""What ../shared/samples/neutral_to_smile.mp4 shows, and when (seconds)."""


def frames_wrong(folder: Path) -> list[int]:
    """Return for each of SMILE how many of its frames have another label."""
    frames = json.loads((folder / "frames.json").read_text())["frames"]
    named = [(frame["time"], frame["faces"][0]["expression"]) for frame in frames if frame["faces"]]
    return [sum(name != shown for time, name in named if begin <= time <= end) for shown, begin, end in SMILE]


def test_a_smile_on_video_stays_one(shared, tmp_path):
    """With the network that ships, comparing with the rest costs at most one frame of each part of a real video."""
    video = shared / "samples" / "neutral_to_smile.mp4"
    network = FacialExpressionModel(ROOT / "model.json", ROOT / "model_weights.h5")
    analyze_video(video, tmp_path / "seen", Settings(), network)
    analyze_video(video, tmp_path / "compared", Settings(), network, rest=parse_rest("0-0.5"))
    seen, compared = frames_wrong(tmp_path / "seen"), frames_wrong(tmp_path / "compared")
    assert all(later <= before + 1 for before, later in zip(seen, compared, strict=True))
