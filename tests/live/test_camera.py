"""VideoCamera shows one source to any number of viewers, whatever its source and its model do."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

import numpy as np
import pytest
from numpy.typing import NDArray

from camera import VideoCamera
from config import Settings, VideoSettings
from entities import Box, Classifier, FrameResult, Image, SourceState
from errors import ModelError, SourceError
from tests.helpers.footage import FixedClassifier
from tests.helpers.network_cameras import plain_picture
from tests.helpers.stand_ins import (
    PATIENCE,
    FakeSource,
    HandFedSource,
    RepeatingSource,
    first,
    is_message,
    is_picture,
    looks,
    vain_waits,
)
from vision.sources import Source, SourceSpec

pytestmark = pytest.mark.usefixtures("impatient")
SETTINGS = Settings(video=VideoSettings(idle_seconds=0))


class Cameras:
    """Makes cameras and closes them after the test."""

    def __init__(self) -> None:
        self._made: list[VideoCamera] = []

    def __call__(
        self,
        source: Source,
        load: Callable[[], Classifier] = FixedClassifier,
        *,
        others: Mapping[SourceSpec, Source] | None = None,
    ) -> VideoCamera:
        """Return a camera on this source, and on others where it is told to use them."""
        sources: dict[SourceSpec, Source] = {SETTINGS.source: source, **(others or {})}

        def open_video(spec: SourceSpec) -> Source:
            if spec not in sources:
                raise SourceError(f"There is no {spec}.")
            return sources[spec]

        camera = VideoCamera(SETTINGS, load, open_video=open_video)
        self._made.append(camera)
        return camera

    def close(self) -> None:
        """Close all."""
        for camera in self._made:
            camera.close()


@pytest.fixture
def make_camera() -> Iterator[Cameras]:
    """Return a function that makes cameras."""
    cameras = Cameras()
    yield cameras
    cameras.close()


def has_faces(result: FrameResult) -> bool:
    """Return whether a result shows faces."""
    return bool(result.faces)


def join_threads(name: str) -> None:
    """Wait until all threads of this name have ended."""
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join(PATIENCE)
            assert not thread.is_alive()


def test_nothing_happens_without_viewers(make_camera: Cameras) -> None:
    """The source is opened by the first viewer, not before; until then the status says so."""
    source = HandFedSource()
    camera = make_camera(source)
    assert camera.latest() is None
    assert camera.status.state is SourceState.OPENING
    assert "someone watches" in camera.status.reason
    assert source.opened == 0
    assert (camera.viewers, camera.fps, camera.latency_ms) == (0, 0, 0)


def test_a_viewer_sees_the_frames(make_camera: Cameras) -> None:
    """A result carries the picture with its size, its capture time and how long it took; nothing is drawn yet."""
    source = HandFedSource()
    camera = make_camera(source)
    began = time.monotonic()
    source.show(150)
    result = first(camera.results(), looks(150))
    assert (result.width, result.height) == (64, 48)
    assert began <= result.captured_at <= time.monotonic()
    assert result.timings["total"] > 0
    assert result.jpeg == b""
    assert camera.latest() is result


def test_all_viewers_share_one_capture_and_each_result(make_camera: Cameras) -> None:
    """Ten viewers get the same object, made once, of a source opened once."""
    source = HandFedSource()
    camera = make_camera(source)
    viewers = [camera.results() for _ in range(10)]
    source.show(90)
    seen = [first(viewer, looks(90)) for viewer in viewers]
    assert all(result is seen[0] for result in seen)
    assert camera.viewers == 10
    assert source.opened == 1


def test_a_slow_viewer_skips_frames(make_camera: Cameras) -> None:
    """Who comes back late gets the newest frame, and nobody has waited for him."""
    source = HandFedSource()
    camera = make_camera(source)
    slow, quick = camera.results(), camera.results()
    source.show(10)
    first(slow, looks(10))
    for level in (60, 110, 160, 210):
        source.show(level)
        first(quick, looks(level))
    assert looks(210)(next(slow))


def test_indices_rise(make_camera: Cameras) -> None:
    """Each result has a number of its own, so that events and pictures can be told apart."""
    source = HandFedSource()
    camera = make_camera(source)
    results = camera.results()
    indices = []
    for level in (50, 100, 150):
        source.show(level)
        indices.append(first(results, looks(level)).index)
    assert indices == sorted(set(indices))


def test_the_source_is_closed_after_the_last_viewer(make_camera: Cameras) -> None:
    """When the last viewer has been gone for `idle_seconds`, source and threads end; the next viewer starts anew."""
    source = HandFedSource()
    camera = make_camera(source)
    one, other = camera.results(), camera.results()
    source.show(50)
    first(one, looks(50))
    first(other, looks(50))
    one.close()
    assert camera.viewers == 1
    source.show(100)
    first(other, looks(100))
    other.close()
    assert camera.viewers == 0
    join_threads("camera")
    source.show(150)  # a read that blocked ends now, and finds that it was the last
    assert source.closed.wait(PATIENCE)
    source.show(200)
    first(camera.results(), looks(200))
    assert source.opened == 2


def test_threads_end_with_their_viewers(make_camera: Cameras) -> None:
    """Viewers that come and go leave no threads behind."""
    camera = make_camera(RepeatingSource(plain_picture(50)))
    camera.start_loading()
    join_threads("load-model")

    def running() -> set[threading.Thread]:  # without the one that searches for all videos, and stays
        return {thread for thread in threading.enumerate() if not thread.name.startswith("face-search")}

    before = running()
    for _ in range(5):
        viewer = camera.results()
        next(viewer)
        viewer.close()
        for thread in running() - before:
            thread.join(PATIENCE)
        assert running() <= before


def test_a_viewer_gets_something_when_nothing_is_new(make_camera: Cameras) -> None:
    """After `timeout` seconds the newest result comes again, so that a viewer who left can be noticed."""
    source = HandFedSource()
    camera = make_camera(source)
    results = camera.results(timeout=0.01)
    source.show(80)
    seen = first(results, looks(80))
    assert next(results) is seen


def test_closing_ends_the_streams(make_camera: Cameras) -> None:
    """All streams end, also those that wait for a frame, and no new one begins."""
    source = HandFedSource()
    camera = make_camera(source)
    source.show(50)
    results = camera.results(timeout=10 * PATIENCE)
    first(results, looks(50))
    waiting = threading.Thread(target=list, args=(results,))
    waiting.start()
    camera.close()
    waiting.join(PATIENCE)
    assert not waiting.is_alive()
    assert list(camera.results()) == []
    assert camera.viewers == 0


def test_closing_is_quick_whatever_blocks(make_camera: Cameras, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that blocks and a model that never gets loaded do not keep a camera from closing."""
    never = threading.Event()

    def load() -> Classifier:
        never.wait(PATIENCE)
        return FixedClassifier()

    camera = make_camera(FakeSource([never]), load)
    next(camera.results())
    monkeypatch.setattr("camera.CLOSING", PATIENCE)  # what a busy computer may need for the current frame
    with vain_waits() as vain:
        camera.close()
    assert vain == []
    never.set()


