"""The queue of videos: in order, in another process, restartable, and gone when it should be."""

import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TextIO
from unittest import mock

import pytest

from analysis.queue import admission, worker
from analysis.queue.job import Job, JobState
from analysis.queue.job_files import JobFiles
from analysis.queue.jobs import JobStore
from analysis.queue.runner import JobRunner
from analysis.queue.work_queue import MAX_ATTEMPTS, WorkQueue
from analysis.queue.worker import Inbox, Worker
from config import ROOT, Settings
from entities import Classifier
from errors import AnalysisCancelledError, ModelError, QueueFullError, ResultsError
from tests.conftest import missing
from tests.helpers.footage import FixedClassifier, make_video

PATIENCE = 30.0
ROOM: dict[str, Any] = {"most": 100, "most_each": 100}


def until(condition: Callable[[], bool]) -> None:
    """Wait until another process or thread has done something; fail after PATIENCE."""
    tick = threading.Event()
    for _ in range(int(PATIENCE / 0.02)):
        if condition():
            return
        tick.wait(0.02)
    pytest.fail("it did not happen")


def together(*actions: Callable[[], object]) -> None:
    """Run them at the same time, each on a thread of its own; fail where one does."""
    barrier = threading.Barrier(len(actions))
    faults: list[BaseException] = []

    def run(action: Callable[[], object]) -> None:
        barrier.wait()
        try:
            action()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            faults.append(error)

    threads = [threading.Thread(target=run, args=[action]) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


class Clock:
    """Time that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return the store's clock."""
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> JobStore:
    """Return an empty queue."""
    return JobStore(tmp_path / "uploads", clock)


@pytest.fixture
def settings(store: JobStore) -> Settings:
    """Return settings that name the queue."""
    return Settings.model_validate({"uploads": {"folder": store.files.root}})


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a short video."""
    return make_video(tmp_path_factory.mktemp("clips") / "clip.mp4")


def add(store: JobStore, clip: Path | None = None, owner: str = "anna", name: str = "clip.mp4", **more: Any) -> Job:
    """Queue a video."""
    job_id = store.reserve(owner, 0, **ROOM)
    if clip:
        shutil.copy(clip, store.files.original(job_id))
    return store.add(job_id, owner, name, 1.0, **more)


def state(store: JobStore, job: Job) -> JobState | None:
    """Return where a job stands; None if it is gone."""
    found = store.job(job.owner, job.id)
    return found.state if found else None


def test_the_first_ones_may_come_at_once(tmp_path: Path) -> None:
    """Nobody finds the database locked because another one is making it."""
    for attempt in range(30):
        store = JobStore(tmp_path / str(attempt))
        together(*[lambda store=store: store.reserve("anna", 10, **ROOM)] * 4)


def test_who_looks_does_not_wait_for_who_writes(store: JobStore) -> None:
    """A list is there at once though a change to it is under way, for however long."""
    job_id = store.reserve("anna", 10, **ROOM)
    job = store.add(job_id, "anna", "clip.mp4", 1.0)
    writer = sqlite3.connect(store.files.root / "jobs.sqlite3", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    try:
        with mock.patch("analysis.queue.database.LOCK_SECONDS", 0.0):
            assert [found.id for found in store.jobs("anna")] == [job_id]
            assert store.job("anna", job_id) == job
            assert store.places()[job.id].ahead == 0
            assert store.unfinished()
    finally:
        writer.close()


class TestStore:
    """The list of jobs."""

    def test_jobs_are_claimed_in_order(self, store: JobStore) -> None:
        """First come, first served, each job once."""
        first, second = add(store, owner="anna"), add(store, owner="ben")
        assert [store.places()[job.id].ahead for job in (first, second)] == [0, 1]
        claimed = [WorkQueue(store).claim(), WorkQueue(store).claim(), WorkQueue(store).claim()]
        assert [job and job.id for job in claimed] == [first.id, second.id, None]

    def test_visitors_see_only_their_own(self, store: JobStore) -> None:
        """A job is found by its owner only."""
        job = add(store, owner="anna")
        assert [found.id for found in store.jobs("anna")] == [job.id]
        assert store.jobs("ben") == []
        assert store.job("ben", job.id) is None

    def test_progress_and_remaining_time(self, store: JobStore, clock: Clock) -> None:
        """Remaining time follows from the pace so far, counted from the first frame."""
        add(store)
        job = WorkQueue(store).claim()
        assert job is not None
        assert job.remaining(clock()) is None
        assert WorkQueue(store).advance(job.id, 0, 10)
        clock.now += 5
        assert WorkQueue(store).advance(job.id, 2, 10)
        found = store.job("anna", job.id)
        assert found is not None
        assert found.remaining(clock()) == pytest.approx(20)

    def test_a_deleted_job_is_gone_with_its_files(self, store: JobStore, clip: Path) -> None:
        """Row and folder go at once, and who works on it learns of it."""
        job = add(store, clip)
        WorkQueue(store).claim()
        store.delete(job.id)
        assert store.jobs("anna") == []
        assert not store.files.folder(job.id).exists()
        assert not WorkQueue(store).advance(job.id, 1, 10)
        assert not WorkQueue(store).finish(job.id)

    def test_a_job_that_is_being_deleted_is_not_listed(self, store: JobStore, clip: Path) -> None:
        """Its files go first: a page that is loaded meanwhile must not ask for them."""
        job = add(store, clip)
        store.files.discard(job.id)
        assert store.jobs("anna") == []

    def test_number_of_jobs_is_limited(self, store: JobStore) -> None:
        """Each visitor has a limit, and all together have one."""
        for owner in ("anna", "anna", "ben"):
            add(store, owner=owner)
        with pytest.raises(QueueFullError, match="You already have 2"):
            store.reserve("anna", 0, most=10, most_each=2)
        with pytest.raises(QueueFullError, match="Try again later"):
            store.reserve("cleo", 0, most=3, most_each=2)
        store.reserve("cleo", 0, most=4, most_each=2)

    def test_uploads_under_way_take_places(self, store: JobStore) -> None:
        """A video counts from its first byte on, until it is deleted or its upload fails."""
        upload = store.reserve("anna", 0, most=2, most_each=1)
        with pytest.raises(QueueFullError, match="You already have 1"):
            store.reserve("anna", 0, most=2, most_each=1)
        store.add(upload, "anna", "", 1)
        failed = store.reserve("ben", 0, most=2, most_each=1)
        with pytest.raises(QueueFullError, match="Try again later"):
            store.reserve("cleo", 0, most=2, most_each=1)
        store.abort_upload(failed)
        assert not store.files.folder(failed).exists()
        store.delete(upload)
        for owner in ("anna", "ben"):
            store.reserve(owner, 0, most=2, most_each=1)

    def test_uploads_under_way_take_disk_space(self, store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is announced and has not all come yet is not promised to others."""
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10 * admission.ROOM))
        first = store.reserve("anna", 6, **ROOM)
        with pytest.raises(ResultsError, match="disk is full"):
            store.reserve("ben", 6, **ROOM)
        store.abort_upload(first)
        store.reserve("ben", 6, **ROOM)

    def test_old_jobs_are_swept(self, store: JobStore, clock: Clock, clip: Path) -> None:
        """A finished job goes when its time is up; one that waits stays, however long."""
        done, waiting = add(store, clip), add(store, clip)
        WorkQueue(store).claim()
        WorkQueue(store).finish(done.id)
        clock.now += 100
        store.sweep(keep_seconds=100)
        assert state(store, done) is JobState.DONE
        clock.now += 1
        store.sweep(keep_seconds=100)
        assert [job.id for job in store.jobs("anna")] == [waiting.id]
        assert not store.files.folder(done.id).exists()
        assert store.files.original(waiting.id).exists()

    def test_broken_uploads_are_swept(self, store: JobStore, clock: Clock) -> None:
        """A folder without a job stays while an upload may be under way, and not longer; nor does its place."""
        folder = store.files.folder(store.reserve("anna", 0, most=1, most_each=1))
        clock.now = folder.stat().st_mtime + 60
        store.sweep(100)
        assert folder.exists()
        clock.now += 3600
        store.sweep(100)
        assert not folder.exists()
        store.reserve("anna", 0, most=1, most_each=1)

    def test_a_place_without_a_folder_is_freed(self, store: JobStore, clock: Clock) -> None:
        """Nothing can come any more of an upload whose folder was taken away."""
        shutil.rmtree(store.files.folder(store.reserve("anna", 0, most=1, most_each=1)))
        clock.now = 10_000
        store.sweep(100)
        store.reserve("anna", 0, most=1, most_each=1)

    def test_long_uploads_are_not_swept(self, store: JobStore, clock: Clock) -> None:
        """However long ago an upload began, it is not broken while something of it comes."""
        upload = store.reserve("anna", 0, **ROOM)
        store.files.original(upload).write_bytes(b"the newest part")
        clock.now = store.files.original(upload).stat().st_mtime + 60
        os.utime(store.files.folder(upload), (0, clock.now - 2 * 3600))
        store.sweep(100)
        assert store.files.original(upload).exists()

    def test_what_others_put_there_is_not_swept(self, store: JobStore, clock: Clock) -> None:
        """The folder may be one that holds other things, too."""
        add(store)
        (store.files.root / "holiday 2019" / "rome").mkdir(parents=True)
        clock.now = (store.files.root / "holiday 2019").stat().st_mtime + 10_000
        store.sweep(100)
        assert (store.files.root / "holiday 2019" / "rome").exists()

    @pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
    def test_nobody_else_on_the_computer_may_look(self, store: JobStore) -> None:
        """Folders, videos and the list, in which visitors' cookies are, are for the owner only."""
        before = os.umask(0o022)
        try:
            job = add(store)
            with WorkQueue(store).only_worker(0):
                found = {
                    path.name: path.stat().st_mode & 0o777 for path in (store.files.root, *store.files.root.iterdir())
                }
        finally:
            os.umask(before)
        assert {found.pop("uploads"), found.pop(job.id)} == {0o700}
        assert found.keys() >= {"jobs.sqlite3", "worker.lock"}
        assert set(found.values()) == {0o600}

    @pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
    def test_a_folder_that_was_there_stays_as_it_was(self, store: JobStore) -> None:
        """Its permissions are its owner's choice; those of what is made in it are ours."""
        store.files.root.mkdir()
        store.files.root.chmod(0o755)
        job = add(store)
        assert store.files.root.stat().st_mode & 0o777 == 0o755
        assert store.files.folder(job.id).stat().st_mode & 0o777 == 0o700

    def test_a_released_attempt_does_not_count(self, store: JobStore) -> None:
        """However often the application is restarted, the job goes on."""
        add(store)
        for _ in range(MAX_ATTEMPTS + 1):
            job = WorkQueue(store).claim()
            assert job is not None
            WorkQueue(store).release(job.id)
            WorkQueue(store).recover()
        assert store.unfinished()

    def test_a_job_that_always_crashes_is_given_up(self, store: JobStore) -> None:
        """A video that ends its process again and again does not block the queue."""
        job = add(store)
        for _ in range(MAX_ATTEMPTS):
            WorkQueue(store).claim()
            WorkQueue(store).recover()
        failed = store.job("anna", job.id)
        assert failed is not None
        assert (failed.state, failed.code) == (JobState.FAILED, "crashed")
        assert WorkQueue(store).claim() is None

    def test_only_one_worker(self, store: JobStore) -> None:
        """While one works, another one is turned away; afterwards it may."""
        add(store)
        with WorkQueue(store).only_worker(0) as first, WorkQueue(store).only_worker(0) as second:
            assert (first, second) == (True, False)
        with WorkQueue(store).only_worker(0) as third:
            assert third

    def test_a_folder_that_cannot_be_written_is_an_error_in_words(self, tmp_path: Path) -> None:
        """A file in the folder's place is reported with its path."""
        (tmp_path / "uploads").touch()
        store = JobStore(tmp_path / "uploads")
        with pytest.raises(ResultsError, match="uploads"):
            store.reserve("anna", 0, **ROOM)
        with pytest.raises(ResultsError, match="uploads"):
            store.jobs("anna")

    @pytest.mark.parametrize("damage", [b"nonsense" * 1000, b"", b"SQLite format 3\0" + bytes(4080)])
    @pytest.mark.parametrize("running", [True, False])
    def test_a_damaged_list_is_set_aside(
        self, store: JobStore, caplog: pytest.LogCaptureFixture, damage: bytes, *, running: bool
    ) -> None:
        """A new one is begun at once, which is said once; the old one stays, for who wants to look into it."""
        add(store)
        store = store if running else JobStore(store.files.root)
        (store.files.root / "jobs.sqlite3").write_bytes(damage)
        if running:
            with suppress(ResultsError):
                store.jobs("anna")
        assert store.jobs("anna") == []
        job = add(store)
        assert [found.id for found in store.jobs("anna")] == [job.id]
        if damage:
            assert (store.files.root / "jobs.sqlite3.damaged").read_bytes() == damage
            assert caplog.text.count("damaged (") == 1

    @pytest.mark.parametrize("page", range(1, 9))
    def test_damage_anywhere_locks_nobody_out(self, store: JobStore, page: int) -> None:
        """Whichever part of the list was overwritten, in the end there is one that works."""
        for _ in range(20):
            add(store, name="x" * 200)
        path = store.files.root / "jobs.sqlite3"
        data = bytearray(path.read_bytes())
        data[4096 * (page - 1) : 4096 * page] = b"\xff" * min(4096, max(0, len(data) - 4096 * (page - 1)))
        path.write_bytes(data)
        for _ in range(4):
            with suppress(ResultsError):
                store.jobs("anna")
                store.sweep(100)
                WorkQueue(store).claim()
                add(store)
        assert store.jobs("anna")
        assert WorkQueue(store).claim()

    def test_a_list_of_another_version_is_set_aside(self, store: JobStore) -> None:
        """Whatever its tables are like."""
        store.files.root.mkdir()
        with closing(sqlite3.connect(store.files.root / "jobs.sqlite3")) as database:
            database.execute("CREATE TABLE jobs (id TEXT)")
        assert store.jobs("anna") == []
        assert add(store).number == 1

    def test_visitors_take_turns(self, store: JobStore) -> None:
        """Who sent many videos waits for who sent few; the places in the queue say so."""
        many = [add(store, owner="anna") for _ in range(3)]
        first_of_ben, second_of_ben = add(store, owner="ben"), add(store, owner="ben")
        only = add(store, owner="cleo")
        order = [many[0], first_of_ben, only, many[1], second_of_ben, many[2]]
        assert sorted(store.places(), key=lambda job_id: store.places()[job_id].ahead) == [job.id for job in order]
        for expected in order:
            assert store.places()[expected.id].ahead == 0
            claimed = WorkQueue(store).claim()
            assert claimed
            assert claimed.id == expected.id
            WorkQueue(store).finish(claimed.id)

    def test_networks_take_turns(self, store: JobStore) -> None:
        """Who claims to be a new visitor each time has one turn where others have one."""
        ids = [add(store, owner=f"nobody {number}", network="a").id for number in range(3)]
        other = add(store, owner="ben", network="b").id
        claimed = [WorkQueue(store).claim() for _ in range(4)]
        assert [job and job.id for job in claimed] == [ids[0], other, ids[1], ids[2]]

    def test_a_turn_is_remembered_when_the_video_is_gone(self, store: JobStore) -> None:
        """Deleting a video gives nobody another turn before the others."""
        for owner in ("anna", "anna", "ben"):
            add(store, owner=owner)
        first = WorkQueue(store).claim()
        assert first
        store.delete(first.id)
        second = WorkQueue(store).claim()
        assert second
        assert second.owner == "ben"

    def test_one_network_has_half_of_the_places(self, store: JobStore) -> None:
        """Under as many names as it likes."""
        for number in range(5):
            store.reserve(f"nobody {number}", 0, most=10, most_each=2, network="a")
        with pytest.raises(QueueFullError, match="your network"):
            store.reserve("nobody", 0, most=10, most_each=2, network="a")
        store.reserve("ben", 0, most=10, most_each=2, network="b")

    def test_waiting_and_work_are_estimated(self, store: JobStore, clock: Clock) -> None:
        """From the pixels of each video, and as fast as this computer was lately."""
        first, second = add(store, work=600e6), add(store, work=300e6)
        place = store.places()[second.id]
        assert [place.wait, place.work] == pytest.approx([20, 10])
        WorkQueue(store).claim()
        WorkQueue(store).advance(first.id, 0, 1)
        clock.now += 60
        WorkQueue(store).finish(first.id)
        place = store.places()[second.id]
        assert [place.wait, place.work] == pytest.approx([0, 30])


