"""Passes live frames on to one output, on a thread of its own: no receiver can slow a frame or another output."""

import logging
import threading
import time
from collections import deque
from contextlib import closing
from dataclasses import replace
from typing import Final

from camera import VideoCamera
from entities import FrameResult, SourceState
from errors import OutputError
from outputs.output import Connection, Output, Session

BACKLOG: Final = 32
"""Frames that may wait, about a second; the oldest are dropped."""
POLL_SECONDS: Final = 0.5
"""Seconds without a frame after which the camera's state and the receiver are looked at."""
FIRST_RETRY: Final = 0.5
LAST_RETRY: Final = 5.0
"""Seconds before the first and, doubled each time, the later attempts to reach a receiver again."""
STEADY: Final = 10.0
"""Seconds after which a receiver counts as back, so that a later fault starts over."""


class Sender(Connection):
    """One output of one camera, which runs as long as this does, whether somebody watches or not."""

    def __init__(self, output: Output, camera: VideoCamera) -> None:
        super().__init__(output.name)
        self._output, self._camera = output, camera
        self._frames: deque[FrameResult] = deque()
        self._changed = threading.Condition()  # notified with each frame and at the end; guards the frames
        self._due = 0.0

    def start(self) -> None:
        """Reach the receiver, and send every frame from now on."""
        self._camera.subscribe(self._take)
        super().start()

    def close(self) -> None:
        """Hang up."""
        self._closed.set()
        with self._changed:
            self._changed.notify_all()
        super().close()

    def _take(self, frame: FrameResult) -> None:
        """Keep a frame, without its picture, for the thread; called by the camera's."""
        with self._changed:
            if len(self._frames) == BACKLOG:
                self._frames.popleft()
                self.dropped += 1
            self._frames.append(replace(frame, image=None))
            self._changed.notify_all()

    def _run(self) -> None:
        delay = FIRST_RETRY
        with self._camera.watching():
            while not self._closed.is_set():
                began = time.monotonic()
                try:
                    with closing(self._output.open()) as session:
                        self._forget_frames()
                        self._pass_on(session)
                except Exception as error:  # noqa: BLE001 - whatever a library does, the output is tried again
                    self._failed(error)
                delay = FIRST_RETRY if time.monotonic() - began > STEADY else delay
                self._closed.wait(delay)
                delay = min(2 * delay, LAST_RETRY)

    def _forget_frames(self) -> None:
        """Drop what came while nobody was there to take it."""
        with self._changed:
            self.dropped += len(self._frames)
            self._frames.clear()

    def _pass_on(self, session: Session) -> None:
        """Send frames, and the camera's state whenever it changes, until the output is closed."""
        known: SourceState | None = None
        while not self._closed.is_set():
            self._set("connected", session.check())
            frame = self._next()
            state = self._camera.status.state
            if state is not known:
                session.tell(state)
                known = state
                if state is not SourceState.LIVE:
                    session.send(_empty())
            if frame and self._is_due(frame):
                session.send(frame)
                self.sent += 1

    def _next(self) -> FrameResult | None:
        """Return the oldest frame that waits; None where none comes for a while."""
        with self._changed:
            self._changed.wait_for(lambda: self._frames or self._closed.is_set(), POLL_SECONDS)
            return self._frames.popleft() if self._frames else None

    def _is_due(self, frame: FrameResult) -> bool:
        """Whether `rate` allows this frame. It may come half a turn early: frames do not come evenly."""
        turn = 1 / self._output.rate
        if frame.captured_at < self._due - turn / 2:
            return False
        self._due = max(self._due, frame.captured_at) + turn
        return True

    def _failed(self, error: Exception) -> None:
        known = isinstance(error, OutputError)
        reason = str(error) if known else f"It cannot be reached ({type(error).__name__}: {error})."
        unexpected = None if known or isinstance(error, OSError) else error
        self._set("reconnecting", reason, level=logging.WARNING, unexpected=unexpected)


def _empty() -> FrameResult:
    """Return a frame without faces, which stands for a camera that gives none."""
    return FrameResult(-1, time.monotonic(), None, 0, 0, ())
