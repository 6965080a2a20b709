"""Reads one source on a thread of its own: paces files, keeps the newest frame, comes back after faults."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Final, Protocol

from entities import Frame, SourceState, SourceStatus
from errors import SourceError
from vision.sources import Source

FIRST_RETRY: Final = 0.5
LAST_RETRY: Final = 30.0
"""Seconds before the first and, doubled each time, the later attempts to open a source again."""
STEADY: Final = 10.0
"""Seconds of frames after which a source counts as recovered, so that a later fault starts over."""
STALL: Final = 3.0
"""Seconds without a frame after which a live source is said to have stopped."""
MAX_GAP: Final = 10.0
"""Seconds that a file may wait for its next frame; a longer gap in its times is an error in them."""
MAX_BEHIND: Final = 0.5
"""Seconds that a file may run behind its clock before the clock is set back: it cannot be decoded fast enough."""


class Clock(Protocol):
    """Time, and waiting that can be cut short."""

    def now(self) -> float:
        """Return monotonic seconds."""
        ...

    def wait(self, seconds: float) -> bool:
        """Wait; return whether the waiting was cut short for good, because the capture ends."""
        ...

    def stop(self) -> None:
        """Cut this and all later waiting short."""
        ...


class SystemClock:
    """The computer's monotonic clock."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def now(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic()

    def wait(self, seconds: float) -> bool:
        """Wait; return whether the waiting was cut short."""
        return self._stopped.wait(max(0.0, seconds))

    def stop(self) -> None:
        """Cut this and all later waiting short."""
        self._stopped.set()


class Capture:
    """One source, read from `start` to `close`, whatever happens to it on the way."""

    def __init__(self, source: Source, *, clock: Clock | None = None) -> None:
        self._source = source
        self._clock = clock or SystemClock()
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._closed = False
        self._status = SourceStatus(SourceState.OPENING, source.name, source.note)

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self.run, name="capture", daemon=True).start()

    @property
    def status(self) -> SourceStatus:
        """Where the source stands; a source that is open but silent counts as reconnecting."""
        status, frame = self._status, self._frame
        patience = STALL if self._source.live else MAX_GAP + STALL
        if status.state is SourceState.LIVE and frame and self._clock.now() - frame.captured_at > patience:
            return replace(status, state=SourceState.RECONNECTING, reason="It has stopped giving pictures.")
        return status

    def newest(self, after: Frame | None, timeout: float) -> Frame | None:
        """Return the newest frame, once it is another than `after`; None if none came within `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or (self._frame is not None and self._frame is not after), timeout
            )
            return self._frame if self._frame is not after else None

    def close(self) -> None:
        """End at once; a read that blocks is left to its thread, which ends with it."""
        with self._changed:
            self._closed = True  # before the reader wakes up, who would take it for the source's end
            self._changed.notify_all()
        self._clock.stop()

    def run(self) -> None:
        """Read until the source has ended for good or the capture is closed; `start` does it on a thread."""
        delay = FIRST_RETRY
        while not self._closed:
            began = self._clock.now()
            try:
                self._read_source()
            except SourceError as error:
                why = str(error)
            except Exception as error:  # noqa: BLE001 - a driver's or decoder's surprise must not end the thread
                why = f"It cannot be read ({type(error).__name__}: {error})."
            else:
                if not self._closed:
                    self._set(SourceState.ENDED, "It was played to its end.")
                return
            if self._clock.now() - began > STEADY:
                delay = FIRST_RETRY
            if self._closes_within(delay, why):
                return
            delay = min(2 * delay, LAST_RETRY)

    def _read_source(self) -> None:
        with closing(self._source.frames()) as frames:
            for frame in paced(frames, self._clock):
                if self._closed:
                    return
                self._publish(frame)

    def _publish(self, frame: Frame) -> None:
        with self._changed:
            self._frame = frame
            if self._status.state is not SourceState.LIVE:
                self._set(SourceState.LIVE, self._source.note)
            self._changed.notify_all()

    def _closes_within(self, delay: float, why: str) -> bool:
        """Wait before the next attempt; return whether there will be none."""
        state = SourceState.RECONNECTING if self._source.live else SourceState.FAILED
        self._set(state, why, self._clock.now() + delay)
        closed = self._clock.wait(delay)
        self._set(state, why)
        return closed

    def _set(self, state: SourceState, why: str, next_try_at: float | None = None) -> None:
        self._status = SourceStatus(state, self._source.name, why, next_try_at)


def paced(frames: Iterator[Frame], clock: Clock) -> Iterator[Frame]:
    """Yield the frames of a file when they are due by the clock; those of live sources at once.

    A file's frame counts as captured when it is due. Where its times jump (a new round, a gap, a decoder that
    is too slow) the clock is set anew.
    """
    start = 0.0
    previous: Frame | None = None
    step = 0.0
    for frame in frames:
        if frame.time is None:
            yield frame
            continue
        now = clock.now()
        if previous is None or previous.time is None:
            start = now - frame.time
        elif not 0 <= frame.time - previous.time <= MAX_GAP:
            start = max(now, start + previous.time + step) - frame.time
        else:
            step = frame.time - previous.time
            if now - (start + frame.time) > MAX_BEHIND:
                start = now - frame.time
        previous = frame
        if clock.wait(start + frame.time - now):
            return
        yield replace(frame, captured_at=clock.now())
