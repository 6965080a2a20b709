"""run.json: what each run was asked, and what it worked with; rows name their run."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd

import analyze
from config import VERSION
from tests.helpers.footage import FixedClassifier, make_video


def run(*arguments: object) -> int:
    """Run the command with a stand-in for the network."""
    return analyze.main([str(argument) for argument in arguments], FixedClassifier())


def runs(out: Path) -> list[dict[str, Any]]:
    """Return what run.json has."""
    return list(json.loads((out / "run.json").read_text("utf-8"))["runs"])


def test_each_run_is_written_down(tmp_path: Path, capsys) -> None:
    """What was asked, lists by their hashes, libraries and network; a row names the run that analysed its file."""
    clips, out = tmp_path / "clips", tmp_path / "out"
    clips.mkdir()
    make_video(clips / "anna.mp4")
    markers = tmp_path / "markers.csv"
    markers.write_text("file,time,label\nanna,0.2,film\n")
    assert run(clips, "--out", out, "--fps", 5) == 0
    make_video(clips / "ben.mp4", fps=10)
    (clips / "broken.mp4").write_bytes(b"no video")
    assert run(clips, "--out", out, "--fps", 5, "--markers", markers, "--interval-on", 0.6) == 1
    first, second = runs(out)
    assert first["command"] == [str(clips), "--out", str(out), "--fps", "5"]
    assert (first["number"], second["number"]) == (1, 2)
    assert second["files_read"] == {str(markers): hashlib.sha256(markers.read_bytes()).hexdigest()}
    assert (second["options"]["fps"], second["settings"]["intervals"]["on"]) == ("5.0", 0.6)
    assert first["versions"]["facial-expressions"] == VERSION
    assert {"python", "numpy", "pandas", "av"} <= first["versions"].keys()
    assert len(first["network"]["weights"]) == 16
    assert (first["files"], second["files"]) == ({"done": 1}, {"done": 1, "failed": 1})
    assert first["began"] <= first["ended"] <= second["ended"]
    files = pd.read_parquet(out / "files").set_index("file")
    assert dict(files["run"]) == {"anna.mp4": 1, "ben.mp4": 2, "broken.mp4": 2}


def test_the_name_of_who_withdraws_is_taken_out(tmp_path: Path, capsys) -> None:
    """It stands in no command any more."""
    out = tmp_path / "out"
    files = [make_video(tmp_path / name) for name in ("anna.mp4", "ben.mp4")]
    assert run(*files, "--out", out) == 0
    assert run("--forget", "anna.mp4", "--out", out) == 0
    assert "anna" not in (out / "run.json").read_text("utf-8")
    assert "ben.mp4" in (out / "run.json").read_text("utf-8")


def test_a_record_that_is_damaged_is_not_written_over(tmp_path: Path, capsys) -> None:
    """It is named, with what to do, before anything is analysed."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "run.json").write_text("{")
    assert run(make_video(tmp_path / "anna.mp4"), "--out", tmp_path / "out") == 1
    assert "run.json cannot be read" in capsys.readouterr().err
    assert (tmp_path / "out" / "run.json").read_text() == "{"


def test_results_of_an_earlier_version_go_on(tmp_path: Path, capsys) -> None:
    """Their table of files lacks columns, which are then empty."""
    clip, out = make_video(tmp_path / "anna.mp4"), tmp_path / "out"
    assert run(clip, "--out", out) == 0
    (out / "run.json").unlink()
    (part,) = (out / "files").glob("*.parquet")
    pd.read_parquet(part).drop(columns=["run", "begin", "sampling", "detector"]).to_parquet(part, index=False)
    assert run(clip, "--out", out) == 0
    assert capsys.readouterr().err == ""
    assert [entry["files"] for entry in runs(out)] == [{}]
