"""How good a network is: the figures, and the plots of them.

Plots are matplotlib Figures, shown by a notebook (after %matplotlib inline) and written with `figure.savefig`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final, ParamSpec

import matplotlib as mpl
import numpy as np
import pandas as pd
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from entities import EXPRESSIONS, Image
from training.metrics.calibration import (
    Floats,
    Reliability,
    classwise_calibration_error,
    expected_calibration_error,
    negative_log_likelihood,
)

INK: Final = "#1f2937"
MUTED: Final = "#9ca3af"
ACCENTS: Final = ("#4263eb", "#e8590c", "#2b8a3e", "#9c36b5")
STYLE: Final[Any] = {
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.prop_cycle": cycler(color=ACCENTS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "figure.dpi": 110,
    "figure.facecolor": "white",
    "font.size": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "savefig.dpi": 150,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


@dataclass(frozen=True, slots=True)
class Scores:
    """Agreement of probabilities with one label a row; shares are 0-1, lists are in EXPRESSIONS order."""

    rows: int
    accuracy: float
    balanced_accuracy: float
    """Mean recall of the expressions that occur."""
    macro_f1: float
    """Mean F1 of the expressions that occur."""
    negative_log_likelihood: float
    """In nats."""
    calibration_error: float
    """Expected calibration error of the predicted expression, 15 bins."""
    precision: list[float | None]
    """None for an expression that is never predicted."""
    recall: list[float | None]
    """None for an expression that does not occur."""
    support: list[int]
    """Rows of each expression."""
    confusion: list[list[int]]
    """Rows by true (first index) and predicted (second index) expression."""


@dataclass(frozen=True, slots=True)
class VoteScores:
    """Agreement of probabilities with the shares of raters' votes."""

    rows: int
    votes_for_predicted: float
    """Mean share (0-1) of the votes that name the predicted expression."""
    negative_log_likelihood: float
    """Cross-entropy with the votes, in nats."""
    votes_entropy: float
    """What it would be at best, if every row's probabilities were its shares of votes."""
    calibration_error: float
    """Mean gap between confidence and share of votes for the predicted expression, 15 bins."""
    classwise_calibration_error: float
    """The same for the probability of every expression, averaged over the seven."""


def score(probabilities: Floats, labels: NDArray[np.int64]) -> Scores:
    """Compare (n, 7) probabilities with (n,) indices into EXPRESSIONS, n > 0."""
    predicted, every = probabilities.argmax(axis=1), list(range(len(EXPRESSIONS)))
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, predicted, labels=every, zero_division=np.nan
    )
    occurs = support > 0
    return Scores(
        rows=len(labels),
        accuracy=float(accuracy_score(labels, predicted)),
        balanced_accuracy=float(recall[occurs].mean()),
        macro_f1=float(f1[occurs].mean()),
        negative_log_likelihood=negative_log_likelihood(probabilities, labels),
        calibration_error=expected_calibration_error(probabilities, labels),
        precision=_without_nan(precision),
        recall=_without_nan(recall),
        support=support.astype(int).tolist(),
        confusion=confusion_matrix(labels, predicted, labels=every).tolist(),
    )


def score_votes(probabilities: Floats, shares: Floats) -> VoteScores:
    """Compare (n, 7) probabilities with (n, 7) shares of votes, each row summing to 1, n > 0."""
    return VoteScores(
        rows=len(shares),
        votes_for_predicted=float(shares[np.arange(len(shares)), probabilities.argmax(axis=1)].mean()),
        negative_log_likelihood=negative_log_likelihood(probabilities, shares),
        votes_entropy=negative_log_likelihood(shares, shares),
        calibration_error=expected_calibration_error(probabilities, shares),
        classwise_calibration_error=classwise_calibration_error(probabilities, shares),
    )


def _without_nan(values: Floats) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values]


Parameters = ParamSpec("Parameters")