def test_closing_twice_is_fine(make_camera: Cameras) -> None:
    """A camera that is closed, or was never watched, closes without a word."""
    camera = make_camera(HandFedSource())
    camera.close()
    camera.close()


def test_a_source_that_takes_long_to_open_shows_a_message(make_camera: Cameras) -> None:
    """There is something to see from the start."""
    camera = make_camera(HandFedSource())
    assert is_message(next(camera.results()))
    assert camera.status.state is SourceState.OPENING


def test_a_source_that_fails_ends_no_stream(make_camera: Cameras, caplog: pytest.LogCaptureFixture) -> None:
    """A viewer sees a message while the source is away, and the picture when it is back; the log says it once."""
    source = HandFedSource()
    camera = make_camera(source)
    results = camera.results()
    source.show(60)
    first(results, looks(60))
    for _ in range(5):
        source.fail(SourceError("Somebody tripped over the cable."))
    first(results, lambda _: camera.status.state is SourceState.RECONNECTING)
    assert camera.status.reason == "Somebody tripped over the cable."
    source.show(120)
    first(results, looks(120))
    assert camera.status.state is SourceState.LIVE
    assert source.opened == 6
    assert caplog.text.count("tripped") == 1


def test_the_message_has_the_size_of_the_video(make_camera: Cameras) -> None:
    """The page does not jump when the picture goes; tiny videos still get words that can be read."""
    source = HandFedSource()
    camera = make_camera(source)
    results = camera.results()
    source.show(60, 640, 480)
    first(results, looks(60))
    source.fail(SourceError("Gone."))
    message = first(results, lambda result: not looks(60)(result))
    assert (message.width, message.height) == (640, 480)


def test_the_end_of_a_file_is_shown(make_camera: Cameras) -> None:
    """After the last frame the stream goes on with a message that says so."""
    camera = make_camera(FakeSource([3], live=False))
    results = camera.results()
    first(results, is_message)
    assert camera.status.state is SourceState.ENDED
    assert all(is_message(result) for result in islice(results, 3))


class SlowModel:
    """A model whose loading ends when the test wants it to."""

    def __init__(self) -> None:
        self.may_load = threading.Event()

    def __call__(self) -> Classifier:
        """Load."""
        self.may_load.wait(PATIENCE)
        return FixedClassifier()


def test_the_video_runs_while_the_model_is_loaded(make_camera: Cameras, portrait: tuple[Image, Box]) -> None:
    """Frames come without faces first, and with them as soon as the model is there."""
    model = SlowModel()
    camera = make_camera(RepeatingSource(portrait[0]), load=model)
    results = camera.results()
    assert first(results, is_picture).faces == ()
    assert (camera.model_state, camera.wait_for_classifier(0)) == ("loading", None)
    model.may_load.set()
    result = first(results, has_faces)
    assert [face.expression for face in result.faces] == ["Happy"]
    assert {"detect", "classify"} <= set(result.timings)
    assert (camera.model_state, camera.model_reason) == ("ready", "")
    assert camera.wait_for_classifier(0) is not None


