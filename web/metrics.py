"""What the application counts, in a registry of its own, for Prometheus."""

from collections.abc import Callable
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from entities import FrameResult, SourceState

SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1)
"""Upper bounds of the histogram's buckets."""


class Metrics:
    """Counters of one application."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._frames = Counter("fer_frames", "Frames processed.", registry=registry)
        self._faces = Counter("fer_faces", "Faces classified.", registry=registry)
        self._stages = Histogram(
            "fer_stage_seconds", "Time a frame spends in each stage.", ["stage"], buckets=SECONDS, registry=registry
        )
        self._viewers = Gauge("fer_viewers", "Streams being served.", ["stream"], registry=registry)
        self._state = Gauge("fer_source_state", "1 for the state the source is in.", ["state"], registry=registry)

    def observe(self, result: FrameResult) -> None:
        """Count one processed frame."""
        self._frames.inc()
        self._faces.inc(len(result.faces))
        for stage, milliseconds in result.timings.items():
            self._stages.labels(stage).observe(milliseconds / 1000)

    def watch_viewers(self, stream: str, count: Callable[[], int]) -> None:
        """Read the number of a stream's viewers whenever the metrics are read."""
        self._viewers.labels(stream).set_function(count)

    def watch_state(self, state: Callable[[], SourceState]) -> None:
        """Read the source's state whenever the metrics are read."""
        for name in SourceState:
            self._state.labels(name).set_function(partial(lambda name: float(state() == name), name))

    def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self._registry)