FULL_DISK = """
import errno, pathlib, sys
from contextlib import suppress
from analysis.queue.jobs import JobStore
from analysis.queue.work_queue import WorkQueue
from errors import ResultsError

def fill():
    with suppress(OSError), open("others", "ab", buffering=0) as others:
        while True:
            others.write(bytes(4096) if disk_has_pages() else bytes(1))

def disk_has_pages():
    import shutil
    return shutil.disk_usage(".").free >= 4096

now = 1000.0
store = JobStore(pathlib.Path("uploads"), lambda: now)
ids = []
for name in ("old", "deleted", "kept"):
    job_id = store.reserve("anna", 0, most=9, most_each=9)
    store.files.original(job_id).write_bytes(b"video")
    store.add(job_id, "anna", name, 1.0)
    ids.append(job_id)
WorkQueue(store).claim()
WorkQueue(store).finish(ids[0])
fill()
try:
    pathlib.Path("another").write_bytes(bytes(4096))
except OSError as error:
    assert error.errno == errno.ENOSPC
else:
    raise AssertionError("the disk is not full")
store = JobStore(pathlib.Path("uploads"), lambda: now)
assert [job.name for job in store.jobs("anna")] == ["old", "deleted", "kept"]
assert store.files.original(ids[1]).read_bytes() == b"video"
store.delete(ids[1])
fill()
now += 1000
store.sweep(100)
fill()
assert [job.name for job in store.jobs("anna")] == ["kept"]
assert [path.name for path in store.files.root.iterdir() if path.is_dir()] == [ids[2]]
try:
    store.reserve("anna", 5000, most=9, most_each=9)
except ResultsError as error:
    assert "full" in str(error)
WorkQueue(store).claim()
print("done")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs a small file system of its own")
def test_on_a_full_disk_videos_are_listed_and_deleted(tmp_path: Path) -> None:
    """On a real one: whatever is there can be looked at, deleted, and expires."""
    mount = f'mount -t tmpfs -o size=1m none {tmp_path} && cd {tmp_path} && exec $PYTHON -c "$SCRIPT"'
    environment = os.environ | {"PYTHON": sys.executable, "SCRIPT": FULL_DISK, "PYTHONPATH": str(ROOT)}
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount]
    try:
        allowed = subprocess.run([*command[:-1], f"mount -t tmpfs none {tmp_path}"], check=False, capture_output=True)
    except FileNotFoundError:
        missing("no program unshare")
    if allowed.returncode:
        missing("file systems may not be mounted here, not even in a namespace of one's own")
    result = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert result.stdout == "done\n", result.stderr


class Parent:
    """What starts a worker, in the same process: says nothing until it ends."""

    def __init__(self) -> None:
        reading, self._writing = os.pipe()
        self.lines: TextIO = os.fdopen(reading, encoding="utf-8")
        self.open = True

    def end(self) -> None:
        """Close the worker's standard input."""
        if self.open:
            os.close(self._writing)
        self.open = False


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, Parent]]:
    """Return a worker's inbox and its other end."""
    parent = Parent()
    yield Inbox(parent.lines), parent
    parent.end()


