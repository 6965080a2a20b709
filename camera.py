"""VideoCamera: source -> faces -> expressions, once a frame for any number of viewers.

One thread reads the source (`vision.capture`), one processes its newest frame (here), and one loads the model at
startup. Each viewer waits for the newest result on its own thread; a slow viewer skips frames and delays nobody.
Nothing is drawn here: what viewers want to see is drawn once for all of them when the first asks (`web.live_pictures`).
"""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Final

from config import Settings
from entities import Classifier, Frame, FrameResult, SourceState, SourceStatus
from expressions.resting import RestingFace
from live.analyser import LiveAnalyser, ModelState
from live.meter import Meter
from live.status_log import StatusLog
from vision.absence import RecentlyLost
from vision.annotation import encode_jpeg, message_frame
from vision.capture import Capture
from vision.sources import DEMO_NAME, Source, SourceSpec, open_source

MESSAGE_SECONDS: Final = 0.5
"""Seconds between updates of the message shown while there is no picture."""
CLOSING: Final = 0.8
"""Seconds that `close` waits for the current frame."""
MESSAGE_SIZE: Final = (960, 540)
TITLES: Final = {
    SourceState.OPENING: "Opening the video",
    SourceState.LIVE: "Waiting for a picture",
    SourceState.RECONNECTING: "Reconnecting",
    SourceState.ENDED: "The video has ended",
    SourceState.FAILED: "No video",
}