def test_a_model_that_loads_is_waited_for(make_camera: Cameras) -> None:
    """Who needs it gets it once it is there, and hears at once that it failed."""
    model = SlowModel()
    camera = make_camera(HandFedSource(), model)
    threading.Timer(0.05, model.may_load.set).start()
    assert camera.wait_for_classifier(PATIENCE) is not None

    def fail() -> Classifier:
        raise ModelError("There is no model file.")

    camera = make_camera(HandFedSource(), fail)
    assert camera.wait_for_classifier(PATIENCE) is None
    assert camera.model_reason == "There is no model file."


def test_the_model_can_be_loaded_before_the_first_viewer(make_camera: Cameras) -> None:
    """`start_loading` loads it once, however often it is called and whoever watches."""
    loads, loaded = [], threading.Event()

    def load() -> Classifier:
        loads.append(1)
        loaded.set()
        return FixedClassifier()

    camera = make_camera(HandFedSource(), load)
    camera.start_loading()
    camera.start_loading()
    assert loaded.wait(PATIENCE)
    next(camera.results())
    assert len(loads) == 1


def test_a_model_that_cannot_be_loaded(
    make_camera: Cameras, portrait: tuple[Image, Box], caplog: pytest.LogCaptureFixture
) -> None:
    """The reason is shown in words and logged once, the video runs without faces, and loading is tried again."""
    attempts = iter([ModelError("model.json is missing.")] * 5)

    def load() -> Classifier:
        for error in attempts:
            raise error
        return FixedClassifier()

    camera = make_camera(RepeatingSource(portrait[0]), load)
    results = camera.results()
    result = first(results, lambda _: camera.model_state == "failed")
    assert camera.model_reason == "model.json is missing."
    assert result.faces == ()
    first(results, has_faces)
    assert camera.model_state == "ready"
    assert caplog.text.count("model.json is missing.") == 1
    assert "Traceback" not in caplog.text


def test_a_model_that_fails_at_a_face(
    make_camera: Cameras, portrait: tuple[Image, Box], caplog: pytest.LogCaptureFixture
) -> None:
    """The video goes on without faces, the reason is logged once, and faces come back with the model."""
    broken = threading.Event()
    broken.set()

    class Moody(FixedClassifier):
        def predict(self, faces: Sequence[Image] | Image) -> NDArray[np.float32]:
            if broken.is_set() and len(faces):
                raise RuntimeError("out of sorts")
            return super().predict(faces)

    camera = make_camera(RepeatingSource(portrait[0]), Moody)
    results = camera.results()
    first(results, lambda _: camera.model_state == "failed")
    assert all(result.faces == () for result in islice(results, 5))
    assert "out of sorts" in camera.model_reason
    broken.clear()
    first(results, has_faces)
    assert camera.model_state == "ready"
    assert caplog.text.count("Expressions cannot be recognised") == 1


def test_the_source_can_be_changed(make_camera: Cameras) -> None:
    """All viewers see the other source at once; one that cannot be played changes nothing."""
    one, other = HandFedSource(), HandFedSource()
    camera = make_camera(one, others={"other": other})
    results = camera.results()
    one.show(60)
    first(results, looks(60))
    with pytest.raises(SourceError, match="no such thing"):
        camera.use("such thing")
    one.show(90)
    first(results, looks(90))
    camera.use("other")
    other.show(150)
    first(results, looks(150))
    one.show(30)
    assert one.closed.wait(PATIENCE)
    other.show(200)
    first(results, looks(200))


def test_a_source_that_cannot_be_played_is_an_error_at_once() -> None:
    """Nobody has to watch to find out."""
    with pytest.raises(SourceError, match="ftp://"):
        VideoCamera(Settings(source="ftp://host/clip"), FixedClassifier)


def test_rate_and_latency_are_measured(make_camera: Cameras) -> None:
    """Frame rate and latency are those of the frames shown."""
    camera = make_camera(RepeatingSource(np.full((48, 64, 3), 120, np.uint8)))
    results = camera.results()
    for result in results:
        if camera.fps and result.index > 20:
            break
    assert 5 < camera.fps < 150
    assert 0 < camera.latency_ms < 1000


def test_who_subscribes_is_told_of_each_picture(make_camera: Cameras) -> None:
    """Pictures are told of once, messages are not."""
    told: list[FrameResult] = []
    source = HandFedSource()
    camera = make_camera(source)
    camera.subscribe(told.append)
    results = camera.results(timeout=0.01)
    first(results, is_message)
    source.show(100)
    result = first(results, looks(100))
    next(results)
    assert told == [result]
