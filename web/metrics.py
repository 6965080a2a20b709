"""What the application counts, in a registry of its own, for Prometheus."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from camera import VideoCamera
from entities import FrameResult, SourceState
from outputs.output import Connection

SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1)
"""Upper bounds of the histogram's buckets."""


class Metrics:
    """Counters of one application; those of several cameras have the label `camera`."""

    def __init__(self, *, several: bool = False) -> None:
        self._registry = registry = CollectorRegistry()
        self._several = several
        camera = ["camera"] if several else []
        ProcessCollector(registry=registry)
        self._frames = Counter("fer_frames", "Frames processed.", camera, registry=registry)
        self._faces = Counter("fer_faces", "Faces classified.", camera, registry=registry)
        self._stages = Histogram(
            "fer_stage_seconds",
            "Time a frame spends in each stage.",
            ["stage", *camera],
            buckets=SECONDS,
            registry=registry,
        )
        self._viewers = Gauge("fer_viewers", "Streams being served.", ["stream"], registry=registry)
        self._state = Gauge(
            "fer_source_state", "1 for the state the source is in.", ["state", *camera], registry=registry
        )
        self._outputs = _OutputCollector()
        registry.register(self._outputs)

    def watch_camera(self, name: str, camera: VideoCamera) -> None:
        """Count each frame that a camera processes, and read its state whenever the metrics are read."""
        camera.subscribe(partial(self._observe, [name] if self._several else []))
        for state in SourceState:
            labels = [state, *([name] if self._several else [])]
            self._state.labels(*labels).set_function(partial(_is_in, camera, state))

    def _observe(self, camera: list[str], result: FrameResult) -> None:
        frames, faces = (metric.labels(*camera) if camera else metric for metric in (self._frames, self._faces))
        frames.inc()
        faces.inc(len(result.faces))
        for stage, milliseconds in result.timings.items():
            self._stages.labels(stage, *camera).observe(milliseconds / 1000)

    def watch_viewers(self, stream: str, count: Callable[[], int]) -> None:
        """Read the number of a stream's viewers whenever the metrics are read."""
        self._viewers.labels(stream).set_function(count)

    def watch_outputs(self, outputs: Sequence[Connection]) -> None:
        """Read where outputs stand whenever the metrics are read."""
        self._outputs.outputs = outputs

    def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self._registry)


def _is_in(camera: VideoCamera, state: SourceState) -> float:
    return float(camera.status.state == state)


class _OutputCollector(Collector):
    """Tells where each output stands, and what it has counted itself."""

    outputs: Sequence[Connection] = ()

    def collect(self) -> Iterator[Metric]:
        """Yield the figures of now."""
        connected = GaugeMetricFamily("fer_output_connected", "1 for an output that is connected.", labels=["output"])
        sent = CounterMetricFamily("fer_output_sent", "Frames, or markers, that went through.", labels=["output"])
        dropped = CounterMetricFamily("fer_output_dropped", "Frames that were not sent.", labels=["output"])
        for output in self.outputs:
            name = [output.status.name]
            connected.add_metric(name, float(output.status.state == "connected"))
            sent.add_metric(name, output.sent)
            dropped.add_metric(name, output.dropped)
        yield from (connected, sent, dropped)