class VideoCamera:
    """One source and one model for any number of viewers; idle while nobody watches.

    Args:
        settings: Source, video, detector and model settings.
        load_classifier: Returns the classifier. It is slow, so it runs on a thread of its own, and again some seconds
            after an error; until it succeeds, the video is shown without labels.
        open_video: Turns a `source` setting into a Source that is not open yet.
        rest: What whoever is seen looks like at rest, where that is known.

    Raises:
        SourceError: The `source` setting names nothing that can be played.

    """

    def __init__(
        self,
        settings: Settings,
        load_classifier: Callable[[], Classifier],
        *,
        open_video: Callable[[SourceSpec], Source] | None = None,
        rest: RestingFace | None = None,
    ) -> None:
        self._settings = settings
        self._open_video = open_video or (lambda spec: open_source(spec, settings.video))
        self._spec: SourceSpec = settings.source
        self._source_name = self._open_video(self._spec).name
        self._analyser = LiveAnalyser(settings, load_classifier, rest)
        self._recently_lost = RecentlyLost()
        self._meter = Meter()
        self._indices = count()
        self._video = 0
        self._log = StatusLog()
        self._on_frame: list[Callable[[FrameResult], None]] = []
        self._changed = threading.Condition()  # notified with each result and at the end; guards what follows
        self._latest: FrameResult | None = None
        self._capture: Capture | None = None
        self._worker: threading.Thread | None = None
        self._viewers = 0
        self._last_left = 0.0
        self._closed = False

    def start_loading(self) -> None:
        """Start loading the model, so that it is ready before the first viewer arrives."""
        self._analyser.start_loading()

    def subscribe(self, on_frame: Callable[[FrameResult], None]) -> None:
        """Call `on_frame` with every frame shown, not with messages, on the camera's thread: keep it short."""
        self._on_frame.append(on_frame)

    def use(self, source: SourceSpec) -> None:
        """Switch all viewers to another source, at once.

        Raises:
            SourceError: It cannot be played; the current source stays.

        """
        name = self._open_video(source).name
        with self._changed:
            self._spec, self._source_name = source, name
            if self._capture:
                self._capture.close()
                self._capture = None

    def compare(self, face_id: int, rest: RestingFace | None) -> bool:
        """Compare a face with its resting face, for all viewers, until the source changes; None ends the comparison.

        Returns:
            Whether the face is in view; otherwise nothing changes.

        """
        latest = self._latest
        in_view = latest is not None and any(face.track_id == face_id for face in latest.faces)
        return in_view and self._analyser.compare(face_id, rest)

    def latest(self) -> FrameResult | None:
        """Return the newest result; None while nobody is watching."""
        return self._latest

    def results(self, timeout: float = 1.0) -> Generator[FrameResult, None, None]:
        """Yield each newest result as it appears, until the camera is closed. The caller counts as a viewer.

        While there is no picture, results carry a message that says why. If nothing new appears for `timeout` seconds,
        the newest result is yielded again, so that a disconnected viewer is noticed.
        """
        with self.watching():
            newest = None
            while not self._closed:
                newest = self._newer(newest, timeout)
                if newest and not self._closed:
                    yield newest

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Keep the camera running while in this context, which counts as a viewer."""
        self._enter()
        try:
            yield
        finally:
            self._leave()

    @property
    def chosen(self) -> SourceSpec:
        """The source set last by `use`, or the `source` setting."""
        return self._spec

    @property
    def viewers(self) -> int:
        """Number of current viewers."""
        return self._viewers

    @property
    def status(self) -> SourceStatus:
        """State of the source."""
        capture = self._capture
        if capture:
            return capture.status
        waits = "" if self._viewers else "Starts when someone watches."
        return SourceStatus(SourceState.OPENING, self._source_name, waits)

    @property
    def demo(self) -> bool:
        """Whether the bundled demo clip is shown."""
        return self.status.source == DEMO_NAME

    @property
    def fps(self) -> float:
        """Frames per second over the last seconds; 0 while there is no picture."""
        return self._meter.fps

    @property
    def source_fps(self) -> float:
        """Frames per second that the source gives, of which some are skipped where the processor is too slow."""
        return self._meter.source_fps

    @property
    def latency_ms(self) -> float:
        """Median milliseconds from capture until the faces are named, over the last seconds; 0 without a picture."""
        return self._meter.latency_ms

    @property
    def model_state(self) -> ModelState:
        """State of the model."""
        return self._analyser.state

    @property
    def model_reason(self) -> str:
        """Why the model names no expressions, as a sentence; empty while it works."""
        return self._analyser.reason

    def wait_for_classifier(self, timeout: float) -> Classifier | None:
        """Load the model and return it, after so many seconds at most; None where it is not there then, or failed."""
        self.start_loading()
        return self._analyser.wait_for_classifier(timeout)

    def close(self) -> None:
        """End all streams and threads within a second, even if the source blocks."""
        with self._changed:
            self._closed = True
            worker, capture = self._worker, self._capture
            self._changed.notify_all()
        self._analyser.close()
        if capture:
            capture.close()
        if worker:
            worker.join(CLOSING)

    def _newer(self, seen: FrameResult | None, timeout: float) -> FrameResult | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._latest is not seen, timeout)
            return self._latest

    def _enter(self) -> None:
        self.start_loading()
        with self._changed:
            self._viewers += 1
            if self._worker is None and not self._closed:
                self._worker = threading.Thread(target=self._work, name="camera", daemon=True)
                self._worker.start()

    def _leave(self) -> None:
        with self._changed:
            self._viewers -= 1
            self._last_left = time.monotonic()

    def _work(self) -> None:
        """Show frames, or messages in their place, until nobody has watched for `video.idle_seconds`."""
        shown: Frame | None = None
        while capture := self._current_capture():
            frame = capture.newest(shown, MESSAGE_SECONDS)
            if capture is not self._capture:
                continue
            shown = frame or shown
            status = capture.status
            self._log.status(status)
            try:
                if frame:
                    self._show(frame, status.source)
                elif status.state is not SourceState.LIVE:
                    self._show_message(status)
            except Exception as error:  # noqa: BLE001 - one bad picture must not end the stream
                self._log.fault(f"A picture could not be shown ({type(error).__name__}: {error}).", error)

    def _current_capture(self) -> Capture | None:
        """Return the current capture, started if necessary; None, with all released, when it is time to stop."""
        with self._changed:
            idle = not self._viewers and time.monotonic() - self._last_left >= self._settings.video.idle_seconds
            if self._closed or idle:
                if self._capture:
                    self._capture.close()
                self._capture = self._worker = self._latest = None
            elif self._capture is None:
                self._analyser.reset()
                self._recently_lost = RecentlyLost()
                self._video += 1
                self._capture = Capture(self._open_video(self._spec))
                self._capture.start()
            return self._capture

    def _show(self, frame: Frame, source: str) -> None:
        began = time.perf_counter()
        faces, timings = self._analyser.faces(frame)
        total = 1e3 * (time.perf_counter() - began)
        result = FrameResult(
            index=next(self._indices),
            captured_at=frame.captured_at,
            time=frame.time,
            width=frame.image.shape[1],
            height=frame.image.shape[0],
            faces=faces,
            timings={**timings, "total": total},
            lost=self._recently_lost.update(faces, frame.captured_at),
            image=frame.image,
            source=source,
            video=self._video,
        )
        self._publish(result)
        self._meter.add(1e3 * (time.monotonic() - frame.captured_at), frame.index)
        for on_frame in self._on_frame:
            on_frame(result)

    def _show_message(self, status: SourceStatus) -> None:
        now = time.monotonic()
        detail = f"{status.source}: {status.reason}" if status.reason else status.source
        if status.next_try_at is not None:
            detail += f" Next try in {max(0.0, status.next_try_at - now):.0f} s."
        before = self._latest
        legible = before is not None and min(before.width, before.height) >= MESSAGE_SIZE[1] // 2
        width, height = (before.width, before.height) if before and legible else MESSAGE_SIZE
        jpeg = encode_jpeg(message_frame(TITLES[status.state], detail, width, height))
        index, source, video = next(self._indices), status.source, self._video
        self._publish(FrameResult(index, now, None, width, height, (), jpeg, source=source, video=video))

    def _publish(self, result: FrameResult) -> None:
        with self._changed:
            self._latest = result
            self._changed.notify_all()
