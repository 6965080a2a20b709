import json
import select
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import benchmark
from benchmarks import peer, report, several, soak, viewers
from benchmarks.scenes import CrowdScene, VideoScene
from benchmarks.stages import Spread, label_changes
from config import DEMO_CLIP, DetectorSettings, Settings
from entities import EXPRESSIONS, Box, Face
from errors import ServerError
from tests.conftest import missing
from tests.helpers.footage import FixedClassifier, make_video, plain_frames
from vision.detection import FaceDetector


@pytest.fixture(scope="module")
def video(portrait, tmp_path_factory):
    """Return ten frames of somebody who moves to the side."""
    image, _ = portrait
    frames = (np.roll(image, 4 * i, axis=1) for i in range(10))
    return make_video(tmp_path_factory.mktemp("benchmark") / "portrait.mp4", frames)


@pytest.fixture
def command(monkeypatch):
    """Return a function that runs the command with a stand-in for the network, here and as a reference."""
    classifier = FixedClassifier()
    monkeypatch.setattr(benchmark, "reference_probabilities", lambda crops, _: classifier.predict(crops) + 0.25)
    return lambda *arguments: benchmark.main([str(argument) for argument in arguments], classifier)


def test_figures_go_to_table_json_and_plot(command, video, tmp_path, capsys):
    """One run gives a table, a JSON file of the same figures, and a plot."""
    written, plot = tmp_path / "new" / "figures.json", tmp_path / "plot.png"
    sizes = ("--size", "own", "--size", "320x240")
    assert command(video, *sizes, "--faces", 3, "--json", written, "--plot", plot) == 0
    figures = json.loads(written.read_text())
    first, _, crowd = [scene for scene in figures["scenes"] if scene["detector"] == "haar"]
    assert [scene["scene"] for scene in figures["scenes"] if scene["detector"] == "haar"] == [
        "portrait 512x600",
        "portrait 320x240",
        "3 faces 512x600",
    ]
    assert (first["frames"], first["with_face"], first["faces"]) == (10, 1.0, 1.0)
    assert first["searched"]["faces"] == 1.0
    assert first["difference"] == pytest.approx(0.25)
    assert crowd["faces"] == pytest.approx(3, abs=0.5)
    stages = first["stages"]
    parts = sum(stages[stage]["mean"] for stage in ("detect", "classify", "annotate", "encode"))
    assert 0 < parts <= stages["total"]["mean"] * 1.01
    assert stages["total"]["median"] <= stages["total"]["p95"]
    assert figures["command"].startswith("python benchmark.py ")
    assert plot.read_bytes().startswith(b"\x89PNG")
    table = capsys.readouterr().out
    assert "portrait 320x240" in table
    assert f"{stages['total']['median']:.2f}" in table
    assert not list(tmp_path.rglob(".partial-*"))


def test_what_was_measured_outlives_what_failed(command, video, tmp_path, monkeypatch, capsys):
    """Minutes of measuring are not lost because the viewers' part, or the plot, could not be had."""

    def fail(*_: object) -> None:
        raise ServerError("no port is free")

    monkeypatch.setattr(viewers, "measure_lifetime", fail)
    written = tmp_path / "figures.json"
    assert command(video, "--size", "own", "--faces", 0, "--viewers", 1, "--json", written) == 1
    assert json.loads(written.read_text())["scenes"][0]["frames"] == 10
    assert "no port is free" in capsys.readouterr().err


def test_a_plot_of_an_unknown_kind_is_refused_at_once(command, video, capsys):
    """Not after minutes of measuring."""
    with pytest.raises(SystemExit):
        command(video, "--plot", "plot.xyz")
    assert "plot.xyz must end in one of" in capsys.readouterr().err


def test_the_video_that_cannot_be_read_is_named(command, video, tmp_path, capsys):
    """There may be several."""
    missing = tmp_path / "nowhere.mp4"
    assert command(video, missing) == 1
    assert f"{missing}: There is no such file" in capsys.readouterr().err


def test_json_on_standard_output_is_only_json(command, video, capsys):
    """With --json - another program can read the output; the table is still to be seen."""
    assert command(video, "--size", "own", "--faces", 0, "--frames", 4, "--json", "-") == 0
    output = capsys.readouterr()
    assert json.loads(output.out)["scenes"][0]["frames"] == 4
    assert "frames a second" in output.err


def test_a_peer_that_is_not_there_is_skipped_in_words(command, video, tmp_path, capsys):
    """The rest is measured, and it says what to install."""
    missing = tmp_path / "python"
    assert command(video, "--size", "own", "--faces", 0, "--peer", "fer", "--peer-python", missing) == 0
    output = capsys.readouterr()
    assert "pip install fer" in output.err
    assert str(missing) in output.err
    assert "frames a second" in output.out


