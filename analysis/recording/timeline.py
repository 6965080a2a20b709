"""The course of expressions over a video: as numbers for charts, and as a picture."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis.recording.history import FaceHistory, Floats
from analysis.recording.times import axis_time
from entities import DISPLAY_ORDER, EXPRESSIONS
from vision.annotation import hex_colour

_STEPS: Final = 600
"""Points in time at most; enough for any screen."""
_CHARTED: Final = 8
_DRAWN: Final = 4
"""How many faces, the longest seen first, are in the numbers and in the picture."""
Span = tuple[float, float]
"""From when to when a video is looked at, in seconds."""
_INK: Final = "#2b3038"
_WIDTH, _SIDE, _HEAD, _TITLE, _ROW, _FOOT = 12, 0.6, 0.4, 0.35, 1.7, 0.95
"""Inches: matplotlib takes longer to find out what fits than to draw."""


def timeline_record(faces: Sequence[FaceHistory], span: Span, frames: int) -> dict[str, Any]:
    """Return mean probabilities over equal steps of time, as JSON writes them; null where a face is not seen.

    The result is `{"step": seconds, "times": [middle of each step], "faces": [{"id", "probabilities": {name: [...]}}]}`
    with the longest seen faces.
    """
    edges = _edges(span, frames)
    return {
        "step": round(float(edges[1] - edges[0]), 4),
        "times": [round(float(time), 4) for time in (edges[:-1] + edges[1:]) / 2],
        "faces": [
            {
                "id": face.id,
                "probabilities": {
                    name: [None if np.isnan(value) else round(float(value), 3) for value in column]
                    for name, column in zip(EXPRESSIONS, face.means(edges).T, strict=True)
                },
            }
            for face in faces[:_CHARTED]
        ],
    }


def timeline_figure(title: str, faces: Sequence[FaceHistory], span: Span, frames: int) -> Figure:
    """Return the probabilities of the longest seen faces over time, stacked."""
    drawn = faces[:_DRAWN]
    edges = _edges(span, frames)
    rows = max(1, len(drawn))
    figure = Figure(figsize=(_WIDTH, _HEAD + rows * _ROW + _FOOT), dpi=120, facecolor="white")
    height = figure.get_figheight()
    panels = np.atleast_1d(figure.subplots(rows, 1, sharex=True))
    figure.subplots_adjust(
        left=_SIDE / _WIDTH,
        right=1 - _SIDE / _WIDTH,
        top=1 - (_HEAD + _TITLE) / height,
        bottom=_FOOT / height,
        hspace=_TITLE / (_ROW - _TITLE),
    )
    figure.suptitle(_plain(title), x=0.01, y=1 - 0.1 / height, ha="left", fontsize=13, fontweight="bold", color=_INK)
    for panel, face in zip(panels, drawn, strict=False):
        _draw_face(panel, face, edges)
    if not drawn:
        panels[0].text(0.5, 0.5, "No face was found", transform=panels[0].transAxes, ha="center", color=_INK)
        panels[0].set_yticks([])
    panels[-1].set_xlim(*span)
    panels[-1].xaxis.set_major_locator(MaxNLocator(nbins=12, steps=[1, 2, 3, 5, 6, 10], integer=span[1] > 10))
    panels[-1].xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: axis_time(seconds, span[1] - span[0])))
    panels[-1].set_xlabel("Time in the video", color=_INK)
    keys = [Patch(color=hex_colour(name), label=name) for name in DISPLAY_ORDER]
    figure.legend(handles=keys, loc="lower center", ncols=len(keys), frameon=False, labelcolor=_INK)
    return figure


def _draw_face(panel: Axes, face: FaceHistory, edges: Floats) -> None:
    heights = dict(zip(EXPRESSIONS, np.nan_to_num(face.means(edges)).T, strict=True))
    across = np.repeat(edges, 2)[1:-1]  # steps as an outline: matplotlib's own take a hundred times as long
    panel.fill_between(across, 1, color="#f1f3f6", linewidth=0)
    below = np.zeros(len(across))
    for name in reversed(DISPLAY_ORDER):  # from the bottom, so that the first of them is on top, as in the page
        above = below + np.repeat(heights[name], 2)
        panel.fill_between(across, below, above, color=hex_colour(name), linewidth=0)
        below = above
    panel.set_ylim(0, 1)
    panel.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"])
    panel.set_title(_plain(f"{face.title}, seen for {face.seconds:.1f} s"), loc="left", fontsize=10, color=_INK)
    panel.tick_params(colors=_INK)
    panel.spines[:].set_visible(False)


def _edges(span: Span, frames: int) -> Floats:
    return np.linspace(*span, min(_STEPS, max(1, frames)) + 1)


def _plain(text: str) -> str:
    """Keep matplotlib from reading a file's name as mathematics."""
    return text.replace("$", r"\$")
