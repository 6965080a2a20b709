"""Watches the real server with several cameras at once: whether all keep up, and what that takes."""

import json
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

from benchmarks.viewers import Viewer, frame_rates, read_for, reading, server

SETTLING: Final = 3.0
"""Seconds until everybody is served, and rates are those of a running camera."""


@dataclass(frozen=True, slots=True)
class Together:
    """What cameras gave that ran together, each with one viewer."""

    cameras: int
    fps_min: float
    fps_max: float
    """Frames a second that a viewer got, of the slowest camera and of the fastest."""
    latency_ms: float
    """From capture until faces are named, the median of the slowest camera."""
    cpu_percent: float
    """Of the server; 100 is one processor."""
    memory_mb: float


def measure(source: Path, counts: Sequence[int], seconds: float) -> list[dict[str, Any]]:
    """Measure the server with so many cameras at a time, which all show the source.

    Raises:
        ServerError: The server does not start, or recognises nothing.

    """
    return [asdict(_watch(source, count, seconds)) for count in tqdm(counts, desc="Cameras", leave=False)]


def _watch(source: Path, count: int, seconds: float) -> Together:
    with server(source, cameras=count) as (port, process):
        queries = [f"?camera={number}" for number in range(1, count + 1)] if count > 1 else [""]
        viewers = [Viewer(port, path=f"/video_feed{query}") for query in queries]
        with reading(viewers) as selector:
            read_for(selector, SETTLING)
            process.cpu_percent()
            rates = frame_rates(viewers, selector, seconds)
            return Together(
                cameras=count,
                fps_min=min(rates),
                fps_max=max(rates),
                cpu_percent=process.cpu_percent(),
                latency_ms=max(_latency(port, query) for query in queries),
                memory_mb=process.memory_info().rss / 1e6,
            )


def _latency(port: int, query: str) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status{query}", timeout=30) as answer:
        return float(json.load(answer)["latency_ms"])