def test_a_peer_gets_the_same_frames(command, video, tmp_path, monkeypatch, capsys):
    """Another program reads every frame, as large as ours, and its time is set against ours."""
    script = tmp_path / "peer.py"
    script.write_text(
        "import json, sys\n"
        "data = sys.stdin.buffer.read()\n"
        "count = len(data) / (int(sys.argv[1]) * int(sys.argv[2]) * 3)\n"
        "print(json.dumps({'milliseconds': [count * 1000], 'with_face': 0.5}))\n"
    )
    monkeypatch.setitem(peer.SCRIPTS, "fer", script)
    monkeypatch.setattr(peer, "check", lambda *_: "1.0")
    written = tmp_path / "figures.json"
    given = ("--size", "320x240", "--faces", 0, "--peer", "fer", "--peer-python", sys.executable, "--json", written)
    assert command(video, *given) == 0
    found = json.loads(written.read_text())["scenes"][0]["peer"]
    assert (found["median"], found["with_face"]) == (10_000, 0.5)
    assert found["ratio"] > 10
    assert "10000.00" in capsys.readouterr().out


def test_a_peer_that_fails_on_the_frames_is_skipped_in_words(command, video, tmp_path, monkeypatch, capsys):
    """Our own figures are told all the same."""
    script = tmp_path / "peer.py"
    script.write_text("raise SystemExit(3)")
    monkeypatch.setitem(peer.SCRIPTS, "fer", script)
    monkeypatch.setattr(peer, "check", lambda *_: "1.0")
    assert command(video, "--size", "own", "--faces", 0, "--peer", "fer", "--peer-python", sys.executable) == 0
    output = capsys.readouterr()
    assert "fer is skipped, because it failed on the frames" in output.err
    assert "frames a second" in output.out


def test_a_crowd_of_a_video_without_faces_is_refused_before_anything_is_measured(command, tmp_path, capsys):
    """It is said at once, and how to go on without it."""
    grey = make_video(tmp_path / "grey.mp4", plain_frames(3))
    assert command(grey, "--size", "own") == 1
    output = capsys.readouterr()
    assert "shows no face to make a scene of many from: choose another, or --faces 0" in output.err
    assert not output.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--size", "large"],
        ["--faces", "many"],
        ["--faces", "-1"],
        ["--frames", "0"],
        ["--frames", "2.5"],
        ["--viewers", "0"],
        ["--seconds", "0.1"],
        ["--soak", "0.03"],
        ["--soak", "nan"],
        ["--peer", "nobody"],
    ],
)
def test_wrong_options_are_refused(arguments, capsys):
    """A wrong option ends with usage, before anything is measured."""
    with pytest.raises(SystemExit) as stopped:
        benchmark.main(arguments)
    assert stopped.value.code == 2
    assert arguments[1] in capsys.readouterr().err


def test_a_video_that_cannot_be_read_is_named(command, tmp_path, capsys):
    """A missing file is one line, without a traceback."""
    assert command(tmp_path / "nothing.mp4", "--size", "640x480") == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("benchmark.py: ")


def test_a_file_that_cannot_be_written_is_named(command, video, tmp_path, capsys):
    """Where the folder is a file, nothing is left half-written."""
    (tmp_path / "taken").write_text("")
    target = tmp_path / "taken" / "figures.json"
    assert command(video, "--size", "own", "--faces", 0, "--frames", 2, "--json", target) == 1
    assert str(target) in capsys.readouterr().err