class TestWorker:
    """One process's work, here in the tests' own."""

    def run(self, settings: Settings, inbox: Inbox, load: Callable[[], Classifier] = FixedClassifier) -> None:
        """Work until there is nothing left."""
        Worker(settings, load, inbox).run(idle_seconds=0)

    def test_works_the_queue_off(self, store: JobStore, settings: Settings, inbox, clip: Path) -> None:
        """All jobs are done in order, with one classifier, and their results are in place."""
        jobs = [add(store, clip), add(store, clip, owner="ben")]
        loaded: list[Classifier] = []

        def load() -> Classifier:
            loaded.append(FixedClassifier())
            return loaded[-1]

        self.run(settings, inbox[0], load)
        assert [state(store, job) for job in jobs] == [JobState.DONE] * 2
        assert all((store.files.results(job.id) / "annotated.mp4").is_file() for job in jobs)
        assert len(loaded) == 1

    def test_a_bad_video_fails_with_a_reason(self, store: JobStore, settings: Settings, inbox, clip: Path) -> None:
        """The next one is done all the same."""
        bad, good = add(store), add(store, clip)
        store.files.original(bad.id).write_bytes(b"no video")
        self.run(settings, inbox[0])
        failed = store.job("anna", bad.id)
        assert failed is not None
        assert (failed.state, failed.code) == (JobState.FAILED, "broken_video")
        assert "not a video" in failed.message
        assert state(store, good) is JobState.DONE

    def test_a_missing_model_is_said(self, store: JobStore, settings: Settings, inbox, clip: Path) -> None:
        """The model's own words reach the visitor."""

        def load() -> Classifier:
            raise ModelError("There is no model.json.")

        job = add(store, clip)
        self.run(settings, inbox[0], load)
        failed = store.job("anna", job.id)
        assert failed is not None
        assert (failed.code, failed.message) == ("model_unavailable", "There is no model.json.")

    def test_a_full_disk_is_said(
        self, store: JobStore, settings: Settings, inbox, clip: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The visitor is told, and learns nothing of the server's folders."""

        def analyze(*_: object, **__: object) -> None:
            raise ResultsError(f"The disk is full; the results need more room in {store.files.root}.")

        monkeypatch.setattr(worker, "analyze_video", analyze)
        job = add(store, clip)
        self.run(settings, inbox[0])
        failed = store.job("anna", job.id)
        assert failed is not None
        assert failed.code == "not_written"
        assert "disk is full" in failed.message
        assert str(store.files.root) not in failed.message

    def test_ending_while_the_network_loads_costs_no_attempt(
        self, store: JobStore, settings: Settings, inbox, clip: Path
    ) -> None:
        """A job is taken only when all is ready for it."""
        job = add(store, clip)
        states: list[JobState | None] = []

        def load() -> Classifier:
            states.append(state(store, job))
            return FixedClassifier()

        self.run(settings, inbox[0], load)
        assert states == [JobState.QUEUED]

    def test_a_surprise_fails_the_job_without_details(
        self, store: JobStore, settings: Settings, inbox, clip: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An unknown error is for the log; the visitor is told that there was one."""

        def analyze(*_: object, **__: object) -> None:
            raise ZeroDivisionError("secret")

        monkeypatch.setattr(worker, "analyze_video", analyze)
        job = add(store, clip)
        self.run(settings, inbox[0])
        failed = store.job("anna", job.id)
        assert failed is not None
        assert failed.code == "failed"
        assert "secret" not in failed.message

    def test_deleting_a_running_job_stops_it(
        self, store: JobStore, settings: Settings, inbox, clip: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """After a deletion in the middle no more frames are analysed, and no file comes back."""
        monkeypatch.setattr(worker, "_REPORT_SECONDS", 0)
        job = add(store, clip)
        batches: list[int] = []

        class Deleting(FixedClassifier):
            def predict(self, faces):
                batches.append(len(faces))
                store.delete(job.id)
                return super().predict(faces)

        self.run(settings, inbox[0], Deleting)
        assert len(batches) == 1
        assert state(store, job) is None
        assert not store.files.folder(job.id).exists()

    def test_a_deletion_is_noticed_between_frames(
        self, store: JobStore, settings: Settings, inbox, clip: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever asks learns of it, whether or not a frame was done meanwhile."""
        answers: list[bool] = []

        def analyze(*_: object, cancelled: Callable[[], bool], **__: object) -> None:
            answers.append(cancelled())
            store.delete(job.id)
            answers.append(cancelled())
            raise AnalysisCancelledError

        monkeypatch.setattr(worker, "_REPORT_SECONDS", 0)
        monkeypatch.setattr(worker, "analyze_video", analyze)
        job = add(store, clip)
        self.run(settings, inbox[0])
        assert answers == [False, True]

    def test_an_analysis_that_never_ends_is_given_up(
        self, store: JobStore, settings: Settings, inbox, clip: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Others wait for their turn."""
        monkeypatch.setattr(worker, "_MINUTES", -1.0)
        job = add(store, clip)
        self.run(settings, inbox[0])
        failed = store.job("anna", job.id)
        assert failed is not None
        assert (failed.state, failed.code) == (JobState.FAILED, "video_too_large")
        assert "far longer" in failed.message

    def test_the_worker_shows_that_it_is_alive(
        self, store: JobStore, settings: Settings, inbox, clip: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With each frame, but not too often."""
        monkeypatch.setattr(worker, "_REPORT_SECONDS", 0)
        beats: list[None] = []
        monkeypatch.setattr(JobFiles, "beat", lambda _: beats.append(None))
        add(store, clip)
        self.run(settings, inbox[0])
        assert len(beats) > 25  # the clip's frames

    def test_the_parents_end_puts_the_job_back(self, store: JobStore, settings: Settings, inbox, clip: Path) -> None:
        """The job keeps its place, nothing half-written stays, and the next worker does it."""
        job = add(store, clip)
        mailbox, parent = inbox

        class Ending(FixedClassifier):
            def predict(self, faces):
                if parent.open:
                    parent.end()
                    until(mailbox.ended)
                return super().predict(faces)

        self.run(settings, mailbox, Ending)
        assert state(store, job) is JobState.QUEUED
        assert [path.name for path in store.files.folder(job.id).iterdir()] == ["original"]
        later = Parent()
        self.run(settings, Inbox(later.lines))
        assert state(store, job) is JobState.DONE
        later.end()

    def test_leftovers_of_a_killed_worker_are_cleared(
        self, store: JobStore, settings: Settings, inbox, clip: Path
    ) -> None:
        """A job that was running when its process was killed is done anew."""
        job = add(store, clip)
        WorkQueue(store).claim()
        (store.files.folder(job.id) / ".results.1234.partial").mkdir()
        self.run(settings, inbox[0])
        assert state(store, job) is JobState.DONE
        assert sorted(path.name for path in store.files.folder(job.id).iterdir()) == ["original", "results"]


class TestRunner:
    """Real processes."""

    @pytest.fixture
    def obstacle(self, tmp_path: Path) -> Path:
        """Return a file that keeps the worker from going on, as long as it exists."""
        path = tmp_path / "obstacle"
        path.touch()
        return path

    @pytest.fixture
    def start(self, settings: Settings, obstacle: Path) -> Iterator[Callable[[], JobRunner]]:
        """Return a function that starts the runner, as a start of the application does."""
        runners: list[JobRunner] = []

        def start() -> JobRunner:
            runners.append(JobRunner(settings, (sys.executable, "-m", "tests.helpers.job_worker", str(obstacle))))
            runners[-1].wake()
            return runners[-1]

        yield start
        obstacle.unlink(missing_ok=True)
        for runner in runners:
            runner.close()

    def test_a_restart_in_the_middle(
        self, store: JobStore, obstacle: Path, start: Callable[[], JobRunner], clip: Path
    ) -> None:
        """The worker ends with the application, and after the next start the video is done."""
        job = add(store, clip)
        runner = start()
        until(lambda: state(store, job) is JobState.RUNNING)
        process = runner._process
        assert process is not None
        runner.close()
        assert process.poll() is not None
        obstacle.unlink()
        start()
        until(lambda: state(store, job) is JobState.DONE)

    def test_a_worker_that_is_killed_is_replaced(
        self, store: JobStore, obstacle: Path, start: Callable[[], JobRunner], clip: Path
    ) -> None:
        """A crash of the process costs an attempt, not the job."""
        job = add(store, clip)
        runner = start()
        until(lambda: state(store, job) is JobState.RUNNING)
        process = runner._process
        assert process is not None
        process.kill()
        obstacle.unlink()
        until(lambda: state(store, job) is JobState.DONE)
        done = store.job("anna", job.id)
        assert done is not None
        assert done.attempts == 2

    @pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="Windows stops no processes")
    def test_a_worker_that_hangs_is_replaced(
        self,
        store: JobStore,
        obstacle: Path,
        start: Callable[[], JobRunner],
        clip: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A process that shows no sign of life is ended, and the next one does its job."""
        monkeypatch.setattr("analysis.queue.runner.SWEEP_SECONDS", 0.05)
        job = add(store, clip)
        runner = start()
        until(lambda: state(store, job) is JobState.RUNNING)
        hanging = runner._process
        assert hanging is not None
        hanging.send_signal(signal.SIGSTOP)
        obstacle.unlink()
        monkeypatch.setattr("analysis.queue.runner.HANG_SECONDS", 0.5)
        until(lambda: hanging.poll() is not None)
        monkeypatch.setattr("analysis.queue.runner.HANG_SECONDS", 60.0)
        until(lambda: state(store, job) is JobState.DONE)

    def test_a_process_that_cannot_be_started_is_tried_again(
        self,
        store: JobStore,
        obstacle: Path,
        start: Callable[[], JobRunner],
        clip: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Where there is too little memory for it, for example, the video waits until there is enough."""
        attempts: list[OSError] = []

        def popen(*arguments: Any, **options: Any) -> "subprocess.Popen[str]":
            if not attempts:
                attempts.append(OSError(errno.ENOMEM, "Cannot allocate memory"))
                raise attempts[0]
            return real(*arguments, **options)

        real = subprocess.Popen
        monkeypatch.setattr("analysis.queue.runner._FIRST_PAUSE", 0.01)
        monkeypatch.setattr(subprocess, "Popen", popen)
        obstacle.unlink()
        job = add(store, clip)
        start()
        until(lambda: state(store, job) is JobState.DONE)
        assert attempts

    def test_the_worker_ends_with_its_input(
        self, store: JobStore, settings: Settings, obstacle: Path, clip: Path
    ) -> None:
        """Its input ends however the application ends, killed or not; so no process stays behind."""
        obstacle.unlink()
        assert not store.unfinished()  # which makes the folder that the worker expects
        process = subprocess.Popen(
            (sys.executable, "-m", "tests.helpers.job_worker"),
            stdin=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert process.stdin
        process.stdin.write(settings.model_dump_json() + "\n")
        process.stdin.flush()
        job = add(store, clip)
        process.stdin.write("\n")
        process.stdin.flush()
        until(lambda: state(store, job) is JobState.DONE)
        process.stdin.close()
        assert process.wait(PATIENCE) == 0

    def test_old_videos_are_deleted_without_a_worker(
        self, store: JobStore, settings: Settings, clock: Clock, clip: Path
    ) -> None:
        """The application itself sees to it that nothing is kept too long."""
        job = add(store, clip)
        WorkQueue(store).claim()
        WorkQueue(store).finish(job.id)
        runner = JobRunner(settings, ("does-not-exist",))
        runner.wake()
        until(lambda: not store.files.folder(job.id).exists())
        runner.close()
        with sqlite3.connect(store.files.root / "jobs.sqlite3") as database:
            assert database.execute("SELECT count(*) FROM jobs").fetchone() == (0,)
        database.close()
