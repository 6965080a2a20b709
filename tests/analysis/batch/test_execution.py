"""Many files in several processes: the same tables as in one, and nothing is lost when a process dies."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from analysis.batch import execution
from analysis.batch.dataset import Dataset
from analysis.batch.execution import run_here, run_in_processes
from analysis.batch.run import only_run, plan
from config import ROOT
from entities import Box, Image
from errors import ModelError, ResultsError
from tests.analysis.batch import loading
from tests.analysis.batch.archives import assert_same, make_files, options, tables, unheard


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, portrait: tuple[Image, Box]) -> list[str]:
    """Return the paths of three videos and a picture."""
    return make_files(tmp_path_factory.mktemp("files"), portrait[0])


@pytest.fixture(scope="module")
def alone(files: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run in this process."""
    run = options(tmp_path_factory.mktemp("run") / "alone")
    list(run_here(plan(files, run), run, loading.Brightness(), unheard))
    return run.out


def test_two_processes_write_what_one_does(files: list[str], alone: Path, tmp_path: Path) -> None:
    """The tables are the same, row for row, and progress is told."""
    run, told = options(tmp_path / "two"), set[str]()
    outcomes = list(run_in_processes(plan(files, run), run, 2, lambda task, *_: told.add(task.key), loading.brightness))
    assert {outcome.state for outcome in outcomes} == {"done"}
    assert "face-0" in told
    assert_same(alone, run.out)


def test_the_file_of_a_process_that_dies_is_done_again(
    files: list[str], alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is killed in the middle; the tables are the same, and nothing half-written remains."""
    victim = tmp_path / "victim"
    victim.touch()
    monkeypatch.setenv(loading.VICTIM, str(victim))
    run = options(tmp_path / "killed")
    with only_run(run.out):
        outcomes = list(run_in_processes(plan(files, run), run, 2, unheard, loading.mortal))
    assert not victim.exists(), "one process died"
    assert {outcome.state for outcome in outcomes} == {"done"}
    assert_same(alone, run.out)
    assert not [path for path in run.out.rglob("*") if "partial" in path.name]


def test_a_file_that_kills_every_process_is_given_up(
    files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some attempts it failed, and the table says why; the others are done."""
    monkeypatch.setattr(execution, "ATTEMPTS", 2)
    run = options(tmp_path / "deadly")
    some = [name for name in files if "face-0" in name or "none" in name]
    states = {o.task.key: o.state for o in run_in_processes(plan(some, run), run, 1, unheard, loading.deadly)}
    assert states == {"face-0": "failed", "none": "done"}
    rows = tables(run.out)["files"].set_index("file")
    assert "2 times" in rows["reason"]["face-0.mp4"]


def test_a_missing_network_is_said_once(files: list[str], tmp_path: Path) -> None:
    """It is no fault of any file."""
    run = options(tmp_path / "none")
    with pytest.raises(ModelError, match="no model"):
        list(run_in_processes(plan(files, run), run, 2, unheard, loading.missing_model))


def test_only_one_run_writes_into_a_folder(tmp_path: Path) -> None:
    """A second one is told so; when the first has ended, it may."""
    out = tmp_path / "out"
    with only_run(out), pytest.raises(ResultsError, match="Another run"), only_run(out):
        pass
    with only_run(out):
        assert out.is_dir()
    assert not out.exists(), "a run that wrote nothing leaves nothing"


def test_what_an_ended_run_left_is_swept(tmp_path: Path) -> None:
    """Power may fail in the middle of writing."""
    (tmp_path / ".0123.partial").mkdir()
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / ".partial-1.parquet").touch()
    with only_run(tmp_path):
        assert not [path for path in tmp_path.rglob("*") if "partial" in path.name]


@pytest.fixture
def running(files: list[str], tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Return a run that is done with `none.mp4` and never with a face, in a process group as a terminal makes one."""
    code = (
        "import signal, sys, analyze, analysis.batch.execution as e, tests.analysis.batch.loading as l;"
        "signal.signal(signal.SIGINT, signal.default_int_handler);"  # which shells' background jobs ignore
        "analyze.run_in_processes = lambda t, o, n, p: e.run_in_processes(t, o, n, p, l.endless);"
        "sys.exit(analyze.main())"
    )
    in_order = sorted(files, key=lambda name: "none" not in name)
    command = [sys.executable, "-c", code, *in_order, "--out", str(tmp_path / "out"), "--workers", "2", "--no-quiet"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        yield process
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups that Ctrl-C is sent to")
def test_ctrl_c_stops_all_processes_at_once(running: "subprocess.Popen[str]", files: list[str], tmp_path: Path) -> None:
    """It waits for no file, says how to go on, leaves nothing half-written, and the same command goes on from there."""
    assert running.stdout is not None
    first = running.stdout.readline()
    os.killpg(running.pid, signal.SIGINT)
    _, errors = running.communicate(timeout=60)  # to the end of all processes, which have the same standard output
    assert running.returncode == 130
    assert "same command goes on" in errors
    assert "Traceback" not in errors
    assert not [path for path in (tmp_path / "out").rglob("*") if "partial" in path.name]
    run = options(tmp_path / "out")
    outcomes = list(run_here(plan(files, run), run, loading.Brightness(), unheard))
    kept = [outcome.task.source.name for outcome in outcomes if outcome.state == "kept"]
    assert first.split(":")[0] in kept
    assert {outcome.state for outcome in outcomes} <= {"kept", "done"}


def test_a_process_may_die_when_all_but_the_last_table_is_written(files: list[str], alone: Path) -> None:
    """What it wrote is replaced by the next, although no table knows of it yet."""
    run = options(alone.with_name("again"))
    tasks = plan(files, run)
    list(run_here(tasks, run, loading.Brightness(), unheard))
    for part in (run.out / "files").iterdir():
        part.unlink()
    assert {outcome.state for outcome in run_here(tasks, run, loading.Brightness(), unheard)} == {"done"}
    assert_same(alone, run.out)


def test_a_run_may_be_stopped_before_a_file_has_its_row(
    files: list[str], alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is there already, and no table has it as done: the same command makes it again."""
    run = options(tmp_path / "stopped")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Dataset, "copy", stop)
        with pytest.raises(KeyboardInterrupt):
            list(run_here(plan(files, run), run, loading.Brightness(), unheard))
    (row,) = tables(run.out)["files"].to_dict("records")
    assert (row["state"], (run.out / row["folder"]).is_dir()) == ("stopped", True)
    assert {o.state for o in run_here(plan(files, run), run, loading.Brightness(), unheard)} == {"done"}
    assert_same(alone, run.out)
