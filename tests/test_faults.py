"""What goes wrong with cameras and files, and how it is borne.

In each case the state and its reason are shown, the log says it once, every viewer's stream goes on, and the
picture comes back by itself where that is possible.
"""

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from numpy.typing import NDArray

from camera import VideoCamera
from config import Settings, VideoSettings
from entities import FrameResult, SourceState
from tests.helpers.footage import FixedClassifier, make_video, plain_frames
from tests.helpers.network_cameras import (
    Act,
    free_port,
    mjpeg,
    network_camera,
    plain_picture,
    says,
    sends_garbage,
    serves_rtsp,
    shows,
    stalls,
)
from tests.helpers.stand_ins import PATIENCE, FakeWebcam, first, is_message, looks, vain_waits
from vision.sources import network, webcam

pytestmark = pytest.mark.usefixtures("impatient")

Watch = Callable[[int | str], VideoCamera]


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Return a function that makes a camera on a source."""
    cameras: list[VideoCamera] = []

    def make(source: int | str) -> VideoCamera:
        cameras.append(VideoCamera(Settings(source=source, video=VideoSettings(max_fps=240)), FixedClassifier))
        return cameras[-1]

    yield make
    for camera in cameras:
        camera.close()


@pytest.fixture
def webcams(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[FakeWebcam]]:
    """Return a list for webcams, of which each attempt to open one takes the next; the last one stays."""
    attempts: list[FakeWebcam] = []
    monkeypatch.setattr(webcam, "open_webcam", lambda _: attempts.pop(0) if attempts[1:] else attempts[0])
    yield attempts
    for attempt in attempts:
        attempt.end()


def until(camera: VideoCamera, state: SourceState) -> Callable[[FrameResult], bool]:
    """Return what tells whether the camera is in this state."""
    return lambda _: camera.status.state is state


def away() -> FakeWebcam:
    """Return a webcam that gives no picture: missing, or taken by another program."""
    return FakeWebcam([])


def showing(level: int) -> FakeWebcam:
    """Return a webcam that shows a picture of this brightness until it is pulled out."""
    return FakeWebcam([plain_picture(level)], ends=threading.Event())


def test_a_webcam_that_is_missing_at_the_start(
    watch: Watch, webcams: list[FakeWebcam], caplog: pytest.LogCaptureFixture
) -> None:
    """It is waited for, with a message that says why, and shown when it is plugged in."""
    webcams += [away(), away(), away(), away(), showing(150)]
    camera = watch(0)
    results = camera.results()
    assert is_message(first(results, until(camera, SourceState.RECONNECTING)))
    reason = camera.status.reason
    assert reason
    first(results, looks(150))
    assert camera.status.state is SourceState.LIVE
    assert caplog.text.count(reason) == 1


def test_a_webcam_that_is_pulled_out_and_put_back(watch: Watch, webcams: list[FakeWebcam]) -> None:
    """The stream goes on with a message, and then with the picture again."""
    plugged_in = showing(60)
    webcams += [plugged_in, away(), away(), showing(180)]
    camera = watch(0)
    results = camera.results()
    first(results, looks(60))
    plugged_in.end()
    first(results, until(camera, SourceState.RECONNECTING))
    assert plugged_in.released.is_set()
    first(results, looks(180))
    assert camera.status.state is SourceState.LIVE


def test_a_webcam_whose_driver_blocks(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Viewers still get what there is, and the camera still closes at once."""
    unblocked = threading.Event()

    class Blocking(FakeWebcam):
        def read(self) -> tuple[bool, NDArray[Any] | None]:
            got, picture = super().read()
            return (got, picture) if got else (not unblocked.wait(PATIENCE), None)

    monkeypatch.setattr(webcam, "open_webcam", lambda _: Blocking([plain_picture(60)]))
    camera = watch(0)
    results = camera.results(timeout=0.01)
    seen = first(results, looks(60))
    assert next(results) is seen
    monkeypatch.setattr("camera.CLOSING", PATIENCE)  # what a busy computer may need for the current frame
    with vain_waits() as vain:
        camera.close()
    assert vain == []
    unblocked.set()


