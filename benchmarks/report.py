"""Puts the figures into a table for people and a plot."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib.figure import Figure

from benchmarks.soak import Soak
from benchmarks.stages import STAGES, SceneResult, Spread
from benchmarks.viewers import Lifetime
from files import write_whole

COLOURS: Final = {"detect": "#3571ef", "classify": "#f2b50f", "annotate": "#6ba55a", "encode": "#9540ab"}


def table(results: list[SceneResult], peer: str | None) -> str:
    """Return the figures of all scenes, one column a scene and detector."""
    rows: list[tuple[str, list[str]]] = [
        ("", [result.scene for result in results]),
        ("detector", [result.detector for result in results]),
    ]
    rows += [
        ("frames", [f"{result.frames:,}" for result in results]),
        *((f"{stage}, median / p95 ms", [_spread(result.stages[stage]) for result in results]) for stage in STAGES),
        ("back to back, median / p95 ms", [_spread(result.back_to_back) for result in results]),
        ("frames a second", [f"{result.fps:.0f}" for result in results]),
        ("faces a frame", [f"{result.faces:.2f}" for result in results]),
        ("  searched thoroughly", [_optional(result.searched.get("faces"), "{:.2f}") for result in results]),
        ("  which takes, median ms", [_optional(result.searched.get("median"), "{:.2f}") for result in results]),
        ("frames with a face", [f"{result.with_face:.1%}" for result in results]),
        ("label changes a second", [f"{result.label_changes:.2f}" for result in results]),
        ("tremble, pixels", [f"{result.tremble:.2f}" for result in results]),
        ("difference from Keras", [_optional(result.difference, "{:.1e}") for result in results]),
        ("memory, MB", [f"{result.memory_mb:.0f}" for result in results]),
    ]
    if peer:
        times = [_optional(result.peer.get("median"), "{:.2f}") for result in results]
        rows += [
            (f"{peer}, median ms", times),
            ("  frames with a face", [_optional(result.peer.get("with_face"), "{:.1%}") for result in results]),
            ("  mean over ours", [_optional(result.peer.get("ratio"), "{:.1f}") for result in results]),
        ]
    return _aligned(rows)


def _spread(spread: Spread) -> str:
    return f"{spread.median:.2f} / {spread.p95:.2f}"


def lifetime_line(lifetime: Lifetime) -> str:
    """Return how long the server takes to begin and to end."""
    return (
        f"page after {lifetime.page_seconds:.1f} s, first face with an expression after {lifetime.face_seconds:.1f} s, "
        f"ended {lifetime.end_seconds:.1f} s after SIGTERM"
    )


def viewers_table(audiences: list[dict[str, Any]]) -> str:
    """Return what viewers saw, one column a number of viewers."""
    names = [f"{a['viewers']} viewers" + (f", {a['sleepers']} asleep" if a["sleepers"] else "") for a in audiences]
    forms = (
        ("frames a second, least", "fps_min", "{:.1f}"),
        ("frames a second, median", "fps_median", "{:.1f}"),
        ("made by the server", "pipeline_fps", "{:.1f}"),
        ("status, median ms", "status_median_ms", "{:.1f}"),
        ("status, slowest ms", "status_max_ms", "{:.1f}"),
        ("capture to client, p95 ms", "latency_p95_ms", "{:.1f}"),
        ("memory, MB", "memory_mb", "{:.0f}"),
        ("threads", "threads", "{:d}"),
        ("processor, %", "cpu_percent", "{:.0f}"),
        ("asleep and dropped", "sleepers_dropped", "{:d}"),
    )
    return _figures(("", names), forms, audiences)


def cameras_table(together: list[dict[str, Any]]) -> str:
    """Return what several cameras gave at once, one column a number of cameras."""
    forms = (
        ("frames a second, slowest", "fps_min", "{:.1f}"),
        ("frames a second, fastest", "fps_max", "{:.1f}"),
        ("capture to names, ms", "latency_ms", "{:.1f}"),
        ("processor, %", "cpu_percent", "{:.0f}"),
        ("memory, MB", "memory_mb", "{:.0f}"),
    )
    return _figures(("cameras", [str(each["cameras"]) for each in together]), forms, together)


def soak_table(soak: Soak) -> str:
    """Return what the server held before, while and after viewers came and went."""
    columns = {"before": [soak.before], "with viewers, at most": soak.during, "after": [soak.after]}
    forms = (("memory, MB", "memory_mb", "{:.0f}"), ("threads", "threads", "{:d}"), ("handles", "handles", "{:d}"))
    most = [
        {key: max(getattr(sample, key) for sample in samples) for _, key, _ in forms} for samples in columns.values()
    ]
    minutes = soak.during[-1].second / 60
    return (
        f"{soak.visits:,} viewers came and went in {minutes:.1f} minutes and saw {soak.frames:,} pictures\n"
        f"{_figures(('', list(columns)), forms, most)}\nmemory rose by {soak.growth_mb:.1f} MB after the first minute"
    )


def _figures(
    head: tuple[str, list[str]], forms: Sequence[tuple[str, str, str]], columns: Sequence[dict[str, Any]]
) -> str:
    """Return a table with a row for each of `forms`: its name, the key of its figures, and how they are written."""
    return _aligned([head, *((name, [_optional(each[key], form) for each in columns]) for name, key, form in forms)])


def plot(results: list[SceneResult], peer: str | None) -> Figure:
    """Return bars of the mean milliseconds a frame, by stage, with the 95th percentile of all as a mark."""
    figure = Figure(figsize=(9, 1.2 + 0.55 * len(results) * (2 if peer else 1)), layout="constrained")
    axes = figure.subplots()
    labels: list[str] = []
    for result in results:
        left, line = 0.0, len(labels)
        for stage, colour in COLOURS.items():
            width = result.stages[stage].mean
            axes.barh(line, width, left=left, color=colour, label=stage if line == 0 else None)
            left += width
        total = result.stages["total"]
        axes.plot(total.p95, line, "k|", markersize=14, label="95th percentile of all" if line == 0 else None)
        axes.annotate(f" {total.mean:.1f}", (left, line), va="center")
        labels.append(f"{result.scene}, {result.detector}")
        if result.peer:
            axes.barh(len(labels), result.peer["mean"], color="#98a0aa")
            axes.annotate(f" {result.peer['mean']:.1f}", (result.peer["mean"], len(labels)), va="center")
            labels.append(f"{peer}: {result.scene}")
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.set_xlabel("milliseconds a frame, mean")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(frameon=False, loc="outside upper center", ncols=5)
    return figure


def write_plot(figure: Figure, path: Path) -> None:
    """Write a plot in the format that the file's name says, PNG without one.

    Raises:
        ResultsError: The file cannot be written, or the format is unknown.

    """
    kind = path.suffix.removeprefix(".") or "png"
    write_whole(path, lambda partial: figure.savefig(partial, dpi=150, format=kind))


def _optional(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)


def _aligned(rows: list[tuple[str, list[str]]]) -> str:
    first = max(len(name) for name, _ in rows)
    widths = [max(map(len, column)) for column in zip(*(cells for _, cells in rows), strict=True)]
    lines = []
    for name, cells in rows:
        line = "".join(f"   {cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        lines.append(f"{name:<{first}}{line}")
    return "\n".join(lines)
