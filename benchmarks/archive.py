"""How fast many clips are analysed, what each stage of it costs, and how much memory a process takes."""

import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import psutil
from numpy.typing import NDArray

from analysis.batch.execution import load_network, run_in_processes
from analysis.batch.run import plan
from analysis.batch.task import Options
from analysis.output.sinks import frame_sinks
from analysis.recording.video import VideoAnalysis, analyze_video, open_video
from benchmarks.clips import FPS, SIZE
from config import Settings
from entities import Classifier, Image
from pipeline import ExpressionPipeline
from vision.sampling import Sampling

STAGES: Final = ("decode", "detect, follow", "classify", "describe", "tables", "summary, plot, Excel, ZIP", "annotate")
STAGE_SECONDS: Final = 10.0
"""Of each of two clips, one with one face and one with two, in which the stages are measured."""
_LOOK_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast a run was, loading excluded."""

    mode: str
    workers: int
    seconds: float
    """Of video a second."""
    processor_seconds: float
    """Computed for a second of video, by all processes: what does not change where others use the computer as well."""
    memory_mb: float
    """Of the largest process, at most."""


def measure_rate(mode: str, clips: Sequence[Path], settings: Settings, workers: int) -> Rate:
    """Analyse the clips as the command does, from the moment in which the first worker has loaded the network.

    Args:
        mode: "tables", "annotate", or "fps 5": tables of five frames a second.
        clips: Their paths.
        settings: Which detector and network.
        workers: How many processes.

    """
    with tempfile.TemporaryDirectory() as folder, _Watch() as watch:
        begun: list[tuple[float, float]] = []

        def note(*_: object) -> None:
            if not begun:
                begun.append((time.perf_counter(), watch.processor_seconds))

        options = Options(Path(folder), settings)
        if mode == "annotate":
            options = replace(options, annotate=True)
        elif mode == "fps 5":
            options = replace(options, sampling=Sampling(fps=5))
        tasks = plan([str(path) for path in clips], options)
        seconds = sum(outcome.seconds for outcome in run_in_processes(tasks, options, workers, note))
        took = time.perf_counter() - begun[0][0]
        computed = watch.processor_seconds - begun[0][1]
    return Rate(mode, workers, seconds / took, computed / seconds, watch.megabytes)


class _Watch(threading.Thread):
    """Looks at the processes that this one starts, again and again. Use it as a context manager."""

    def __init__(self) -> None:
        super().__init__(name="watch", daemon=True)
        self._ended = threading.Event()
        self._others = {child.pid for child in psutil.Process().children()}
        self._megabytes: dict[int, float] = {}
        self._seconds: dict[int, float] = {}

    @property
    def megabytes(self) -> float:
        """What the largest of them took at most."""
        return max(self._megabytes.values(), default=0.0)

    @property
    def processor_seconds(self) -> float:
        """What they all have computed so far."""
        return sum(self._seconds.copy().values())

    def run(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            for child in psutil.Process().children():
                if child.pid in self._others:
                    continue
                with suppress(psutil.Error):
                    times, megabytes = child.cpu_times(), child.memory_info().rss / 1e6
                    self._seconds[child.pid] = times.user + times.system
                    self._megabytes[child.pid] = max(megabytes, self._megabytes.get(child.pid, 0.0))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()


class _Nothing:
    """Stands for a network that takes no time."""

    def predict(self, faces: Sequence[Image] | Image) -> NDArray[np.float32]:
        """Return one row a face."""
        return np.full((len(faces), 7), 1 / 7, np.float32)


def measure_stages(clips: Sequence[Path], settings: Settings) -> dict[str, float]:
    """Return milliseconds of processor time a frame by stage, on one thread.

    Each stage is what a pass through the clips takes longer than one that ends before it.
    """
    classifier = load_network(settings)
    passes: list[Callable[[Path, Path], object]] = [
        lambda clip, _: _decode(clip, settings),
        lambda clip, _: _look(clip, settings, _Nothing()),
        lambda clip, _: _look(clip, settings, classifier),
        lambda clip, _: _describe(clip, settings, classifier, None),
        lambda clip, out: _describe(clip, settings, classifier, out),
        lambda clip, out: _whole(clip, out, settings, classifier, annotated=False),
        lambda clip, out: _whole(clip, out, settings, classifier, annotated=True),
    ]
    spent = [0.0]
    for each in passes:
        with tempfile.TemporaryDirectory() as folder:
            began = time.process_time()
            for clip in clips:
                out = Path(folder) / clip.stem
                each(clip, out)
            spent.append(time.process_time() - began)
    frames = FPS * STAGE_SECONDS * len(clips)
    took = [1e3 * (after - before) / frames for before, after in pairwise(spent)]
    return dict(zip(STAGES, took, strict=True))


def _open(clip: Path, settings: Settings) -> Any:
    return open_video(clip, settings.uploads, Sampling(end=STAGE_SECONDS))


def _decode(clip: Path, settings: Settings) -> None:
    with _open(clip, settings) as video:
        for _ in video.frames():
            pass


def _look(clip: Path, settings: Settings, classifier: Classifier) -> None:
    pipeline = ExpressionPipeline(settings, classifier)
    with _open(clip, settings) as video:
        frames = video.frames()
        while window := list(islice(frames, 16)):
            pipeline.classify_batch(window)


def _describe(clip: Path, settings: Settings, classifier: Classifier, out: Path | None) -> None:
    with _open(clip, settings) as video:
        analysis = VideoAnalysis(video, clip, settings, classifier)
        if out is None:
            for _ in analysis.frames():
                pass
            return
        out.mkdir()
        with frame_sinks(out, clip.name, *SIZE, uncorrected=False) as append:
            for seen in analysis.frames():
                append(seen.record)


def _whole(clip: Path, out: Path, settings: Settings, classifier: Classifier, *, annotated: bool) -> None:
    analyze_video(clip, out, settings, classifier, sampling=Sampling(end=STAGE_SECONDS), annotated=annotated)


def table(rates: Sequence[Rate], stages: dict[str, float], peer: dict[str, Any]) -> str:
    """Return the figures as text."""
    lines = [f"{'':24} {'workers':>8} {'s of video/s':>13} {'processor s/s':>14} {'MB a worker':>12}"]
    lines += [
        f"{r.mode:24} {r.workers:8} {r.seconds:13.1f} {r.processor_seconds:14.3f} {r.memory_mb:12.0f}" for r in rates
    ]
    if peer:
        lines.append(f"{'peer fer':24} {1:8} {1e3 / (peer['mean'] * FPS):13.1f}")
    if stages:
        lines += ["", f"{'processor time':30} {'ms a frame':>12}"]
        lines += [f"{name:30} {took:12.2f}" for name, took in stages.items()]
    return "\n".join(lines)
