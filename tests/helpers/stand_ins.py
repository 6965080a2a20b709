"""Stand-ins for cameras and clocks."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from queue import SimpleQueue
from typing import Any
from unittest import mock

import cv2
import numpy as np
from numpy.typing import NDArray

from camera import MESSAGE_SIZE
from entities import Frame, FrameResult, Image
from tests.helpers.network_cameras import plain_picture
from vision.sources import Frames

PATIENCE = 30.0
"""Seconds after which a test that waits for something has failed."""


class FakeClock:
    """Time that passes only by waiting; stops what waits after some waits, if asked to."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.time = 100.0
        self.waits: list[float] = []
        self.stopped = False
        self._stop_after = stop_after

    def now(self) -> float:
        """Return the seconds so far."""
        return self.time

    def wait(self, seconds: float) -> bool:
        """Let time pass at once."""
        self.waits.append(seconds)
        self.time += max(0.0, seconds)
        return self.stopped or len(self.waits) == self._stop_after

    def stop(self) -> None:
        """Cut waiting short."""
        self.stopped = True


def picture_frame(index: int = 0, seconds: float | None = None) -> Frame:
    """Return a small frame."""
    return Frame(plain_picture(40 + index % 200), index, time.monotonic(), seconds)


class FakeSource:
    """Goes through acts, one each time it is opened; the last one again and again.

    An act is a number of frames to show, an error to fail with, or an event: it blocks until the event is set.
    """

    name = "Fake camera"
    note = ""

    def __init__(self, *acts: Sequence[int | Exception | threading.Event], live: bool = True) -> None:
        self.live = live
        self.opened = 0
        self.closed = 0
        self._acts = acts

    def frames(self) -> Frames:
        """Do the next act."""
        act = self._acts[min(self.opened, len(self._acts) - 1)]
        self.opened += 1
        try:
            for step in act:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, threading.Event):
                    step.wait(PATIENCE)
                else:
                    yield from (picture_frame(index) for index in range(step))
        finally:
            self.closed += 1


class HandFedSource:
    """Shows what a test hands it, when it hands it."""

    name = "Hand-fed camera"
    note = ""
    live = True

    def __init__(self) -> None:
        self.opened = 0
        self.closed = threading.Event()
        self._steps: SimpleQueue[Frame | Exception] = SimpleQueue()

    def show(self, level: int, width: int = 64, height: int = 48) -> None:
        """Show a picture of this brightness."""
        self._steps.put(Frame(plain_picture(level, width, height), level, time.monotonic()))

    def fail(self, error: Exception) -> None:
        """Fail with this error; the next pictures are those of the next attempt."""
        self._steps.put(error)

    def frames(self) -> Frames:
        """Show pictures as they are handed over."""
        self.opened += 1
        try:
            while True:
                step = self._steps.get()
                if isinstance(step, Exception):
                    raise step
                yield step
        finally:
            self.closed.set()


class RepeatingSource:
    """Shows one picture on and on, a hundred times a second."""

    name = "Repeating camera"
    note = ""
    live = True

    def __init__(self, image: Image) -> None:
        self._image = image

    def frames(self) -> Frames:
        """Show the picture."""
        for index in count():
            yield Frame(self._image, index, time.monotonic(), index / 100)


class FakeWebcam:
    """What cv2.VideoCapture is to a WebcamSource; gives these pictures, then none.

    It opens only once `answers` is set, and shows its last picture on and on until `ends` is set.
    """

    def __init__(
        self,
        pictures: Sequence[NDArray[Any]],
        *,
        answers: threading.Event | None = None,
        ends: threading.Event | None = None,
    ) -> None:
        self._pictures = iter(pictures)
        self._answers = answers
        self._ends = ends
        self._last: NDArray[Any] | None = None
        self.released = threading.Event()
        self.asked: dict[int, float] = {}

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Return True: it is there, whether or not it gives pictures."""
        if self._answers:
            self._answers.wait(PATIENCE)
        return True

    def read(self) -> tuple[bool, NDArray[Any] | None]:
        """Return the next picture."""
        self._last = next(self._pictures, self._last if self._ends and not self._ends.wait(0.01) else None)
        return self._last is not None, self._last

    def set(self, setting: int, value: float) -> bool:
        """Note what is asked for."""
        self.asked[setting] = value
        return True

    def end(self) -> None:
        """Pull it out."""
        if self._ends:
            self._ends.set()

    def release(self) -> None:
        """Let go of the device."""
        self.released.set()


@contextmanager
def vain_waits() -> Iterator[list[float]]:
    """Collect how long this thread slept, or waited for a thread, an event or a condition that did not come in time.

    What blocks is waited for in vain however fast the computer is; what ends is not, however slow it is.
    """
    here = threading.get_ident()
    vain: list[float] = []

    def note(seconds: float | None, *, came: bool) -> None:
        if not came and seconds and threading.get_ident() == here:
            vain.append(seconds)

    def join(thread: threading.Thread, timeout: float | None = None) -> None:
        real_join(thread, timeout)
        note(timeout, came=not thread.is_alive())

    def wait(condition: threading.Condition, timeout: float | None = None) -> bool:
        came = real_wait(condition, timeout)
        note(timeout, came=came)
        return came

    def sleep(seconds: float) -> None:
        note(seconds, came=False)
        real_sleep(seconds)

    real_join, real_wait, real_sleep = threading.Thread.join, threading.Condition.wait, time.sleep
    with (
        mock.patch.object(threading.Thread, "join", join),
        mock.patch.object(threading.Condition, "wait", wait),
        mock.patch.object(time, "sleep", sleep),
    ):
        yield vain


def first(results: Iterator[FrameResult], wanted: Callable[[FrameResult], bool]) -> FrameResult:
    """Watch until a result is as wanted, and return it."""
    give_up = time.monotonic() + PATIENCE
    for result in results:
        if wanted(result):
            return result
        assert time.monotonic() < give_up, "what the test waits for does not happen"
    raise AssertionError("the stream ended")


def looks(level: int) -> Callable[[FrameResult], bool]:
    """Return what tells whether a result shows a picture of this brightness."""
    return lambda result: abs(brightness(result) - level) <= 2


def brightness(result: FrameResult) -> float:
    """Return the mean level of a result's picture."""
    if result.image is not None:
        return float(cv2.cvtColor(result.image, cv2.COLOR_BGR2GRAY).mean())
    picture = cv2.imdecode(np.frombuffer(result.jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    return float(picture.mean())


def is_message(result: FrameResult) -> bool:
    """Return whether a result says something in words instead of showing a small picture."""
    return (result.width, result.height) == MESSAGE_SIZE


def is_picture(result: FrameResult) -> bool:
    """Return whether a result shows a small picture."""
    return not is_message(result)
