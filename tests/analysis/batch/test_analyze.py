"""The command line: files of any kind in, folders of results out, errors in words."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import PIL.Image
import pytest

import analyze
from analysis.batch.dataset import TABLES
from analysis.batch.record import RECORD
from analysis.output.tables import columns
from analysis.study.study import REPORT
from config import ROOT, Settings
from entities import Box, Image
from tests.conftest import missing
from tests.helpers.footage import FixedClassifier, make_video


@pytest.fixture
def picture(tmp_path: Path, portrait: tuple[Image, Box]) -> Path:
    """Return a picture file with one face in it."""
    path = tmp_path / "portrait.jpg"
    cv2.imwrite(str(path), portrait[0])
    return path


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Return a video file without a face."""
    return make_video(tmp_path / "clip.mp4")


def run(*arguments: object) -> int:
    """Run the command with a stand-in for the network, and let it say what it does."""
    return analyze.main(["--no-quiet", *(str(argument) for argument in arguments)], FixedClassifier("Happy", 0.8))


def names(folder: Path) -> set[str]:
    """Return the names in a folder, but for those of the run's tables, record and report."""
    return (
        {path.name for path in folder.iterdir()} - {*TABLES, REPORT, RECORD, "codebook.json", "codebook.html"}
        if folder.is_dir()
        else set()
    )


def test_each_file_has_its_folder(tmp_path: Path, picture: Path, video: Path, capsys) -> None:
    """A picture and a video are told apart, and what was found is printed."""
    assert run(picture, video, "--annotate", "--out", tmp_path / "out") == 0
    assert names(tmp_path / "out" / "portrait") == {"annotated.png", "faces.json", "faces.csv", "faces.xlsx"}
    assert "annotated.mp4" in names(tmp_path / "out" / "clip")
    printed = capsys.readouterr().out.splitlines()
    assert "portrait.jpg: Happy" in printed[0]
    assert "clip.mp4: no face" in printed[1]


