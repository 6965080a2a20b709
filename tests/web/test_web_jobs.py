"""Videos over HTTP: from upload to result, within limits, for their sender only."""

import errno
import io
import json
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

from analysis.queue.jobs import JobStore
from analysis.queue.runner import JobRunner
from analysis.queue.work_queue import WorkQueue
from analysis.recording.video import analyze_video
from config import Settings
from entities import Box, Image
from tests.helpers.fake_camera import FakeCamera
from tests.helpers.footage import FixedClassifier, make_video
from vision.sampling import Sampling
from vision.video.video_file import VideoFile
from web.routes import jobs, reports
from web.services import EXTENSION, Services
from web.serving.server import Server

PATIENCE = 30.0


class Usage(NamedTuple):
    """What shutil.disk_usage tells."""

    total: int
    used: int
    free: int


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return where videos are kept."""
    return tmp_path / "uploads"


@pytest.fixture
def make_app(camera: FakeCamera, folder: Path) -> Iterator[Callable[..., Flask]]:
    """Return a function that makes the application with limits of its own, and a worker without the network."""
    made: list[JobRunner] = []

    def make(**limits: float) -> Flask:
        from app import create_app

        settings = Settings.model_validate({"server": {"port": 0}, "uploads": {"folder": folder, **limits}})
        app = create_app(settings, camera.as_camera())
        runner = JobRunner(settings, (sys.executable, "-m", "tests.helpers.job_worker"))
        made.append(runner)
        app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], jobs=runner)
        return app

    yield make
    for runner in made:
        runner.close()


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let jobs wait in the queue."""
    monkeypatch.setattr(JobRunner, "wake", lambda _: None)


@pytest.fixture
def client(make_app: Callable[..., Flask], idle: None) -> FlaskClient:
    """Return a visitor of an application in which nothing is worked on."""
    return make_app().test_client()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a video of a second as a file's content."""
    return make_video(tmp_path_factory.mktemp("clips") / "clip.mp4", sound="aac").read_bytes()


def send(client: FlaskClient, data: bytes, name: str = "clip.mp4", field: str = "file") -> Any:
    """Upload a video."""
    return client.post("/api/jobs", data={field: (io.BytesIO(data), name)})


def test_odd_videos_are_taken_or_refused_in_words(client: FlaskClient, tmp_path: Path) -> None:
    """Metadata in Latin-1, a codec that nobody knows, and no word on the length are no reason for an error 500."""
    titled = make_video(tmp_path / "a.mkv", title="Cafe").read_bytes().replace(b"Cafe", b"Caf\xe9")
    assert send(client, titled).json["job"]["seconds"] == pytest.approx(1, abs=0.01)
    unknown = make_video(tmp_path / "a.mp4").read_bytes().replace(b"avc1", b"zzzz")
    assert code(send(client, unknown)) == (415, "unsupported_video")
    part = make_video(tmp_path / "a.ts").read_bytes()
    assert send(client, part + part).json["job"]["seconds"] == pytest.approx(2, abs=0.01)


def listed(client: FlaskClient) -> Any:
    """Return what the visitor is told of all videos."""
    return client.get("/api/jobs").json


def told(client: FlaskClient, job: dict[str, Any]) -> Any:
    """Return what the visitor is told of one."""
    answer: Any = client.get(f"/api/jobs/{job['id']}").json
    return answer["job"]


def code(response: Any) -> tuple[int, str]:
    """Return an error's status and code, having checked that it is one in words."""
    assert response.json.keys() == {"error"}
    assert len(response.json["error"]["message"]) > 10
    return response.status_code, response.json["error"]["code"]


def store(client: FlaskClient) -> JobStore:
    """Return the queue behind a client's application."""
    services: Services = client.application.extensions[EXTENSION]
    return services.jobs.store


def leftovers(folder: Path) -> list[str]:
    """Return the names of the jobs' folders."""
    return [path.name for path in folder.iterdir() if path.is_dir()] if folder.exists() else []


def finish(client: FlaskClient, job: dict[str, Any], **files: bytes) -> None:
    """Put results in place as the worker does."""
    results = store(client).files.results(job["id"])
    results.mkdir()
    for name, data in files.items():
        (results / name.replace("__", ".")).write_bytes(data)
    WorkQueue(store(client)).finish(job["id"])


