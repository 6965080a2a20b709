"""Synchrony by chance: person A of one pair with person B of another, and what real pairs have beyond it.

These surrogates keep each person's own curve and the windows; the null hypothesis is that it makes no difference who
talks to whom (participant shuffling: Moulder, Boker, Ramseyer & Tschacher, 2018, doi:10.1037/met0000172).
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from pandas import DataFrame

from analysis.pairs.conversations import Conversation
from analysis.pairs.curves import MEASURES, Floats, shared
from analysis.pairs.synchrony import Steps, mean, summary, windowed_correlations

MAX_SHUFFLED: Final = 40
"""Pairs that are shuffled at most, drawn at random where there are more: 1,560 surrogates."""
STATISTICS: Final = ("synchrony", "mean_z")
"""What is compared, as `synchrony.summary` has it."""
SURROGATE: Final = ("pair_a", "pair_b", "measure", "windows", *STATISTICS)
SAMPLE: Final = (
    *("measure", "statistic", "pairs", "mean", "sd"),
    *("surrogates", "surrogate_mean", "surrogate_sd", "effect_size", "p", "shuffles"),
)
_RESAMPLES: Final = 9999
_SEED: Final = 0


def shuffled(pairs: Sequence[Conversation]) -> list[Conversation]:
    """Return the pairs that are shuffled: all, or MAX_SHUFFLED of them, the same in every run."""
    rng = np.random.default_rng(_SEED)
    drawn = sorted(rng.choice(len(pairs), min(len(pairs), MAX_SHUFFLED), replace=False))
    return [pairs[number] for number in drawn]


def surrogates(
    pairs: Sequence[Conversation], steps: Steps, step: float, progress: Callable[[int, int], None] | None = None
) -> DataFrame:
    """Return the synchrony of each person A with each person B of another pair: SURROGATE.

    Both curves begin at their own common start; they are as long as the shorter one.

    Args:
        pairs: Those that are shuffled.
        steps: The windows.
        step: Seconds.
        progress: Told how many people A are done, of how many.

    """
    rows = []
    for number, one in enumerate(pairs, 1):
        for other in pairs:
            if one.pair != other.pair:
                first, second, _ = shared(one.first.curve, other.second.curve)
                rows += [
                    {"pair_a": one.pair, "pair_b": other.pair, "measure": measure}
                    | summary(windowed_correlations(first[:, column], second[:, column], steps), step)
                    for column, measure in enumerate(MEASURES)
                ]
        if progress:
            progress(number, len(pairs))
    return DataFrame(rows, columns=list(SURROGATE))


def sample_table(pairs: DataFrame, surrogates: DataFrame) -> DataFrame:
    """Return how the synchrony of the pairs compares with that of their surrogates: SAMPLE.

    Args:
        pairs: A row a pair and measure, with pair, measure and STATISTICS.
        surrogates: As `surrogates` returns them.

    """
    rows = [
        {"measure": measure, "statistic": statistic}
        | _compared(
            pairs[pairs["measure"] == measure].set_index("pair")[statistic].dropna(),
            surrogates[surrogates["measure"] == measure].pivot(index="pair_a", columns="pair_b", values=statistic),
        )
        for measure in MEASURES
        for statistic in STATISTICS
    ]
    return DataFrame(rows, columns=list(SAMPLE))


def _compared(real: Any, shuffled: DataFrame) -> dict[str, float]:
    """Return one row of `sample_table`.

    The effect size is the real pairs' mean less the surrogates', in standard deviations of the surrogates. p is the
    part of all ways to give each A a B (or of 9999 of them, drawn at random, and the real one) in which the mean is as
    high as it is.
    """
    names = [name for name in real.index if name in shuffled.index]
    chance = shuffled.reindex(index=names, columns=names).to_numpy(np.float64, copy=True)
    others = chance[np.isfinite(chance)]
    sd = float(np.std(others, ddof=1)) if len(others) > 1 else float("nan")
    found = {"pairs": len(real), "mean": mean(real.to_numpy(np.float64)), "sd": float(real.std())}
    found |= {"surrogates": len(others), "surrogate_mean": mean(others), "surrogate_sd": sd}
    found |= {"effect_size": float("nan"), "p": float("nan"), "shuffles": 0}
    if len(names) < 2 or not len(others):
        return found
    np.fill_diagonal(chance, real[names])
    p, shuffles = _permutation_test(chance)
    effect_size = (mean(np.diag(chance)) - mean(others)) / sd if sd > 0 else float("nan")
    return found | {"effect_size": effect_size, "p": p, "shuffles": shuffles}


def _permutation_test(synchrony: Floats) -> tuple[float, int]:
    """Return p, and of how many ways to pair (n,) people A with (n,) people B, whose synchrony is (n, n)."""
    from scipy import stats  # a part of studies, which the page does without

    places = np.arange(len(synchrony))

    def statistic(order: Floats, axis: int = -1) -> Floats:
        return np.asarray(np.nanmean(synchrony[places, order.astype(np.intp)], axis=axis), np.float64)

    result = stats.permutation_test(
        (places,),
        statistic,
        permutation_type="pairings",
        alternative="greater",
        n_resamples=_RESAMPLES,
        vectorized=True,
        rng=np.random.default_rng(_SEED),
    )
    return float(result.pvalue), len(result.null_distribution)