def test_picture_results_agree(tmp_path: Path, picture: Path, portrait: tuple[Image, Box]) -> None:
    """JSON, CSV and the annotated picture show the same face where it is."""
    run(picture, "--annotate", "--out", tmp_path)
    told = json.loads((tmp_path / "portrait" / "faces.json").read_text("utf-8"))
    with (tmp_path / "portrait" / "faces.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    (face,) = told["faces"]
    assert (face["expression"], face["confidence"], face["probabilities"]["Happy"]) == ("Happy", 0.8, 0.8)
    assert row["expression"] == "Happy"
    assert [int(row[side]) for side in ("x", "y", "width", "height")] == face["box"]
    x, y, width, height = face["box"]
    expected = portrait[1]
    assert x < expected.x + expected.width / 2 < x + width
    assert y < expected.y + expected.height / 2 < y + height
    annotated = cv2.imread(str(tmp_path / "portrait" / "annotated.png"))
    assert annotated is not None
    assert annotated.shape == portrait[0].shape
    assert (annotated != portrait[0]).any()


def test_files_of_one_name_do_not_meet(tmp_path: Path, video: Path) -> None:
    """Two files called alike are told apart by the folders that they are in."""
    (tmp_path / "other").mkdir()
    again = make_video(tmp_path / "other" / "clip.mp4")
    assert run(video, again, "--out", tmp_path / "out") == 0
    assert names(tmp_path / "out") == {f"{tmp_path.name}-clip", "other-clip"}
    assert set(pd.read_parquet(tmp_path / "out" / "frames")["file"]) == {f"{tmp_path.name}/clip.mp4", "other/clip.mp4"}


def test_what_was_done_is_not_done_again(tmp_path: Path, picture: Path, capsys) -> None:
    """A second run keeps what is there; other settings, other content or --overwrite do it again."""
    out = ("--out", tmp_path / "out")
    lines = []
    for options in ((), (), ("--annotate",), ("--annotate",), ("--annotate", "--overwrite")):
        assert run(picture, *out, *options) == 0
        lines.append(capsys.readouterr().out)
    picture.write_bytes(picture.read_bytes() + b"more")
    run(picture, *out, "--annotate")
    lines.append(capsys.readouterr().out)
    assert ["before" in line for line in lines] == [False, True, False, True, False, False]
    assert len(pd.read_parquet(tmp_path / "out" / "frames")) == 1


def test_a_touched_or_moved_file_is_not_done_again(tmp_path: Path, picture: Path, capsys) -> None:
    """The content counts, not when it was written or where it lies."""
    run(picture, "--out", tmp_path / "out")
    capsys.readouterr()
    os.utime(picture)
    run(picture, "--out", tmp_path / "out")
    (tmp_path / "elsewhere").mkdir()
    run(picture.rename(tmp_path / "elsewhere" / picture.name), "--out", tmp_path / "out")
    assert capsys.readouterr().out.count("before") == 2
    assert len(pd.read_parquet(tmp_path / "out" / "files")) == 1


def test_foreign_folders_are_not_replaced(tmp_path: Path, picture: Path, capsys) -> None:
    """A folder of the file's name that this run did not make stays as it is."""
    (tmp_path / "out" / "portrait").mkdir(parents=True)
    (tmp_path / "out" / "portrait" / "thesis.txt").touch()
    assert run(picture, "--out", tmp_path / "out") == 1
    assert "holds no results" in capsys.readouterr().err
    assert names(tmp_path / "out" / "portrait") == {"thesis.txt"}


def test_a_bad_file_does_not_stop_the_others(tmp_path: Path, picture: Path, capsys) -> None:
    """Every failure is a line with the file's name and what to do; the rest is done, and the status tells."""
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    assert run(broken, tmp_path / "nowhere.mp4", picture, "--out", tmp_path / "out") == 1
    assert names(tmp_path / "out") == {"portrait"}
    errors = capsys.readouterr().err
    assert f"{broken}: This is not a video" in errors
    assert "nowhere.mp4: There is no such file" in errors
    assert "Traceback" not in errors
    files = pd.read_parquet(tmp_path / "out" / "files").set_index("file")
    assert dict(files["state"]) == {"broken.mp4": "failed", "nowhere.mp4": "failed", "portrait.jpg": "done"}
    assert files["reason"]["broken.mp4"].startswith("This is not a video")


def test_what_a_folder_has_besides_is_named(tmp_path: Path, picture: Path, capsys) -> None:
    """It is told, in `files` and in the report, as long as it is there, and no failure."""
    folder, out = tmp_path / "clips", tmp_path / "out"
    folder.mkdir()
    picture.rename(folder / "@portrait")
    (folder / "notes.txt").write_text("x")
    assert run(folder, "--out", out) == 0
    assert "Left out of folders: notes.txt (neither a picture nor a video)." in capsys.readouterr().err
    files = pd.read_parquet(out / "files").set_index("file")
    assert dict(files["state"]) == {"@portrait": "done", "notes.txt": "left out"}
    assert "notes.txt" in (out / REPORT).read_text("utf-8")
    (folder / "notes.txt").unlink()
    assert run(folder, "--out", out) == 0
    assert "notes.txt" not in capsys.readouterr().err
    assert list(pd.read_parquet(out / "files")["file"]) == ["@portrait"]


def test_names_that_look_like_options(tmp_path: Path, picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a shell makes of * may begin with a hyphen or an @."""
    monkeypatch.chdir(tmp_path)
    picture.rename("-x.jpg")
    (tmp_path / "@y.jpg").write_bytes((tmp_path / "-x.jpg").read_bytes())
    assert run("-x.jpg", "@y.jpg", "--out", "out") == 0
    assert sorted(pd.read_parquet("out/files")["file"]) == ["-x.jpg", "@y.jpg"]


def test_tables_of_a_run(tmp_path: Path, picture: Path, video: Path) -> None:
    """Each file has its rows in frames, faces and files, in Parquet, and with --format csv in CSV, too."""
    out = tmp_path / "out"
    assert run(tmp_path, "--out", out, "--format", "csv") == 0
    frames, faces, files = (pd.read_parquet(out / table) for table in ("frames", "faces", "files"))
    assert list(files["file"]) == ["clip.mp4", "portrait.jpg"]
    assert dict(zip(files["file"], files["kind"], strict=True)) == {"clip.mp4": "video", "portrait.jpg": "picture"}
    assert (faces["file"].item(), faces["share_Happy"].item(), faces["seconds"].item()) == ("portrait.jpg", 1, 0)
    assert dict(frames["file"].value_counts()) == {"clip.mp4": 25, "portrait.jpg": 1}
    assert tuple(frames.columns) == columns(uncorrected=False)
    for table, rows in (("frames", frames), ("faces", faces), ("files", files)):
        written = pd.read_csv(out / f"{table}.csv")
        assert list(written.columns) == list(rows.columns)
        assert len(written) == len(rows)
    assert list(pd.read_csv(out / "frames.csv")["usable"].dropna()) == [1]


def test_without_annotate_there_are_tables_and_plots_only(tmp_path: Path, picture: Path, video: Path) -> None:
    """Annotated videos and pictures are made where they are asked for."""
    assert run(picture, video, "--out", tmp_path / "out") == 0
    assert names(tmp_path / "out" / "portrait") == {"faces.json", "faces.csv", "faces.xlsx"}
    assert "annotated.mp4" not in names(tmp_path / "out" / "clip")
    assert {"timeline.png", "frames.csv", "frames.parquet"} <= names(tmp_path / "out" / "clip")


def test_without_a_terminal_only_failures_are_told(tmp_path: Path, picture: Path) -> None:
    """What runs at night fills no log; what fails is told."""
    command = [
        sys.executable,
        "-c",
        "import sys, analyze, tests.helpers.footage as f; analyze.main(None, f.FixedClassifier())",
    ]
    arguments = [str(picture), str(tmp_path / "none.mp4"), "--out", str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [*command, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert "none.mp4: There is no such file" in ended.stderr


def test_limits_come_from_the_config(tmp_path: Path, picture: Path, video: Path, capsys) -> None:
    """Settings from --config limit both kinds of files."""
    config = tmp_path / "small.toml"
    config.write_text("[uploads]\nmax_megapixels = 0.1\nmax_video_seconds = 0.5\n", encoding="utf-8")
    assert run(picture, video, "--out", tmp_path / "out", "--config", config) == 1
    errors = capsys.readouterr().err
    assert "at most 0.1 megapixels" in errors
    assert "longer than 0.5 s" in errors


def test_a_bad_config_is_said_before_anything_is_loaded(tmp_path: Path, picture: Path, capsys) -> None:
    """An unknown setting is named."""
    config = tmp_path / "bad.toml"
    config.write_text("[uploads]\nmax_gigabytes = 1\n", encoding="utf-8")
    assert run(picture, "--config", config) == 1
    assert "max_gigabytes" in capsys.readouterr().err


def test_ctrl_c_stops_cleanly(tmp_path: Path, video: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends with the usual status and without a traceback, and leaves nothing half-written."""
    calls: list[Settings] = []

    class Interrupted:
        def __init__(self, settings: Settings, classifier: object) -> None:
            calls.append(settings)

        def classify_batch(self, frames: object) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr("analysis.recording.video.ExpressionPipeline", Interrupted)
    assert run(video, "--out", tmp_path / "out") == 130
    assert calls
    assert "Stopped" in capsys.readouterr().err
    assert names(tmp_path / "out") == set()


ODD_NAMES = [b"caf\xe9.ts", b"x" * 241 + b".ts", b"..ts", "日本.ts".encode(), b"-clip.ts", b"$x^{2}.ts"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' file names are text, or do not allow these")
def test_any_name_is_analysed_whatever_can_be_printed(tmp_path: Path) -> None:
    """Names that are not UTF-8, very long, or without a stem; and an output that lacks letters."""
    video = make_video(tmp_path / "plain.ts")
    paths = [os.fsencode(tmp_path) + b"/" + name for name in ODD_NAMES]
    for path in paths:
        os.link(os.fsencode(video), path)
    code = "import sys, analyze, tests.helpers.footage as f; sys.exit(analyze.main(None, f.FixedClassifier()))"
    command: list[str | bytes] = [
        sys.executable,
        "-c",
        code,
        "--no-quiet",
        "--out",
        str(tmp_path / "out"),
        "--",
        *paths,
    ]
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=110, check=False)
    assert ended.returncode == 0, ended.stderr
    assert b"Traceback" not in ended.stderr
    assert ended.stdout.count(b"no face") == len(ODD_NAMES)
    folders = names(tmp_path / "out")
    assert len(folders) == len(ODD_NAMES)
    for folder in folders:
        json.loads((tmp_path / "out" / folder / "summary.json").read_text("utf-8"))["name"].encode()


def test_a_surprise_in_one_file_does_not_stop_the_others(
    tmp_path: Path, picture: Path, video: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody has thought of is a line, too, and the rest is done."""

    def surprise(*_: object, **__: object) -> None:
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr("analysis.batch.task.analyze_video", surprise)
    assert run(video, picture, "--out", tmp_path / "out") == 1
    assert names(tmp_path / "out") == {"portrait"}
    assert "nobody thought of this" in capsys.readouterr().err


def test_a_picture_on_its_side_is_turned(tmp_path: Path, portrait: tuple[Image, Box]) -> None:
    """Where there is a face only in the turned picture, results are about that, and say so."""
    path = tmp_path / "side.png"
    cv2.imwrite(str(path), cv2.rotate(portrait[0], cv2.ROTATE_90_CLOCKWISE))
    assert run(path, "--annotate", "--out", tmp_path / "out") == 0
    told = json.loads((tmp_path / "out" / "side" / "faces.json").read_text("utf-8"))
    assert told["turned"] == 270
    assert (told["height"], told["width"]) == portrait[0].shape[:2]
    (face,) = told["faces"]
    assert face["box"][0] == pytest.approx(portrait[1].x, abs=40)
    annotated = cv2.imread(str(tmp_path / "out" / "side" / "annotated.png"))
    assert annotated is not None
    assert annotated.shape == portrait[0].shape


@pytest.mark.parametrize("ending", ["gif", "png", "webp", "avif"])
def test_an_animation_is_a_picture(tmp_path: Path, portrait: tuple[Image, Box], ending: str, capsys) -> None:
    """Its first picture is analysed, and that is said in the results and in the line that is printed."""
    path = tmp_path / f"moving.{ending}"
    frames = [PIL.Image.fromarray(np.ascontiguousarray(image[..., ::-1])) for image in (portrait[0], portrait[0] // 2)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
    assert run(path, "--out", tmp_path / "out") == 0
    told = json.loads((tmp_path / "out" / "moving" / "faces.json").read_text("utf-8"))
    assert len(told["faces"]) == 1
    assert "first" in told["note"]
    assert told["note"] in capsys.readouterr().out


def test_help_says_what_it_does(capsys) -> None:
    """--help explains the results."""
    with pytest.raises(SystemExit) as ended:
        run("--help")
    assert ended.value.code == 0
    assert "timeline" in capsys.readouterr().out


@pytest.mark.slow
def test_a_smile_in_a_real_video(tmp_path: Path, shared: Path) -> None:
    """With the real network a face that smiles from 0.9 to 2.4 s is Happy then, and Neutral before."""
    if not Settings().model.weights.is_file():
        missing("no trained network")
    command = [
        sys.executable,
        "analyze.py",
        str(shared / "samples" / "neutral_to_smile.mp4"),
        "--no-quiet",
        "--out",
        str(tmp_path),
    ]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "s of video [" in ended.stderr, "there was a progress bar"
    assert "Traceback" not in ended.stderr
    summary = json.loads((tmp_path / "neutral_to_smile" / "summary.json").read_text("utf-8"))
    assert summary["frames_with_faces"] > 70
    assert max(summary["shares"], key=summary["shares"].get) == "Happy"
    moments = {moment["expression"]: moment["time"] for moment in summary["moments"]}
    assert 0.9 < moments["Happy"] < 2.7
    assert moments["Neutral"] < 0.9 or moments["Neutral"] > 2.7


def test_markers_and_groups_need_no_second_analysis(tmp_path: Path, picture: Path, video: Path, capsys) -> None:
    """Given later, they are in tables and report of what was analysed before; so are other limits of intervals."""
    out = tmp_path / "out"
    run(picture, video, "--out", out)
    (tmp_path / "m.csv").write_text("file,time,label\nclip,0,film\n")
    (tmp_path / "g.csv").write_text("file,group\nportrait,a\n")
    given = ("--markers", tmp_path / "m.csv", "--groups", tmp_path / "g.csv", "--interval-shortest", 3)
    capsys.readouterr()
    assert run(picture, video, "--out", out, *given, "--format", "csv") == 0
    said = capsys.readouterr()
    assert said.out.count("before") == 2
    assert f"Report: {out / REPORT}" in said.out
    assert "nothing to compare" in said.err
    assert {row["marker"] for row in rows(out / "frames.csv") if row["file"] == "clip.mp4"} == {"film"}
    assert "lasting 3 s or more" in (out / REPORT).read_text("utf-8")
    assert {row["group"] for row in rows(out / "groups" / "people.csv")} == {"a"}


def add_noise(path: Path, seed: int) -> Path:
    """Write a picture of its own in which there is no face."""
    cv2.imwrite(str(path), np.random.default_rng(seed).integers(0, 255, (60, 60, 3), np.uint8))
    return path


def test_tables_and_report_cover_what_a_run_names(tmp_path: Path, capsys) -> None:
    """What is not named any more is told and left out of them all, unless it is kept; named again, it is back."""
    out, (first, second) = tmp_path / "out", (add_noise(tmp_path / f"{name}.png", name) for name in (1, 2))

    def covered() -> set[str]:
        (tables,) = {frozenset(pd.read_parquet(out / table)["file"]) for table in ("frames", "files")}
        report = (out / REPORT).read_text("utf-8")
        assert {name for name in ("1.png", "2.png") if f">{name}</a>" in report} == tables
        return set(tables)

    run(first, second, "--out", out)
    assert covered() == {"1.png", "2.png"}
    run(first, "--out", out)
    assert "left out of tables and report: 2.png" in capsys.readouterr().err
    assert covered() == {"1.png"}
    run(first, "--out", out, "--keep-others")
    assert "still in the tables: 2.png" in capsys.readouterr().err
    assert covered() == {"1.png", "2.png"}
    run(second, "--out", out)
    run(first, second, "--out", out)
    assert capsys.readouterr().out.count("before") == 3, "nothing was analysed again"
    assert covered() == {"1.png", "2.png"}


def test_part_of_a_study_again_leaves_the_markers_of_what_is_kept(tmp_path: Path, capsys) -> None:
    """A list for one file says nothing of the others; tables of groups go with the list that made them."""
    out, videos = tmp_path / "out", [make_video(tmp_path / f"{name}.mp4") for name in "ab"]
    (tmp_path / "m.csv").write_text("file,time,label\na,0,film\nb,0,film\n")
    (tmp_path / "n.csv").write_text("file,time,label\na,0,song\n")
    run(*videos, "--out", out, "--markers", tmp_path / "m.csv")
    run(videos[0], "--out", out, "--markers", tmp_path / "n.csv", "--keep-others")
    frames = pd.read_parquet(out / "frames")
    assert frames.groupby("file")["marker"].agg(set).to_dict() == {"a.mp4": {"song"}, "b.mp4": {"film"}}


def test_a_renamed_file_counts_once_under_its_new_name(tmp_path: Path, capsys) -> None:
    """It is known by its content, and all tables call it what it is called now."""
    out, before = tmp_path / "out", add_noise(tmp_path / "before.png", 1)
    run(before, "--out", out)
    capsys.readouterr()
    after = before.rename(tmp_path / "after.png")
    assert run(tmp_path, "--out", out) == 0
    assert "before" in capsys.readouterr().out
    files = pd.read_parquet(out / "files")
    assert files[["file", "path"]].to_numpy().tolist() == [["after.png", str(after)]]
    assert pd.read_parquet(out / "frames")["file"].tolist() == ["after.png"]


def test_copies_of_one_recording_are_told(tmp_path: Path, capsys) -> None:
    """Otherwise one person counts for two."""
    first = add_noise(tmp_path / "1.png", 1)
    (tmp_path / "2.png").write_bytes(first.read_bytes())
    run(tmp_path, "--out", tmp_path / "out")
    assert "1.png, 2.png are the same recording" in capsys.readouterr().err


def test_a_participant_is_forgotten_altogether(tmp_path: Path, capsys) -> None:
    """Nothing in the results has the file's name or its rows, whether it was in the last run or put aside."""
    out = tmp_path / "out"
    pictures = [add_noise(tmp_path / f"withdrawn{name}.png", name) for name in (1, 2, 3)]
    run(*pictures, "--out", out, "--format", "csv")
    run(*pictures[:2], "--out", out)
    assert run("--forget", "withdrawn1.png", "--forget", pictures[2], "--out", out) == 0
    left = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert not [name for name in left if "withdrawn1" in name or "withdrawn3" in name]
    assert not list(out.glob("*.csv")), "those of an earlier run would tell of them"
    assert pd.read_parquet(out / "files")["file"].tolist() == ["withdrawn2.png"]
    report = (out / REPORT).read_text("utf-8")
    assert "withdrawn2.png" in report
    assert "withdrawn1" not in report
    assert run("--forget", "nobody.png", "--out", out) == 1
    assert "Write its name as the tables have it: withdrawn2.png" in capsys.readouterr().err
    assert run("--forget", "withdrawn2.png", "--out", out) == 0
    assert not list((out / "files").iterdir())


def test_a_list_that_cannot_be_used_ends_it_before_it_begins(tmp_path: Path, picture: Path, capsys) -> None:
    """Nobody waits for an analysis to learn that a column is missing."""
    (tmp_path / "m.csv").write_text("file,label\nportrait,film\n")
    assert run(picture, "--out", tmp_path / "out", "--markers", tmp_path / "m.csv") == 1
    assert "there is no column time" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def rows(table: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