def test_a_crowd_has_as_many_faces_as_asked_for(video):
    """In the scene of eight faces, a search of the whole frame finds eight, in two rows of four."""
    *_, last = CrowdScene(video, (640, 480), 8).frames()
    assert last.image.shape == (480, 640, 3)
    boxes = FaceDetector(DetectorSettings()).detect(last.image)
    assert {(round((b.x + b.width / 2) // 160), round((b.y + b.height / 2) // 240)) for b in boxes} == {
        (column, row) for column in range(4) for row in range(2)
    }


def test_a_video_is_fitted_with_bars(video):
    """A picture that is higher than wide keeps its shape in a wide frame."""
    frame = next(VideoScene(video, (640, 300)).frames())
    assert frame.image.shape == (300, 640, 3)
    assert frame.image[:, :150].max() == 0
    assert frame.image[:, 320].max() > 0


def seen(*labels):
    """Return what a face's track shows at 10 frames a second; None is uncertain."""
    for index, label in enumerate(labels):
        probabilities = [0.0] * 7
        probabilities[EXPRESSIONS.index(label or "Happy")] = 0.9 if label else 0.2
        yield index / 10, (Face(Box(0, 0, 9, 9), tuple(probabilities), 1, 0.5),)


def test_label_changes_count_uncertain_as_a_label():
    """Three changes in a second; a face that is not there adds no time."""
    frames = list(seen(*["Happy"] * 4, "Sad", "Sad", None, None, "Sad", "Sad", "Sad"))
    assert label_changes(frames) == pytest.approx(3.0)
    assert label_changes([(0.0, ()), (9.0, ())]) == 0


def test_spread_of_times():
    """Median, 95th percentile and mean of a list; zeros for none."""
    assert Spread.of([1.0] * 94 + [11.0] * 6) == Spread(1.0, 11.0, 1.6)
    assert Spread.of([]) == Spread(0.0, 0.0, 0.0)


def test_viewers_count_pictures_however_they_arrive():
    """A boundary that comes in pieces counts once, and the end of the stream is noticed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        viewer = viewers.Viewer(listener.getsockname()[1])
        connection, _ = listener.accept()
        connection.recv(1000)
        for piece in (b"HTTP/1.1 200 OK\r\n\r\n--fra", b"me\r\n", b"x--frame\r\nxx--frame\r", b"\n"):
            connection.sendall(piece)
            assert select.select([viewer.socket], [], [], 5)[0]
            viewer.read()
        assert (viewer.frames, viewer.open) == (3, True)
        connection.close()
        viewer.socket.setblocking(True)
        viewer.read()
        assert not viewer.open
        viewer.socket.close()


@pytest.mark.slow
def test_viewers_of_the_real_server():
    """Clients of the real application get pictures, and it ends when they are done."""
    before = set(threading.enumerate())
    with viewers.server(DEMO_CLIP) as (port, process):
        result = viewers.watch(port, process, 3, 2, seconds=1.0, drop_after=0)
    assert result.viewers == 3
    assert result.fps_min > 0
    assert result.pipeline_fps > 0
    assert result.status_max_ms < 5000
    assert "3 viewers, 2 asleep" in report.viewers_table([{name: getattr(result, name) for name in result.__slots__}])
    assert not process.is_running() or process.status() == "zombie"
    assert set(threading.enumerate()) <= before


@pytest.mark.slow
def test_cameras_of_the_real_server():
    """Each has a viewer that gets its pictures, and the table has a column for each number of cameras."""
    (result,) = several.measure(DEMO_CLIP, [2], 1.0)
    assert result["cameras"] == 2
    assert 0 < result["fps_min"] <= result["fps_max"]
    assert result["latency_ms"] > 0
    assert report.cameras_table([result]).splitlines()[0].split() == ["cameras", "2"]


@pytest.mark.slow
def test_the_server_begins_and_ends():
    """The page comes before the first face, and the process ends when it is told to."""
    lifetime = viewers.measure_lifetime(DEMO_CLIP)
    assert 0 < lifetime.page_seconds < lifetime.face_seconds
    assert 0 < lifetime.end_seconds < viewers.READY
    assert "after SIGTERM" in report.lifetime_line(lifetime)


@pytest.mark.slow
def test_what_the_server_keeps_of_viewers_who_come_and_go():
    """Viewers are counted while they are there, and what they took is given back."""
    result = soak.measure(DEMO_CLIP, 3, 0.1, rest=0.5)
    assert result.visits >= 1
    assert result.frames > 0
    assert max(sample.viewers for sample in result.during) <= 3
    assert result.before.memory_mb > 50
    assert "came and went" in report.soak_table(result)


def test_growth_is_what_comes_after_the_first_minute():
    """Memory may rise at first; what it rises above that later is growth."""
    samples = [soak.Sample(second, 1, memory, 5, 9) for second, memory in ((2, 300), (50, 500), (70, 490), (600, 512))]
    assert soak.Soak(samples[0], samples[-1], tuple(samples), 1, 1).growth_mb == 12


@pytest.mark.slow
def test_an_archive_is_measured(tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rates, processor time and memory of a run over clips, and what each stage costs."""
    if not Settings().model.weights.is_file():
        missing("no trained network")
    monkeypatch.setattr(benchmark, "CLIPS", 2)
    monkeypatch.setattr(benchmark, "CLIP_SECONDS", 1.0)
    monkeypatch.setattr("benchmarks.archive.STAGE_SECONDS", 1.0)
    other = [sys.executable, "-c", "large = b'x' * 1_100_000_000; input()"]
    with subprocess.Popen(other, stdin=subprocess.PIPE):  # which is not of the run, and ends as its input does
        assert benchmark.main(["--archive", "fps", "stages", "--json", str(tmp_path / "a.json")]) == 0
    told = json.loads((tmp_path / "a.json").read_text("utf-8"))["archive"]
    (rate,) = told["rates"]
    assert (rate["mode"], rate["workers"]) == ("fps 5", 2)
    assert rate["seconds"] > 0
    assert 100 < rate["memory_mb"] < 1000
    assert told["stages"]["decode"] > 0
    assert "s of video/s" in capsys.readouterr().out
