"""What a study shows as pictures: courses of groups with their bands, and effect sizes with their intervals."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas import DataFrame

from entities import DISPLAY_ORDER
from vision.annotation import hex_colour

INK: Final = "#2b3038"
_GROUPS: Final = ("#2e86c9", "#e06c1f", "#12a37b", "#cc79a7", "#c99700", "#8d6fd1")
"""Those of Okabe and Ito (2008), which people with any colour vision tell apart, as light as dark pages need them."""
_COLUMNS: Final = 4


def draw_curves(curves: DataFrame, *, marker: str = "", expressions: Sequence[str] = DISPLAY_ORDER) -> Figure:
    """Return the mean course of each expression in each group, with its 95 % band: a panel an expression.

    Args:
        curves: As `analysis.study.groups.curves` returns them.
        marker: Whose courses; by default, those over the whole files.
        expressions: Which, in order.

    """
    wanted = curves[curves["marker"] == marker]
    names = sorted(wanted["group"].unique())
    rows = -(-len(expressions) // _COLUMNS)
    figure = Figure(figsize=(11, 0.6 + 2.1 * rows), layout="constrained")
    panels = np.atleast_1d(figure.subplots(rows, min(_COLUMNS, len(expressions)), sharex=True, sharey=True)).ravel()
    for panel, expression in zip(panels, expressions, strict=False):
        of_expression = wanted[wanted["expression"] == expression]
        for name, colour in zip(names, colours(len(names)), strict=True):
            _draw_curve(panel, of_expression[of_expression["group"] == name], name, colour)
        panel.set_title(expression, loc="left", fontsize=10, color=INK)
        plain_axes(panel)
    for panel in panels[len(expressions) :]:
        panel.set_visible(False)
    panels[0].set_ylim(bottom=0)
    figure.supxlabel(f"Seconds from {marker or 'the beginning'}", fontsize=10, color=INK)
    figure.supylabel("Mean probability", fontsize=10, color=INK)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=len(names), frameon=False, labelcolor=INK)
    return laid_out(figure)


def draw_comparison(comparison: DataFrame, *, marker: str = "", measure: str = "mean") -> Figure:
    """Return the effect sizes (Hedges' g) with their 95 % intervals: a row an expression, a panel a pair of groups.

    Args:
        comparison: As `analysis.study.comparison.comparison` returns it.
        marker: Whose; by default, those over the whole files.
        measure: One of `analysis.study.comparison.MEASURES`.

    """
    wanted = comparison[(comparison["marker"] == marker) & (comparison["measure"] == measure)]
    pairs = list(wanted[["group_a", "group_b"]].drop_duplicates().itertuples(index=False))
    figure = Figure(figsize=(11, 0.8 + 2.4 * -(-len(pairs) // 2)), layout="constrained")
    panels = figure.subplots(-(-len(pairs) // 2), min(2, len(pairs)), squeeze=False, sharex=True).ravel()
    for panel, (first, second) in zip(panels, pairs, strict=False):
        rows = wanted[(wanted["group_a"] == first) & (wanted["group_b"] == second)].set_index("expression")
        _draw_effects(panel, rows.reindex(DISPLAY_ORDER))
        panel.set_title(f"← more in {second}", loc="left", fontsize=10, color=INK)
        panel.set_title(f"more in {first} →", loc="right", fontsize=10, color=INK)
    for panel in panels[len(pairs) :]:
        panel.set_visible(False)
    figure.supxlabel("Hedges’ g, with its 95 % interval", fontsize=10, color=INK)
    return laid_out(figure)


def _draw_curve(panel: Axes, curve: DataFrame, name: str, colour: str) -> None:
    points = "o" if len(curve) < 3 else ""  # which are no line
    panel.plot(curve["time"], curve["mean"], color=colour, linewidth=1.8, label=name, marker=points, markersize=3)
    panel.fill_between(curve["time"], curve["low"], curve["high"], color=colour, alpha=0.2, linewidth=0)


def _draw_effects(panel: Axes, rows: DataFrame) -> None:
    places = np.arange(len(rows))[::-1]
    panel.axvline(0, color=INK, linewidth=0.8, alpha=0.5)
    shades = [hex_colour(name) for name in rows.index]
    panel.hlines(places, rows["effect_size_low"], rows["effect_size_high"], colors=shades, linewidth=3)
    panel.scatter(rows["effect_size"], places, c=shades, s=45, zorder=3)
    panel.set_yticks(places, rows.index)
    panel.set_ylim(-0.6, len(rows) - 0.4)
    plain_axes(panel)


def laid_out(figure: Figure) -> Figure:
    """Arrange a figure now, and not again each time that it is saved."""
    figure.draw_without_rendering()
    figure.set_layout_engine(None)
    return figure


def plain_axes(panel: Axes) -> None:
    """Draw axes in INK, with a faint grid and without a frame."""
    panel.tick_params(colors=INK, labelsize=9)
    panel.grid(color=INK, alpha=0.12, linewidth=0.8)
    panel.spines[:].set_visible(False)
    panel.patch.set_alpha(0)


def colours(count: int) -> list[str]:
    """Return colours for so many groups or people, which differ as long as there are enough."""
    return [_GROUPS[index % len(_GROUPS)] for index in range(count)]
