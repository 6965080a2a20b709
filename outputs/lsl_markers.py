"""Markers that other programs send by the Lab Streaming Layer, at their corrected times."""

import time
from collections.abc import Callable
from typing import Final

import pylsl

from config import LslSettings
from files import plain
from outputs.output import Connection

LONGEST: Final = 60
"""Characters of a marker, as in the API."""
LOOK_SECONDS: Final = 0.1
"""Seconds after which it is looked again which streams there are."""
PULL_SECONDS: Final = 0.2
"""Seconds after which waiting for a marker is given up, to see whether the input is closed."""
CORRECTION_SECONDS: Final = 5.0
"""Seconds in which the two clocks have to be compared for the first time."""


class MarkerInlet(Connection):
    """The first stream of markers of a name or type; where it ends, it is looked for again.

    Args:
        settings: Which stream, and which one is ours.
        mark: Called with each marker's label and its moment on the monotonic clock.

    """

    def __init__(self, settings: LslSettings, mark: Callable[[str, float], object]) -> None:
        super().__init__(f"Markers from LSL, {settings.markers}")
        self._wanted, self._mark = settings.markers, mark
        # Our own streams of changes, of any camera, are none.
        self._condition = (
            f"(name='{self._wanted}' or type='{self._wanted}') and not(starts-with(source_id,'{settings.name}'))"
        )

    def _run(self) -> None:
        streams = pylsl.ContinuousResolver(pred=self._condition)
        lost: set[str] = set()
        self._set("connecting", f"There is no stream of the name or type {self._wanted} yet.")
        while not self._closed.wait(LOOK_SECONDS):
            info = next((info for info in streams.results() if info.uid() not in lost), None)
            if info is None:
                continue
            try:
                self._read(info)
            except Exception as error:  # noqa: BLE001 - whatever a library does, a stream is looked for again
                lost.add(info.uid())  # which may still be listed for some seconds
                self._set("reconnecting", f"{info.name()} is not there any more ({type(error).__name__}).")

    def _read(self, info: pylsl.StreamInfo) -> None:
        """Read one stream until it is lost, which is an error of the library's, or the input is closed."""
        inlet = pylsl.StreamInlet(info, max_chunklen=1, recover=False)
        inlet.time_correction(CORRECTION_SECONDS)
        inlet.open_stream(CORRECTION_SECONDS)
        self._set("connected", f"It reads {info.name()}.")
        while not self._closed.is_set():
            sample, stamp = inlet.pull_sample(PULL_SECONDS)
            if sample is not None:
                local = stamp + inlet.time_correction(CORRECTION_SECONDS)
                label = plain(" ".join(map(str, sample)))[:LONGEST]
                self._mark(label, time.monotonic() - (pylsl.local_clock() - local))
                self.sent += 1
