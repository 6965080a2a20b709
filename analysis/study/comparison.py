"""Groups of people compared: effect sizes with intervals, and no verdict."""

from collections.abc import Callable
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, Index

Floats = NDArray[np.float64]

MEASURES: Final = ("mean", "share")
"""Of each person: the mean probability of an expression, and the share of time in which it is shown."""
FEWEST: Final = 4
"""People a group from which on there are intervals; resampling fewer says nothing."""
_RESAMPLES: Final = 5000
_LEVEL: Final = 0.95
_SEED: Final = 0
MIN_DEVIATION: Final = 1e-6
"""Of numbers that vary at all."""
_COLUMNS: Final = (
    *("marker", "expression", "measure", "group_a", "group_b", "people_a", "people_b", "mean_a", "mean_b"),
    *("difference", "difference_low", "difference_high", "effect_size", "effect_size_low", "effect_size_high"),
)


def comparison(persons: DataFrame) -> DataFrame:
    """Compare each two groups in each expression, under each marker and by both MEASURES.

    The effect size is Hedges' g (1981, doi:10.3102/10769986006002107): the difference of the means in pooled standard
    deviations, corrected for small groups. Intervals are bootstrapped across people (bias-corrected and accelerated;
    Efron, 1987, doi:10.1080/01621459.1987.10478410), with 5000 resamples that are the same in every run.

    Args:
        persons: As `analysis.study.groups.persons` returns them.

    Returns:
        marker, expression, measure, group_a, group_b, people_a, people_b, mean_a, mean_b, difference (a - b) with
        difference_low and difference_high, effect_size with effect_size_low and effect_size_high: 95 % intervals. What
        so few people cannot tell is empty.

    """
    pairs = list(combinations(sorted(persons["group"].unique()), 2))
    rows = [
        {"marker": marker, "expression": expression, "measure": measure, "group_a": first, "group_b": second}
        | _compared(*(rows.loc[rows["group"] == group, measure].to_numpy(np.float64) for group in (first, second)))
        for (marker, expression), rows in persons.groupby(["marker", "expression"])
        for measure in MEASURES
        for first, second in pairs
    ]
    return DataFrame(rows, columns=list(_COLUMNS))


def size_notes(persons: DataFrame) -> list[str]:
    """Return in sentences what a reader of the comparison has to know about the number of people."""
    sizes = persons.groupby("group")["person"].nunique()
    alone, few = sizes.index[sizes == 1], sizes.index[(sizes > 1) & (sizes < FEWEST)]
    said = []
    if len(sizes) == 1:
        said.append("There is one group only, and nothing to compare it with.")
    if len(alone):
        said.append(
            f"{_listed(alone)}: one person, so that curves have no band and there is no effect size. If there are "
            "more, the column person names them all alike."
        )
    if len(few):
        said.append(f"{_listed(few)}: fewer than {FEWEST} people, too few for bootstrap intervals.")
    return said


def hedges_g(first: Floats, second: Floats, axis: int = -1) -> Floats:
    """Return the difference of two groups' means along an axis in pooled standard deviations; two people each at least.

    Where a resample has no spread, that is very large, which its interval's ends can bear.
    """
    n, m = first.shape[axis], second.shape[axis]
    squares = (n - 1) * first.var(axis=axis, ddof=1) + (m - 1) * second.var(axis=axis, ddof=1)
    deviation = np.maximum(np.sqrt(squares / (n + m - 2)), MIN_DEVIATION)
    return np.asarray((1 - 3 / (4 * (n + m) - 9)) * mean_difference(first, second, axis) / deviation, np.float64)


def mean_difference(first: Floats, second: Floats, axis: int = -1) -> Floats:
    """Return the difference of two groups' means along an axis."""
    return np.asarray(first.mean(axis=axis) - second.mean(axis=axis), np.float64)


def _compared(first: Floats, second: Floats) -> dict[str, float]:
    fewest = min(len(first), len(second))
    spread = fewest >= 2 and first.std() + second.std() > MIN_DEVIATION
    found: dict[str, float] = {"people_a": len(first), "people_b": len(second)}
    found |= {"mean_a": first.mean() if len(first) else np.nan, "mean_b": second.mean() if len(second) else np.nan}
    for name, statistic, known in (("difference", mean_difference, fewest > 0), ("effect_size", hedges_g, spread)):
        low, high = bootstrap_interval((first, second), statistic) if spread and fewest >= FEWEST else (np.nan, np.nan)
        found[name] = float(statistic(first, second)) if known else np.nan
        found |= {f"{name}_low": low, f"{name}_high": high}
    return found


def bootstrap_interval(
    samples: tuple[Floats, Floats], statistic: Callable[..., Floats], *, paired: bool = False
) -> tuple[float, float]:
    """Return the 95 % interval (BCa) of a statistic of two samples, which is the same in every run.

    Args:
        samples: A number a person; of the same people in both where they are paired.
        statistic: Takes both, and `axis`.
        paired: Whether people are resampled, each with both numbers, or those of either sample on their own.

    """
    from scipy import stats  # a part of studies, which the page does without

    result = stats.bootstrap(
        samples,
        statistic,
        paired=paired,
        n_resamples=_RESAMPLES,
        vectorized=True,
        confidence_level=_LEVEL,
        method="BCa",
        rng=np.random.default_rng(_SEED),
    )
    low, high = result.confidence_interval
    return float(low), float(high)


def _listed(names: Index) -> str:
    return ", ".join(names)
