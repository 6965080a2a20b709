"""What pairs show as pictures: both curves on one axis with their correlations below, and real pairs above others."""

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize, to_rgba
from matplotlib.figure import Figure
from pandas import DataFrame

from analysis.pairs.curves import MEASURES
from analysis.study.figures import INK, colours, laid_out, plain_axes

_TITLES: Final = {"valence": "Valence", "smile": "Smile (probability of Happy)"}
_LIMITS: Final = {"valence": (-1.05, 1.05), "smile": (-0.03, 1.03)}
_UNKNOWN: Final = (0.5, 0.5, 0.5, 0.35)
"""Grey that both a light and a dark page let see."""
_PEOPLE: Final = colours(2)
_OPPOSITE, _TOGETHER = "#8d6fd1", "#12a37b"
"""Correlations of -1 and of 1."""
_CHANCE: Final = "#808890"
_SEED: Final = 0


def draw_pair(curves: DataFrame, windows: DataFrame, names: tuple[str, str], length: float) -> Figure:
    """Return both people's valence and smile over time, each with the correlations by window and lag below it.

    Args:
        curves: Of one pair: time, and each of MEASURES of a and b.
        windows: Of one pair: measure, time (s, when a window begins), lag (s) and r.
        names: What the two people are called.
        length: Seconds of a window.

    """
    figure = Figure(figsize=(11, 7.5), layout="constrained")
    panels = figure.subplots(2 * len(MEASURES), sharex=True, height_ratios=(3, 2) * len(MEASURES))
    shades = _correlation_colours()
    for measure, over, under in zip(MEASURES, panels[::2], panels[1::2], strict=True):
        for person, name, colour in zip("ab", names, _PEOPLE, strict=True):
            over.plot(curves["time"], curves[f"{measure}_{person}"], color=colour, linewidth=1.3, label=name)
        over.set_title(_TITLES[measure], loc="left", fontsize=10, color=INK)
        over.set_ylim(*_LIMITS[measure])
        plain_axes(over)
        _draw_windows(under, windows[windows["measure"] == measure], length, shades)
        under.set_title(f"above 0, {names[1]} follows {names[0]}", loc="right", fontsize=8, color=INK)
    panels[-1].set_xlim(curves["time"].min(), curves["time"].max())
    panels[-1].set_xlabel("Seconds from the common start", fontsize=10, color=INK)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=2, frameon=False, labelcolor=INK)
    bar = figure.colorbar(ScalarMappable(Normalize(-1, 1), shades), ax=list(panels[1::2]), pad=0.01, aspect=30)
    bar.set_label("Correlation r", fontsize=9, color=INK)
    bar.ax.tick_params(colors=INK, labelsize=9)
    bar.outline.set_visible(False)
    return laid_out(figure)


def draw_surrogates(pairs: DataFrame, surrogates: DataFrame) -> Figure:
    """Return the synchrony of real pairs above that of their surrogates, a panel a measure; means are lines.

    Args:
        pairs: measure and synchrony, a row a pair and measure.
        surrogates: The same of pairs that were shuffled.

    """
    figure = Figure(figsize=(11, 2.4), layout="constrained")
    rows = {"real": (1, pairs, _TOGETHER, 28, 0.9), "shuffled": (0, surrogates, _CHANCE, 14, 0.8)}
    for measure, panel in zip(MEASURES, figure.subplots(1, len(MEASURES), sharey=True), strict=True):
        for place, table, colour, size, alpha in rows.values():
            values = table.loc[table["measure"] == measure, "synchrony"].dropna().to_numpy(np.float64)
            scatter = np.random.default_rng(_SEED).uniform(-0.22, 0.22, len(values))
            panel.scatter(values, place + scatter, s=size, color=colour, alpha=alpha, linewidths=0)
            if len(values):
                panel.vlines(values.mean(), place - 0.36, place + 0.36, color=INK, linewidth=2)
        panel.set_title(_TITLES[measure], loc="left", fontsize=10, color=INK)
        panel.set_yticks([place for place, *_ in rows.values()], list(rows))
        panel.set_ylim(-0.5, 1.5)
        plain_axes(panel)
    figure.supxlabel("Synchrony: mean |Z| over windows and lags", fontsize=10, color=INK)
    return laid_out(figure)


def _draw_windows(panel: Axes, windows: DataFrame, length: float, shades: Colormap) -> None:
    """Draw the correlations: windows from left to right, in their middles; lags upwards."""
    plain_axes(panel)
    panel.grid(visible=False)
    panel.set_ylabel("Lag in s", fontsize=9, color=INK)
    if windows.empty:
        return
    table = windows.pivot(index="lag", columns="time", values="r")
    middles, lags = table.columns.to_numpy(np.float64) + length / 2, table.index.to_numpy(np.float64)
    width, height = (np.diff(places)[0] if len(places) > 1 else 1.0 for places in (middles, lags))
    extent = (middles[0] - width / 2, middles[-1] + width / 2, lags[0] - height / 2, lags[-1] + height / 2)
    panel.imshow(
        np.ma.masked_invalid(table.to_numpy(np.float64)),
        cmap=shades,
        norm=Normalize(-1, 1),
        extent=extent,
        aspect="auto",
        origin="lower",
        interpolation="nearest",
    )
    panel.axhline(0, color=INK, linewidth=0.8, alpha=0.6)


def _correlation_colours() -> Colormap:
    """Return colours from -1 to 1 that fade towards 0, whatever the colour of the page; grey where nothing is known."""
    low, high = to_rgba(_OPPOSITE), to_rgba(_TOGETHER)
    ends = [low, (*low[:3], 0.0), (*high[:3], 0.0), high]
    shades = LinearSegmentedColormap.from_list("correlation", list(zip((0, 0.5, 0.5, 1), ends, strict=True)))
    return shades.with_extremes(bad=_UNKNOWN)