class TestUpload:
    """What is taken, and what is not."""

    def test_is_queued(self, client: FlaskClient, clip: bytes) -> None:
        """The answer says all that there is to say, and where to ask again."""
        response = send(client, clip, "My holiday.mp4")
        job = response.json["job"]
        assert response.status_code == 201
        assert response.headers["Location"] == f"/api/jobs/{job['id']}"
        assert job.pop("created") > 1e9
        assert job.pop("id").isalnum()
        assert job.pop("seconds") == pytest.approx(1, abs=0.05)
        assert 0 < job.pop("estimated_seconds") < 10
        assert job == {
            "name": "My holiday.mp4",
            "state": "queued",
            "ahead": 0,
            "starts_in_seconds": 0,
            "progress": 0,
            "remaining_seconds": None,
            "error": None,
            "blurred": False,
            "fps": None,
            "start": 0,
            "end": None,
            "rest": "",
            "expires": None,
            "files": {},
        }

    def test_a_part_of_it_and_some_frames_can_be_asked_for(self, client: FlaskClient, clip: bytes) -> None:
        """The job says what was asked for, and is as long and as much work as that."""
        whole = send(client, clip).json["job"]
        data = {"file": (io.BytesIO(clip), "clip.mp4"), "rest": "0-0.5"}
        job = client.post("/api/jobs?fps=5&start=0.25&end=0:00.75", data=data).get_json()["job"]
        assert (job["fps"], job["start"], job["end"], job["rest"]) == (5, 0.25, 0.75, "0-0.5")
        assert job["seconds"] == pytest.approx(0.5)
        assert job["estimated_seconds"] < whole["estimated_seconds"] / 2
        owned = WorkQueue(store(client)).claim(), WorkQueue(store(client)).claim()
        assert [found.options.sampling for found in owned if found] == [Sampling(), Sampling(5, begin=0.25, end=0.75)]

    @pytest.mark.parametrize(
        ("query", "rest", "answer", "words"),
        [
            ("fps=0", "", "bad_parameter", "fps is '0'"),
            ("start=soon", "", "bad_parameter", "minutes and seconds (1:30)"),
            ("start=0:30&end=0:30", "", "bad_range", "later than the start"),
            ("start=1:00", "", "bad_range", "ends at 0:01.0"),
            ("start=0.5", "0-0.5", "bad_rest", "not in the part that is analysed"),
            ("", "sometimes", "bad_rest", "sometimes"),
        ],
    )
    def test_what_cannot_be_looked_at_is_refused(
        self, client: FlaskClient, clip: bytes, folder: Path, *, query: str, rest: str, answer: str, words: str
    ) -> None:
        """The message says which, and what to do; nothing is kept."""
        data = {"file": (io.BytesIO(clip), "clip.mp4"), "rest": rest}
        response = client.post(f"/api/jobs?{query}", data=data)
        assert code(response) == (400, answer)
        assert words in response.text
        assert leftovers(folder) == []

    def test_several_wait_in_order(self, client: FlaskClient, clip: bytes) -> None:
        """Each knows how many are ahead of it; the list is in order."""
        for name in ("a.mp4", "b.mp4"):
            send(client, clip, name)
        first, second = listed(client)["jobs"]
        assert [(job["name"], job["ahead"]) for job in (first, second)] == [("a.mp4", 0), ("b.mp4", 1)]
        assert second["starts_in_seconds"] == first["estimated_seconds"] > 0
        assert listed(client)["limits"]["max_megabytes"] == 200

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("../../etc/passwd", "passwd"),
            ("a\x07\x1bb.mp4", "ab.mp4"),
            ("x" * 500, "x" * 120),
            ("旅行.mp4", "旅行.mp4"),
        ],
    )
    def test_names_are_only_shown(self, client: FlaskClient, clip: bytes, folder: Path, name: str, shown: str) -> None:
        """Whatever a file is called, its folder has a random name, and the original is called original."""
        job = send(client, clip, name).json["job"]
        assert job["name"] == shown
        assert [path.name for path in (folder / job["id"]).iterdir()] == ["original"]
        assert leftovers(folder) == [job["id"]]

    @pytest.mark.parametrize("data", [b"hello", b"\x89PNG\r\n\x1a\n" + bytes(50), b"#EXTM3U\nfile:///etc/passwd\n"])
    def test_type_is_told_by_content(self, client: FlaskClient, folder: Path, data: bytes) -> None:
        """What is no video is refused, whatever it is called, and not kept."""
        assert code(send(client, data)) == (415, "unsupported_video")
        assert leftovers(folder) == []

    def test_other_requests_are_refused(self, client: FlaskClient, clip: bytes, folder: Path) -> None:
        """No form, no file, an empty one, two at once: each is named, and nothing stays."""
        two = {"file": [(io.BytesIO(clip), "a.mp4"), (io.BytesIO(clip), "b.mp4")]}
        assert code(client.post("/api/jobs", data=clip, content_type="video/mp4")) == (415, "multipart_required")
        assert code(client.post("/api/jobs", data={"file": "text"})) == (415, "multipart_required")
        assert code(send(client, clip, field="video")) == (400, "file_missing")
        assert code(send(client, b"")) == (400, "file_empty")
        assert code(client.post("/api/jobs", data=two)) == (400, "one_at_a_time")
        broken = client.post("/api/jobs", data=b"--x\r\nnonsense", content_type="multipart/form-data; boundary=x")
        assert code(broken) == (400, "bad_form")
        assert leftovers(folder) == []

    @pytest.mark.parametrize(
        "limit", [{"max_video_seconds": 0.5}, {"max_video_megapixels": 0.001}, {"max_video_gigapixels": 0.00005}]
    )
    def test_too_long_or_large_is_refused(
        self, make_app: Callable[..., Flask], idle: None, clip: bytes, folder: Path, limit: dict[str, float]
    ) -> None:
        """The limits on length and resolution hold."""
        assert code(send(make_app(**limit).test_client(), clip)) == (413, "video_too_large")
        assert leftovers(folder) == []

    def test_too_many_are_refused(self, make_app: Callable[..., Flask], idle: None, clip: bytes) -> None:
        """The number of videos of a visitor is limited; deleting one makes room."""
        client = make_app(max_jobs_each=1).test_client()
        job = send(client, clip).json["job"]
        assert code(send(client, clip)) == (429, "too_many_videos")
        client.delete(f"/api/jobs/{job['id']}")
        assert send(client, clip).status_code == 201

    @pytest.mark.usefixtures("idle")
    @pytest.mark.parametrize(
        ("limits", "answer"),
        [
            ({"max_jobs_each": 1}, (429, "too_many_videos")),
            ({"max_jobs": 1}, (429, "too_many_videos")),
            ({}, (507, "disk_full")),
        ],
    )
    def test_an_upload_under_way_counts(
        self,
        make_app: Callable[..., Flask],
        clip: bytes,
        monkeypatch: pytest.MonkeyPatch,
        *,
        limits: dict[str, int],
        answer: tuple[int, str],
    ) -> None:
        """While one video comes in, its place and its disk space are taken; when it breaks off, they are free."""
        client = make_app(**limits).test_client()
        client.get("/api/jobs")
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, 5 * len(clip)))
        others: list[tuple[int, str]] = []

        class Meanwhile(io.BytesIO):
            def readinto(self, buffer: Any) -> int:
                if not others:
                    others.append(code(send(client, clip)))
                return super().readinto(buffer)

        response = client.post(
            "/api/jobs",
            content_type="multipart/form-data; boundary=x",
            environ_overrides={"wsgi.input": Meanwhile(b"--x\r\nnonsense"), "CONTENT_LENGTH": str(len(clip))},
        )
        assert code(response) == (400, "bad_request")
        assert others == [answer]
        assert send(client, clip).status_code == 201

    def test_videos_are_opened_one_at_a_time(
        self, client: FlaskClient, clip: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """However many come at once, the memory that looking into them takes is bounded."""
        opened: list[bool] = []

        class Watched(VideoFile):
            def __init__(self, *arguments: Any) -> None:
                opened.append(jobs._ONE_CHECK.locked())
                super().__init__(*arguments)

        monkeypatch.setattr(jobs, "VideoFile", Watched)
        assert send(client, clip).status_code == 201
        assert opened == [True]

    def test_size_is_checked_before_reading(self, make_app: Callable[..., Flask], idle: None, folder: Path) -> None:
        """An upload that says that it is too large is refused without being read."""

        class Unread(io.RawIOBase):
            def readinto(self, _: Any) -> int:
                raise AssertionError("the body was read")

        response = make_app(max_video_megabytes=1).test_client().post(
            "/api/jobs",
            content_type="multipart/form-data; boundary=x",
            environ_overrides={"wsgi.input": Unread(), "CONTENT_LENGTH": "1000000000"},
        )  # fmt: skip
        assert code(response) == (413, "video_too_large")
        assert leftovers(folder) == []

    def test_size_is_checked_while_reading(self, make_app: Callable[..., Flask], idle: None, folder: Path) -> None:
        """An upload that does not say how large it is ends at the limit."""
        read = 0

        class Endless(io.RawIOBase):
            def readable(self) -> bool:
                return True

            def readinto(self, buffer: Any) -> int:
                nonlocal read
                head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
                data = head if read == 0 else b"0" * len(buffer)
                buffer[: len(data)] = data
                read += len(data)
                return len(data)

        response = make_app(max_video_megabytes=1).test_client().post(
            "/api/jobs",
            content_type="multipart/form-data; boundary=x",
            environ_overrides={"wsgi.input": Endless(), "wsgi.input_terminated": True},
        )  # fmt: skip
        assert code(response) == (413, "video_too_large")
        assert read < 2e6
        assert leftovers(folder) == []

    def test_a_full_disk_is_said_before(
        self, client: FlaskClient, clip: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where there is no room for video and results, nothing is read."""
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, 2 * len(clip)))
        assert code(send(client, clip)) == (507, "disk_full")
        assert leftovers(folder) == []

    def test_a_full_disk_is_said_in_the_middle(
        self, client: FlaskClient, clip: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """When the disk fills up while the video comes in, what was written is removed."""

        class Full(io.BytesIO):
            def write(self, _: Any) -> int:
                raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(Path, "open", lambda *_, **__: Full())
        assert code(send(client, clip)) == (507, "disk_full")
        assert leftovers(folder) == []

    def test_goes_nowhere_but_into_its_folder(
        self, client: FlaskClient, clip: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No copy is made in the system's folder for temporary files."""

        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("a temporary file was made")

        for name in ("TemporaryFile", "SpooledTemporaryFile", "NamedTemporaryFile"):
            monkeypatch.setattr(tempfile, name, refuse)
        monkeypatch.setattr("werkzeug.formparser.SpooledTemporaryFile", refuse)
        assert send(client, clip * 10).status_code == 201


def test_a_list_that_cannot_be_read_is_said_to_be_so(
    client: FlaskClient, clip: bytes, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Programs may try again later; the log knows more than visitors do."""
    send(client, clip)
    (folder / "jobs.sqlite3").unlink()
    (folder / "jobs.sqlite3").mkdir()
    answer = client.get("/api/jobs")
    assert code(answer) == (503, "videos_unavailable")
    assert str(folder) not in answer.text
    assert str(folder) in caplog.text


def test_a_damaged_list_keeps_nobody_out(client: FlaskClient, clip: bytes, folder: Path) -> None:
    """What was in it is lost; the next video is taken."""
    send(client, clip)
    (folder / "jobs.sqlite3").write_bytes(b"no database")
    client.get("/api/jobs")
    assert listed(client)["jobs"] == []
    assert send(client, clip).status_code == 201


@pytest.mark.usefixtures("idle")
def test_one_client_under_many_names(make_app: Callable[..., Flask], clip: bytes) -> None:
    """Without cookies it has half of the places, and others the rest."""
    app = make_app(max_jobs=4, max_jobs_each=2)
    answers = [send(app.test_client(), clip) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert "network" in answers[-1].json["error"]["message"]
    other = app.test_client()
    other.environ_base["REMOTE_ADDR"] = "192.0.2.1"
    assert send(other, clip).status_code == 201
    folder = app.extensions[EXTENSION].jobs.store.files.root
    assert not any(b"127.0.0.1" in path.read_bytes() for path in folder.glob("jobs.sqlite3*"))


class TestPrivacy:
    """A visitor sees only their own."""

    def test_two_visitors(self, client: FlaskClient, clip: bytes, folder: Path) -> None:
        """To another visitor a job is as if it were not there."""
        job = send(client, clip).json["job"]
        finish(client, job, summary__json=b"{}")
        stranger = client.application.test_client()
        path = f"/api/jobs/{job['id']}"
        assert listed(stranger)["jobs"] == []
        for answer in (stranger.get(path), stranger.delete(path), stranger.get(f"{path}/files/summary.json")):
            assert code(answer) == (404, "no_such_job")
        assert client.get(path).status_code == 200
        assert leftovers(folder) == [job["id"]]

    def test_the_cookie_is_for_this_purpose_only(self, client: FlaskClient) -> None:
        """It is out of scripts' reach, and not sent with what other sites' pages ask."""
        cookie = client.get("/pictures").headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie

    def test_a_cookie_that_we_did_not_make_is_replaced(self, client: FlaskClient) -> None:
        """A short, guessable id is not accepted."""
        client.set_cookie("fer_visitor", "anna")
        assert "fer_visitor=anna;" not in client.get("/pictures").headers["Set-Cookie"]

    def test_the_page_makes_the_visitor_known(self, client: FlaskClient, clip: bytes) -> None:
        """It and what is sent set and renew the cookie; an answer to a look, which may come late, undoes nothing."""
        first = client.get("/pictures").headers["Set-Cookie"].partition(";")[0]
        assert client.get("/pictures").headers["Set-Cookie"].partition(";")[0] == first
        assert send(client, clip).headers["Set-Cookie"].partition(";")[0] == first
        assert "Set-Cookie" not in client.get("/api/jobs").headers
        assert "Set-Cookie" not in client.application.test_client().get("/api/jobs").headers

    def test_other_sites_can_do_nothing(self, client: FlaskClient, clip: bytes) -> None:
        """A page of another site cannot send or delete in a visitor's name."""
        job = send(client, clip).json["job"]
        elsewhere = {"Origin": "https://elsewhere.example"}
        assert code(client.delete(f"/api/jobs/{job['id']}", headers=elsewhere))[0] == 403
        assert code(client.post("/api/jobs", headers=elsewhere))[0] == 403


class TestResults:
    """The files that come of a video."""

    @pytest.fixture
    def job(self, client: FlaskClient, clip: bytes) -> dict[str, Any]:
        """Return a job that is done, with some files."""
        job = send(client, clip, "Holiday in Rome.mov").json["job"]
        finish(client, job, annotated__mp4=bytes(range(200)), summary__json=b"{}", other__txt=b"secret")
        return told(client, job)

    def test_files_are_listed_with_their_addresses(self, client: FlaskClient, job: dict[str, Any]) -> None:
        """What is there can be fetched from where it says."""
        assert (job["state"], job["progress"]) == ("done", 1)
        assert list(job["files"]) == ["annotated.mp4", "summary.json"]
        answer = client.get(job["files"]["annotated.mp4"])
        assert (answer.data, answer.mimetype) == (bytes(range(200)), "video/mp4")
        assert job["expires"] > job["created"] + 3600

    def test_parts_of_a_video(self, client: FlaskClient, job: dict[str, Any]) -> None:
        """Browsers fetch ranges when one scrubs."""
        address = job["files"]["annotated.mp4"]
        part = client.get(address, headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.data) == (206, bytes(range(10, 20)))
        assert part.headers["Content-Range"] == "bytes 10-19/200"
        assert client.get(address, headers={"Range": "bytes=190-"}).data == bytes(range(190, 200))
        assert client.get(address, headers={"Range": "bytes=500-"}).status_code == 416
        assert client.get(address).headers["Accept-Ranges"] == "bytes"

    def test_download_is_named_after_the_video(self, client: FlaskClient, job: dict[str, Any]) -> None:
        """With ?download=1 the browser saves it under a name that tells what it is."""
        header = client.get(job["files"]["summary.json"] + "?download=1").headers["Content-Disposition"]
        assert header == 'attachment; filename="Holiday in Rome-summary.json"'

    @pytest.mark.parametrize(
        "name",
        ["other.txt", "../original", "..%2Foriginal", "..", "%2e%2e%2foriginal", "moment-Sad.jpg", "annotated.mp4%00"],
    )
    def test_nothing_else_can_be_fetched(self, client: FlaskClient, job: dict[str, Any], name: str) -> None:
        """Only the names of results lead anywhere."""
        assert client.get(f"/api/jobs/{job['id']}/files/{name}").status_code == 404

    def test_nothing_before_it_is_done(self, client: FlaskClient, clip: bytes) -> None:
        """A job that waits has no files."""
        job = send(client, clip).json["job"]
        assert code(client.get(f"/api/jobs/{job['id']}/files/summary.json")) == (404, "no_such_file")

    def test_deleting_deletes(self, client: FlaskClient, job: dict[str, Any], folder: Path) -> None:
        """Afterwards neither the job nor its files are there."""
        assert client.delete(f"/api/jobs/{job['id']}").status_code == 204
        assert code(client.get(job["files"]["summary.json"])) == (404, "no_such_job")
        assert code(client.delete(f"/api/jobs/{job['id']}")) == (404, "no_such_job")
        assert leftovers(folder) == []

    def test_a_failed_job_says_why(self, client: FlaskClient, clip: bytes) -> None:
        """The reason is in the job."""
        job = send(client, clip).json["job"]
        WorkQueue(store(client)).fail(job["id"], "disk_full", "The disk is full.")
        failed = told(client, job)
        assert (failed["state"], failed["error"]) == ("failed", {"code": "disk_full", "message": "The disk is full."})


@contextmanager
def served(app: Flask) -> Iterator[HTTPConnection]:
    """Serve the application on a free port of loopback, and give a connection to it."""
    server = Server(app, app.extensions[EXTENSION].settings.server)
    server.listen()
    thread = threading.Thread(target=server.serve)
    thread.start()
    host, port = server.bind_addr
    connection = HTTPConnection(host, port, timeout=PATIENCE)
    try:
        yield connection
    finally:
        connection.close()
        server.stop()
        thread.join()


def test_from_upload_to_result(make_app: Callable[..., Flask], clip: bytes) -> None:
    """Through the real server and a real worker: a video goes in, and one that plays comes out."""
    cookie: dict[str, str] = {}

    def ask(method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> tuple[int, bytes]:
        connection.request(method, path, body, cookie | headers)
        response = connection.getresponse()
        cookie.setdefault("Cookie", (response.headers["Set-Cookie"] or "").partition(";")[0])
        return response.status, response.read()

    with served(make_app()) as connection:
        form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n' + clip + b"\r\n--x--\r\n"
        status, body = ask("POST", "/api/jobs", {"Content-Type": "multipart/form-data; boundary=x"}, form)
        assert status == 201
        job = json.loads(body)["job"]
        tick = threading.Event()
        for _ in range(int(PATIENCE / 0.05)):
            if job["state"] not in {"queued", "running"}:
                break
            tick.wait(0.05)
            job = json.loads(ask("GET", f"/api/jobs/{job['id']}", {})[1])["job"]
        assert (job["state"], job["error"]) == ("done", None)
        assert ask("GET", job["files"]["annotated.mp4"], {"Range": "bytes=4-7"}) == (206, b"ftyp")


@pytest.fixture
def job(client: FlaskClient, clip: bytes, tmp_path: Path, portrait: tuple[Image, Box]) -> dict[str, Any]:
    """Return a job that is done, with one face."""
    job = send(client, clip).json["job"]
    image = np.asarray(cv2.resize(portrait[0], (160, 190)), np.uint8)
    video = make_video(tmp_path / "a.mp4", iter([image] * 10), fps=10)
    analyze_video(video, store(client).files.results(job["id"]), Settings(), FixedClassifier())
    WorkQueue(store(client)).finish(job["id"])
    return job


class TestFaces:
    """Who is who can be changed by the sender, and by nobody else."""

    def test_names_and_undo(self, client: FlaskClient, job: dict[str, Any]) -> None:
        """The answer lists the faces as they are now, and so does summary.json."""

        def change(body: dict[str, Any]) -> Any:
            return client.patch(f"/api/jobs/{job['id']}/faces", json=body).get_json()

        assert [face["name"] for face in change(rename(1))["faces"]] == ["Anna"]
        summary: Any = client.get(f"/api/jobs/{job['id']}/files/summary.json").get_json()
        assert [face["name"] for face in summary["faces"]] == ["Anna"]
        answer = change({"action": "undo"})
        assert (answer["changes"], [face["name"] for face in answer["faces"]]) == (0, [""])

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ({"action": "rename", "face": 99, "name": "Anna"}, (409, "faces_not_changed")),
            ({"action": "undo"}, (409, "faces_not_changed")),
            ({"action": "merge", "face": 1}, (400, "bad_parameter")),
            ({"action": "dance", "face": 1}, (400, "bad_parameter")),
        ],
    )
    def test_what_cannot_be_is_said(
        self, client: FlaskClient, job: dict[str, Any], body: dict[str, Any], expected: tuple[int, str]
    ) -> None:
        """With a code for programs."""
        assert code(client.patch(f"/api/jobs/{job['id']}/faces", json=body)) == expected

    def test_not_before_it_is_done_and_not_by_others(self, client: FlaskClient, clip: bytes) -> None:
        """A video in the queue has no faces yet; another visitor has no such video."""
        job = send(client, clip).json["job"]
        assert code(client.patch(f"/api/jobs/{job['id']}/faces", json=rename(1))) == (409, "not_done")
        client.delete_cookie("fer_visitor")
        assert code(client.patch(f"/api/jobs/{job['id']}/faces", json=rename(1))) == (404, "no_such_job")


class TestReport:
    """One report on all videos of a visitor, and on nobody else's."""

    def test_has_what_is_done_and_what_failed(self, client: FlaskClient, clip: bytes, job: dict[str, Any]) -> None:
        """Faces have their names, a failure its reason, and a part of a video is called one; it is to be saved."""
        client.patch(f"/api/jobs/{job['id']}/faces", json=rename(1))
        broken = send(client, clip, "broken.mp4").json["job"]
        WorkQueue(store(client)).fail(broken["id"], "broken_video", "It ends too early.")
        send(client, clip, "waiting.mp4")
        report = client.get("/api/jobs/report")
        assert (report.status_code, report.mimetype) == (200, "text/html")
        assert report.headers["Content-Disposition"] == 'attachment; filename="report.html"'
        assert report.headers["Cache-Control"] == "no-store"
        assert "Facial expressions in 1 video<" in report.text
        assert "It ends too early." in report.text
        assert 'alt="Anna"' in report.text
        assert "waiting.mp4" not in report.text

    def test_says_what_was_not_looked_at(self, client: FlaskClient, clip: bytes, job: dict[str, Any]) -> None:
        """The same name is told apart, and a rate and a part are in words."""
        data = {"file": (io.BytesIO(clip), "clip.mp4")}
        part = client.post("/api/jobs?fps=5&start=0.2", data=data).get_json()["job"]
        shutil.copytree(store(client).files.results(job["id"]), store(client).files.results(part["id"]))
        WorkQueue(store(client)).finish(part["id"])
        report = client.get("/api/jobs/report").text
        assert "Of clip.mp4 (2), only a part was looked at: 5 frames a second, from 0:00.2 on." in report

    def test_is_refused_in_words(
        self, client: FlaskClient, job: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """While others are made, and for who has no video."""
        monkeypatch.setattr(reports, "BUSY_SECONDS", 0.01)
        with reports._ONE_REPORT:
            answer = client.get("/api/jobs/report")
        assert (code(answer), answer.headers["Retry-After"]) == ((503, "busy"), "10")
        client.delete_cookie("fer_visitor")
        assert code(client.get("/api/jobs/report")) == (404, "no_report")

    def test_has_the_latest_only(
        self, client: FlaskClient, clip: bytes, job: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Size and time are bounded, and the reader is told; what was just deleted is left out."""
        monkeypatch.setattr(reports, "MAX_VIDEOS", 1)
        finish(client, send(client, clip, "gone.mp4").json["job"])
        report = client.get("/api/jobs/report").text
        assert "Facial expressions in 0 videos" in report
        assert "These are the latest 1 of 2 videos." in report


def rename(face: int) -> dict[str, Any]:
    """Return a change that names a face."""
    return {"action": "rename", "face": face, "name": "Anna"}