def _styled(plot: Callable[Parameters, Figure]) -> Callable[Parameters, Figure]:
    """Draw in the one style of all plots, whatever the notebook's own is."""

    @wraps(plot)
    def wrapper(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Figure:
        with mpl.rc_context(STYLE):
            return plot(*args, **kwargs)

    return wrapper


def _axes(width: float, height: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, list(figure.subplots(1, columns, squeeze=False)[0])


def plot_confusion(scores: Scores, title: str) -> Figure:
    """Draw what is taken for what, in percent of the rows of each true expression."""
    return plot_counts(np.array(scores.confusion), title)


@_styled
def plot_counts(counts: NDArray[np.int64], title: str) -> Figure:
    """Draw (7, 7) counts by true (first index) and predicted (second index) expression, in percent of the true ones."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, (axes,) = _axes(5.6, 5)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        if share >= 0.005:
            colour = "white" if share > 0.5 else INK
            axes.text(column, row, f"{share:.0%}", ha="center", va="center", color=colour, fontsize=8.5)
    named = [f"{name} ({count})" for name, count in zip(EXPRESSIONS, counts.sum(axis=1), strict=True)]
    axes.set_yticks(range(len(EXPRESSIONS)), named)
    axes.set_xticks(range(len(EXPRESSIONS)), EXPRESSIONS, rotation=35, ha="right", rotation_mode="anchor")
    axes.set(title=title, xlabel="predicted", ylabel="true (rows)")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return figure


@_styled
def plot_reliability(curves: dict[str, Reliability], title: str) -> Figure:
    """Draw, for each named comparison, how often predictions are right at each confidence."""
    figure, (axes,) = _axes(5, 4.6)
    axes.plot([0, 1], [0, 1], color=MUTED, linestyle="--", linewidth=1, label="as sure as right")
    for name, curve in curves.items():
        shown = curve.count >= 10  # Fewer rows are noise.
        x, y = curve.confidence[shown], curve.accuracy[shown]
        axes.plot(x, y, zorder=2, label=f"{name}: error {curve.error:.3f}")
        axes.scatter(x, y, s=8 + 160 * curve.count[shown] / curve.count.sum(), zorder=3, clip_on=False)
    axes.set(title=title, xlabel="confidence", ylabel="share that is right", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.legend(loc="upper left")
    return figure


@_styled
def plot_conditions(scores: dict[str, dict[str, float]], title: str) -> Figure:
    """Draw, for each named condition, its figures (shares by name)."""
    table = pd.DataFrame(scores).T
    figure, (axes,) = _axes(7, 0.6 * len(table) + 1)
    places, height = np.arange(len(table)), 0.76 / len(table.columns)
    for index, (name, shares) in enumerate(table.items()):
        bars = axes.barh(places + index * height, shares, height, label=str(name).replace("_", " "))
        axes.bar_label(bars, fmt="{:.1%}", padding=3)
    axes.set(title=title, xlim=(0, 1), yticks=places + 0.38 - height / 2, yticklabels=table.index)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.tick_params(axis="y", length=0)
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.06), ncols=2)
    return figure


@_styled
def plot_learning_curves(log: pd.DataFrame) -> Figure:
    """Draw the losses and the other figures of a training's log, one row an epoch, against the epochs."""
    epochs = log["epoch"] + 1
    log = log.drop(columns=[name for name in log if name in ("epoch", "learning_rate")]).dropna(axis=1, how="all")
    losses = [name for name in log if name.endswith("loss")]
    figure, panels = _axes(9, 3.4, columns=2)
    for axes, names, title in zip(
        panels, (losses, [name for name in log if name not in losses]), ("Loss", "Share that is right"), strict=True
    ):
        for name in names:
            axes.plot(epochs, log[name], label=name.replace("_", " "))
        axes.set(title=title, xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(axis="y", color=MUTED, alpha=0.25)
        if names:
            axes.legend()
    return figure


@_styled
def plot_faces(
    images: Sequence[Image] | Image,
    captions: Sequence[str],
    heat_maps: Sequence[NDArray[np.float32]] | None = None,
    title: str = "",
    columns: int = 8,
) -> Figure:
    """Draw a grid of grey (h, w) faces with captions, with (h, w) heat maps, 0-1, laid over them where given."""
    rows = max(-(-len(images) // columns), 1)
    figure = Figure(figsize=(columns * 1.25, rows * (1.25 + 0.2 * _lines(captions)) + 0.4), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    grid: Any = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for index, (axes, image, caption) in enumerate(zip(grid.flat, images, captions, strict=False)):
        axes.imshow(image, cmap="gray", vmin=0, vmax=255)
        if heat_maps is not None:
            axes.imshow(heat_maps[index], cmap="inferno", vmin=0, vmax=1, alpha=0.5)
        axes.set_title(caption, loc="center", fontsize=7.5, fontweight="normal")
    return figure


def plot_mistakes(images: Image, probabilities: Floats, labels: NDArray[np.int64], count: int = 32) -> Figure:
    """Draw the `count` faces whose wrong predictions are surest, the surest first."""
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:count]
    captions = [f"{EXPRESSIONS[predicted[i]]} {confidence[i]:.0%}\nlabel: {EXPRESSIONS[labels[i]]}" for i in worst]
    return plot_faces(images[worst], captions, title="Worst mistakes")


@_styled
def plot_people(figures: dict[str, Any], ways: dict[str, str]) -> Figure:
    """Draw each person's and each group's accuracy with its interval, in each way of answering.

    Args:
        figures: What `training.metrics.people.score_people` returned.
        ways: The names of those ways by key.

    """
    panels = {"People": figures["people"], "Groups": figures["groups"], "All": {"all people": figures["all"]}}
    panels = {title: rows for title, rows in panels.items() if rows}
    heights = [len(rows) + 0.6 for rows in panels.values()]
    figure = Figure(figsize=(8, 1.6 + 0.42 * sum(heights)), layout="constrained")
    grid: Any = figure.subplots(len(panels), 1, sharex=True, squeeze=False, height_ratios=heights)
    for axes, (title, rows) in zip(grid[:, 0], panels.items(), strict=True):
        for number, (way, name) in enumerate(ways.items()):
            accuracies = np.array([row[way]["accuracy"] for row in rows.values()])
            low, high = np.array([row[way]["interval"] for row in rows.values()]).T
            heights_of_rows = np.arange(len(rows)) + 0.22 * (number - (len(ways) - 1) / 2)
            reach = np.maximum([accuracies - low, high - accuracies], 0)
            axes.errorbar(accuracies, heights_of_rows, xerr=reach, fmt="o", markersize=5, linewidth=1.2, label=name)
        axes.set_yticks(range(len(rows)), rows)
        axes.set(title=title, ylim=(len(rows) - 0.4, -0.6), xlim=(0, 1))
        axes.grid(axis="x", color=MUTED, alpha=0.25)
    grid[-1, 0].xaxis.set_major_formatter(PercentFormatter(1))
    grid[-1, 0].set_xlabel("right, with 95 % intervals")
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(ways))
    return figure


def _lines(captions: Sequence[str]) -> int:
    return max((caption.count("\n") + 1 for caption in captions), default=0)