FAULTS: dict[str, Act] = {
    "hangs up": mjpeg(shows(30)),
    "stalls in mid-frame": mjpeg(shows(30), stalls),
    "sends garbage": mjpeg(sends_garbage),
    "sends garbage after pictures": mjpeg(shows(30, 40, 50), sends_garbage),
    "has too much to do": says("503 Service Unavailable"),
    "asks for a password": says("401 Unauthorized"),
    "never answers": lambda connection: connection.hang(),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_network_camera_comes_back(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    """Whatever it does, the camera is connected to again; each fault is logged once, and the password never."""
    monkeypatch.setattr(network, "NETWORK_TIMEOUT", 1.0)  # longer than a busy computer lets a good camera wait
    working = mjpeg(shows(*[200] * 20, forever=True))
    with network_camera(FAULTS[fault], FAULTS[fault], working) as server:
        camera = watch(f"http://me:secret@127.0.0.1:{server.port}/video?key=secret")
        results = camera.results()
        first(results, until(camera, SourceState.RECONNECTING))
        reason = camera.status.reason
        first(results, lambda result: looks(200)(result) and camera.status.state is SourceState.LIVE)
        assert camera.status.source == f"http://127.0.0.1:{server.port}/video"
    assert 1 <= caplog.text.count(reason) <= 2  # twice if a picture came between
    assert "secret" not in caplog.text + reason


def test_a_network_camera_that_is_switched_on_later(watch: Watch) -> None:
    """An address at which nobody answers is tried until somebody does."""
    port = free_port()
    camera = watch(f"http://127.0.0.1:{port}/video")
    results = camera.results()
    first(results, until(camera, SourceState.RECONNECTING))
    assert "refused" in camera.status.reason
    with network_camera(mjpeg(shows(200, forever=True)), port=port):
        first(results, looks(200))


def test_a_network_camera_that_changes_its_resolution(watch: Watch) -> None:
    """Results change their size with it, and the stream goes on."""
    acts = shows(*[60] * 10), shows(200, width=128, height=96, forever=True)
    with network_camera(mjpeg(*acts)) as server:
        camera = watch(f"http://127.0.0.1:{server.port}/video")
        results = camera.results()
        assert first(results, looks(60)).width == 64
        assert first(results, looks(200)).width == 128
        assert camera.status.state is SourceState.LIVE


def test_an_rtsp_camera_that_falls_silent(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """RTSP recovers as well."""
    monkeypatch.setattr(network, "NETWORK_TIMEOUT", 1.0)
    with network_camera(serves_rtsp([40] * 30), serves_rtsp([200] * 500)) as server:
        camera = watch(f"rtsp://127.0.0.1:{server.port}/video")
        results = camera.results()
        first(results, until(camera, SourceState.RECONNECTING))
        first(results, looks(200))


def test_a_viewer_is_not_held_up_by_what_the_camera_sent_before(watch: Watch) -> None:
    """Pictures that came while nobody asked are skipped: what is shown is now."""
    sent = threading.Event()

    def tell(_: object) -> None:
        sent.set()

    with network_camera(mjpeg(shows(*range(20, 120), fps=200), tell, shows(220, forever=True))) as server:
        camera = watch(f"http://127.0.0.1:{server.port}/video")
        results = camera.results()
        next(results)
        assert sent.wait(PATIENCE)
        late = [next(results) for _ in range(20)]
        assert any(looks(220)(result) for result in late)


@pytest.mark.parametrize("fault", ["missing", "empty", "noise", "cut off"])
def test_a_file_that_cannot_be_played_until_it_is_replaced(
    watch: Watch, tmp_path: Path, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    """The state says that it failed, and why; when a good file takes its place, it plays."""
    good, path = make_video(tmp_path / "good.mp4"), tmp_path / "clip.mp4"
    contents = {"empty": b"", "noise": bytes(range(256)) * 50, "cut off": good.read_bytes()[:-1500]}
    if fault in contents:
        path.write_bytes(contents[fault])
    camera = watch(str(path))
    results = camera.results()
    assert is_message(first(results, until(camera, SourceState.FAILED)))
    reason = camera.status.reason
    assert reason
    shutil.copy(good, tmp_path / "copy.mp4")
    (tmp_path / "copy.mp4").replace(path)
    first(results, until(camera, SourceState.LIVE))
    assert caplog.text.count(reason) == 1


def test_a_file_on_and_on(watch: Watch, tmp_path: Path) -> None:
    """A short file that is played again and again stays live between its rounds."""
    camera = watch(str(make_video(tmp_path / "short.mp4", plain_frames(3), fps=100)))
    results = camera.results()
    rounds = 0
    previous = -1.0
    while rounds < 4:
        result = first(results, lambda result: result.time is not None)
        rounds += (result.time or 0.0) < previous
        previous = result.time or 0.0
        assert camera.status.state is SourceState.LIVE


def test_a_viewer_that_leaves_in_mid_frame(watch: Watch, webcams: list[FakeWebcam]) -> None:
    """Others see the next picture, and the one who left is no longer counted."""
    webcams.append(showing(60))
    camera = watch(0)
    leaver, stayer = camera.results(timeout=0.01), camera.results(timeout=0.01)
    first(leaver, looks(60))
    first(stayer, looks(60))
    leaver.close()
    assert camera.viewers == 1
    assert looks(60)(next(stayer))
