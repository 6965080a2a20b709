"""A run on a Dask cluster: real processes on loopback, and the same tables as on one computer."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from analysis.batch.cluster import run_on_cluster
from analysis.batch.execution import run_here
from analysis.batch.run import only_run, plan
from config import ROOT
from entities import Box, Image
from errors import ClusterError
from tests.analysis.batch import loading
from tests.analysis.batch.archives import assert_same, make_files, options, unheard

pytest.importorskip("distributed")


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], str]]:
    """Return what starts a scheduler with so many workers, and says its address."""
    monkeypatch.setenv("DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE", "False")
    where = tmp_path / "scheduler.json"
    local = ["--scheduler-file", str(where), "--host", "127.0.0.1"]
    with ExitStack() as stack:

        def start(*arguments: str) -> None:
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "dask", *arguments, *local], cwd=ROOT, stderr=subprocess.DEVNULL
                )
            )
            stack.callback(process.kill)

        def started(workers: int) -> str:
            start("scheduler", "--port", "0", "--no-dashboard")
            for _ in range(workers):
                start("worker", "--nthreads", "1", "--no-nanny", "--no-dashboard")
            import distributed

            while not where.exists():
                time.sleep(0.05)
            with distributed.Client(scheduler_file=str(where), set_as_default=False) as client:
                if workers:
                    client.wait_for_workers(workers)
                return str(client.scheduler.address)

        yield started


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_writes_what_one_computer_does(
    cluster: Callable[[int], str], tmp_path: Path, portrait: tuple[Image, Box], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of two workers is killed in the middle of a file; another does it again, and the tables are the same."""
    (tmp_path / "files").mkdir()
    files = make_files(tmp_path / "files", portrait[0], count=4)
    alone, run = options(tmp_path / "alone"), options(tmp_path / "cluster")
    list(run_here(plan(files, alone), alone, loading.Brightness(), unheard))
    victim = tmp_path / "victim"
    monkeypatch.setenv(loading.VICTIM, str(victim))
    address = cluster(2)
    victim.touch()
    with only_run(run.out):
        outcomes = list(run_on_cluster(plan(files, run), run, address, unheard, loading.mortal))
    assert not victim.exists(), "one worker died"
    assert {outcome.state for outcome in outcomes} == {"done"}
    assert len(outcomes) == len(files)
    assert_same(alone.out, run.out)
    assert not [path for path in run.out.rglob("*") if "partial" in path.name]


@pytest.mark.slow
def test_a_scheduler_that_dies_is_said(
    cluster: Callable[[int], str], tmp_path: Path, portrait: tuple[Image, Box], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a sentence; what was done is kept, and only the rest is done by the next run."""
    monkeypatch.setattr("analysis.batch.cluster._CONNECT_SECONDS", 5)
    (tmp_path / "files").mkdir()
    files, run = make_files(tmp_path / "files", portrait[0], count=4), options(tmp_path / "out")
    address, tasks, done = cluster(1), plan(files, run), 0
    import distributed

    with distributed.Client(address, set_as_default=False) as client:
        scheduler = client.run_on_scheduler(os.getpid)

    def run_until_it_dies() -> None:
        nonlocal done
        for _ in run_on_cluster(tasks, run, address, unheard, loading.brightness):
            done += 1
            with suppress(ProcessLookupError):
                os.kill(scheduler, signal.SIGKILL)

    with only_run(run.out), pytest.raises(ClusterError, match=r"is lost\. What was done is in .* goes on from there"):
        run_until_it_dies()
    assert 0 < done < len(files)
    outcomes = list(run_here(plan(files, run), run, loading.Brightness(), unheard))
    assert [outcome.state for outcome in outcomes].count("kept") >= done


def test_workers_of_another_version_are_refused(
    cluster: Callable[[int], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both versions are named."""
    monkeypatch.setattr("analysis.batch.cluster.VERSION", "9.9")
    with (
        only_run(tmp_path),
        pytest.raises(
            ClusterError, match=r"tcp://.*: facial-expressions 0\.1\.0 on .*, and here it is .* 9\.9 on Python 3"
        ),
    ):
        list(run_on_cluster([], options(tmp_path), cluster(1), unheard))


def test_no_scheduler_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says how to start one."""
    monkeypatch.setattr("analysis.batch.cluster._CONNECT_SECONDS", 0.2)
    with pytest.raises(ClusterError, match="no Dask scheduler at tcp"):
        list(run_on_cluster([], options(tmp_path), "tcp://127.0.0.1:9", unheard))


def test_without_dask_the_message_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is needed for clusters only, so that it may not be there."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match="pip install"):
        list(run_on_cluster([], options(tmp_path), "tcp://127.0.0.1:8786", unheard))
