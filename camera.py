"""VideoCamera: source -> faces -> expressions -> annotated JPEG, once a frame for any number of viewers.

One thread reads the source (`vision.capture`), one works on its newest frame (here), and one loads the model at
the start. Viewers wait for the newest result on their own threads; who is slow skips frames and slows nobody.
"""

import threading
import time
from collections.abc import Callable, Generator
from itertools import count
from typing import Final

from config import Settings
from entities import Classifier, Frame, FrameResult, SourceState, SourceStatus
from expressions.resting import RestingFace
from live.analyser import LiveAnalyser, ModelState
from live.meter import Meter
from live.status_log import StatusLog
from vision.absence import Absences
from vision.annotation import annotate, encode_jpeg, message_frame
from vision.capture import Capture
from vision.sources import DEMO_NAME, Source, Spec, open_source

MESSAGE_SECONDS: Final = 0.5
"""How often a message is renewed where there is no picture."""
CLOSING: Final = 0.8
"""Seconds that closing waits for the frame in hand."""
MESSAGE_SIZE: Final = (960, 540)
TITLES: Final = {
    SourceState.OPENING: "Opening the video",
    SourceState.LIVE: "Waiting for a picture",
    SourceState.RECONNECTING: "Reconnecting",
    SourceState.ENDED: "The video has ended",
    SourceState.FAILED: "No video",
}


class VideoCamera:
    """One source and one model, watched by any number of viewers; works only while there are some.

    Args:
        settings: Source, video, detector and model settings.
        load_classifier: Returns the classifier; slow, so called on a thread of its own, and again some seconds
            after it raised. The video is shown without labels until then.
        open_video: Turns a `source` setting into a Source that has not been opened yet.

    Raises:
        SourceError: The `source` setting is not one that can be played.

    """

    def __init__(
        self,
        settings: Settings,
        load_classifier: Callable[[], Classifier],
        *,
        open_video: Callable[[Spec], Source] | None = None,
    ) -> None:
        self._settings = settings
        self._open_video = open_video or (lambda spec: open_source(spec, settings.video))
        self._spec: Spec = settings.source
        self._source_name = self._open_video(self._spec).name
        self._analyser = LiveAnalyser(settings, load_classifier)
        self._absences = Absences()
        self._meter = Meter()
        self._indices = count()
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
        """Begin to load the model, so that it is ready before the first viewer comes."""
        self._analyser.start_loading()

    def subscribe(self, on_frame: Callable[[FrameResult], None]) -> None:
        """Call a quick function with every frame that was shown, messages left out, on the camera's thread."""
        self._on_frame.append(on_frame)

    def use(self, source: Spec) -> None:
        """Change the source at once, for all viewers.

        Raises:
            SourceError: It is not one that can be played; the present source stays.

        """
        name = self._open_video(source).name
        with self._changed:
            self._spec, self._source_name = source, name
            if self._capture:
                self._capture.close()
                self._capture = None

    def compare(self, face_id: int, rest: RestingFace | None) -> bool:
        """Compare a face with its rest, for all viewers, until the source changes; with None no more.

        Returns:
            Whether the face is in view; if not, nothing was done.

        """
        latest = self._latest
        in_view = latest is not None and any(face.track_id == face_id for face in latest.faces)
        return in_view and self._analyser.compare(face_id, rest)

    def latest(self) -> FrameResult | None:
        """Return the newest result; None where nobody is watching."""
        return self._latest

    def results(self, timeout: float = 1.0) -> Generator[FrameResult, None, None]:
        """Yield the newest result as soon as there is one, as a viewer; ends only when the camera is closed.

        Where there is no picture, results carry a message that says why. Where nothing is new for `timeout`
        seconds, the newest is yielded again, so that a viewer who left is noticed.
        """
        self._enter()
        try:
            newest = None
            while not self._closed:
                newest = self._newer(newest, timeout)
                if newest and not self._closed:
                    yield newest
        finally:
            self._leave()

    @property
    def chosen(self) -> Spec:
        """What `use` chose last, or the `source` setting."""
        return self._spec

    @property
    def viewers(self) -> int:
        """How many are watching."""
        return self._viewers

    @property
    def status(self) -> SourceStatus:
        """Where the source stands."""
        capture = self._capture
        if capture:
            return capture.status
        waits = "" if self._viewers else "Starts when someone watches."
        return SourceStatus(SourceState.OPENING, self._source_name, waits)

    @property
    def demo(self) -> bool:
        """Whether the bundled clip is shown."""
        return self.status.source == DEMO_NAME

    @property
    def fps(self) -> float:
        """Frames a second over the last seconds; 0 where there is no picture."""
        return self._meter.fps

    @property
    def latency_ms(self) -> float:
        """Median milliseconds from a frame's capture to its JPEG over the last seconds; 0 where there is none."""
        return self._meter.latency_ms

    @property
    def model_state(self) -> ModelState:
        """Where the model stands."""
        return self._analyser.state

    @property
    def model_reason(self) -> str:
        """Why the model names no expressions, in words; empty where it does."""
        return self._analyser.reason

    @property
    def classifier(self) -> Classifier | None:
        """The model, once it is loaded."""
        return self._analyser.classifier

    def close(self) -> None:
        """End all streams and threads, in less than a second even where the source blocks."""
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
        """Show frames, or messages where there are none, until nobody has watched for some seconds."""
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
                    self._show(frame)
                elif status.state is not SourceState.LIVE:
                    self._show_message(status)
            except Exception as error:  # noqa: BLE001 - one bad picture must not end the stream
                self._log.fault(f"A picture could not be shown ({type(error).__name__}: {error}).", error)

    def _current_capture(self) -> Capture | None:
        """Return the capture of the present source, begun if need be; None, with all put away, at the end."""
        with self._changed:
            idle = not self._viewers and time.monotonic() - self._last_left >= self._settings.video.idle_seconds
            if self._closed or idle:
                if self._capture:
                    self._capture.close()
                self._capture = self._worker = self._latest = None
            elif self._capture is None:
                self._analyser.reset()
                self._absences = Absences()
                self._capture = Capture(self._open_video(self._spec))
                self._capture.start()
            return self._capture

    def _show(self, frame: Frame) -> None:
        began = time.perf_counter()
        faces, timings = self._analyser.faces(frame)
        analysed = time.perf_counter()
        picture = annotate(frame.image, faces)
        annotated = time.perf_counter()
        jpeg = encode_jpeg(picture, self._settings.video.jpeg_quality)
        encoded = time.perf_counter()
        result = FrameResult(
            index=next(self._indices),
            captured_at=frame.captured_at,
            time=frame.time,
            width=picture.shape[1],
            height=picture.shape[0],
            faces=faces,
            jpeg=jpeg,
            timings={
                **timings,
                "annotate": 1e3 * (annotated - analysed),
                "encode": 1e3 * (encoded - annotated),
                "total": 1e3 * (encoded - began),
            },
            gone=self._absences.update(faces, frame.captured_at),
            image=frame.image,
        )
        self._publish(result)
        self._meter.add(1e3 * (time.monotonic() - frame.captured_at))
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
        self._publish(FrameResult(next(self._indices), now, None, width, height, (), jpeg))

    def _publish(self, result: FrameResult) -> None:
        with self._changed:
            self._latest = result
            self._changed.notify_all()
