"""Conditions compared within people: what changes in each person from one marker to another."""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Final

import numpy as np
from pandas import DataFrame, concat

from analysis.study.comparison import FEWEST, MEASURES, MIN_DEVIATION, Floats, bootstrap_interval, mean_difference
from analysis.study.study_tables import shortened

MAX_CONDITIONS: Final = 6
"""Of which each two are compared: 15 pairs."""
EVERYBODY: Final = ""
"""Stands for all people together in the column `group`."""
_COLUMNS: Final = (
    *("group", "condition_a", "condition_b", "expression", "measure", "people", "mean_a", "mean_b"),
    *("difference", "difference_low", "difference_high"),
    *("d_z", "d_z_low", "d_z_high", "g_av", "g_av_low", "g_av_high"),
)
_PERSON: Final = ["group", "person", "expression"]


def differences(persons: DataFrame, conditions: Sequence[str]) -> DataFrame:
    """Return what each person shows more under one marker than under an earlier one.

    Args:
        persons: As `analysis.study.groups.persons` returns them.
        conditions: The markers, in the order in which they come.

    Returns:
        group, person, condition_a, condition_b, expression, measure (one of MEASURES), value_a, value_b, difference
        (a - b; a is the later one). People who lack one of the two have no row. Of more than MAX_CONDITIONS, each is
        compared with the first only.

    """
    columns = ["group", "person", "condition_a", "condition_b", "expression", "measure", "value_a", "value_b"]
    tables = [DataFrame(columns=[*columns, "difference"])]
    for earlier, later in _pairs(conditions):
        both = persons[persons["marker"] == later].merge(
            persons[persons["marker"] == earlier], on=_PERSON, suffixes=("_a", "_b")
        )
        both = both.assign(condition_a=later, condition_b=earlier)
        for measure in MEASURES:
            pair = both.assign(measure=measure, value_a=both[f"{measure}_a"], value_b=both[f"{measure}_b"])[columns]
            tables.append(pair.assign(difference=pair["value_a"] - pair["value_b"]))
    filled = [table for table in tables if len(table)]
    return concat(filled, ignore_index=True) if filled else tables[0]


def within_people(differences: DataFrame) -> DataFrame:
    """Return how large the differences are, in each group and in all people together.

    d_z is the mean difference in standard deviations of the differences. g_av is the mean difference in the root of the
    mean variance of the two conditions (Cumming, 2012), corrected for few people as Hedges' g is; so it can be compared
    with that of groups. Intervals are bootstrapped over people (BCa), as those of `comparison`.

    Args:
        differences: As `differences` returns them.

    Returns:
        _COLUMNS: group (empty for everybody), the two conditions, expression, measure, people, mean_a, mean_b,
        difference, d_z and g_av with 95 % intervals. What so few people cannot tell is empty.

    """
    everybody = differences.assign(group=EVERYBODY)
    pooled = concat([everybody, differences]) if differences["group"].nunique() > 1 else everybody
    keys = list(_COLUMNS[:5])
    rows = [
        dict(zip(keys, key, strict=True))
        | _paired(table["value_a"].to_numpy(np.float64), table["value_b"].to_numpy(np.float64))
        for key, table in pooled.groupby(keys, sort=False)
    ]
    return DataFrame(rows, columns=list(_COLUMNS))


def as_persons(differences: DataFrame) -> DataFrame:
    """Return differences in the form of `groups.persons`, a marker a pair: `comparison` compares groups by them."""
    named = differences.assign(marker=differences["condition_a"] + " - " + differences["condition_b"])
    wide = named.pivot(index=["group", "person", "marker", "expression"], columns="measure", values="difference")
    return wide.reset_index().rename_axis(columns=None)


def lacking(persons: DataFrame, conditions: Sequence[str]) -> list[str]:
    """Return a note that names who lacks a condition that others have."""
    seen = persons.groupby("person")["marker"].agg(set)
    lacks = {person: [name for name in conditions if name not in markers] for person, markers in seen.items()}
    names = [f"{person} ({', '.join(missing)})" for person, missing in lacks.items() if missing]
    if len(conditions) < 2 or not names:
        return []
    return [f"Left out of differences between conditions, since they lack one: {shortened(names)}."]


def d_z(first: Floats, second: Floats, axis: int = -1) -> Floats:
    """Return the mean difference of pairs in standard deviations of their differences; two pairs at least."""
    pairs = first - second
    return np.asarray(pairs.mean(axis=axis) / np.maximum(pairs.std(axis=axis, ddof=1), MIN_DEVIATION), np.float64)


def g_av(first: Floats, second: Floats, axis: int = -1) -> Floats:
    """Return the mean difference of pairs in the root of their mean variance, corrected for few pairs."""
    deviation = np.sqrt((first.var(axis=axis, ddof=1) + second.var(axis=axis, ddof=1)) / 2)
    correction = 1 - 3 / (8 * first.shape[axis] - 9)
    effect = mean_difference(first, second, axis) / np.maximum(deviation, MIN_DEVIATION)
    return np.asarray(correction * effect, np.float64)


def _pairs(conditions: Sequence[str]) -> list[tuple[str, str]]:
    every = list(combinations(conditions, 2))
    return every if len(conditions) <= MAX_CONDITIONS else every[: len(conditions) - 1]


def _paired(first: Floats, second: Floats) -> dict[str, float]:
    count = len(first)
    found: dict[str, float] = {"people": count, "mean_a": first.mean(), "mean_b": second.mean()}
    spread = {
        "difference": float((first - second).std()),
        "d_z": float((first - second).std()),
        "g_av": float(first.std() + second.std()),
    }
    statistics: dict[str, Callable[..., Floats]] = {"difference": mean_difference, "d_z": d_z, "g_av": g_av}
    for name, statistic in statistics.items():
        varies = count > 1 and spread[name] > MIN_DEVIATION
        known = varies or name == "difference"
        low, high = (np.nan, np.nan)
        if count >= FEWEST and varies and spread["difference"] > MIN_DEVIATION:
            low, high = bootstrap_interval((first, second), statistic, paired=True)
        found[name] = float(statistic(first, second)) if known else np.nan
        found |= {f"{name}_low": low, f"{name}_high": high}
    return found
