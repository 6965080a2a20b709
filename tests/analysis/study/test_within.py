"""Within people: differences between conditions, their effect sizes, and who lacks one, checked against formulas."""

import numpy as np
import pandas as pd
import pytest
from pandas import DataFrame
from scipy import stats

from analysis.study.comparison import FEWEST, comparison
from analysis.study.within import EVERYBODY, as_persons, differences, lacking, within_people

BEFORE = np.array([0.10, 0.20, 0.15, 0.30, 0.25, 0.05])
FILM = np.array([0.40, 0.35, 0.50, 0.45, 0.60, 0.30])


def persons(values: dict[str, np.ndarray], groups: tuple[str, ...] = ("a",) * 6) -> DataFrame:
    """Return what `groups.persons` returns of people with these mean probabilities of Happy under each marker."""
    rows = [
        {
            "group": group,
            "person": f"P{number}",
            "marker": marker,
            "expression": "Happy",
            "mean": value,
            "share": value / 2,
        }
        for marker, column in values.items()
        for number, (group, value) in enumerate(zip(groups, column, strict=False))
    ]
    return DataFrame(rows)


def test_each_person_s_difference():
    """The later condition less the earlier, in mean and share; the whole file is no condition."""
    table = differences(persons({"": FILM, "before": BEFORE, "film": FILM}), ["before", "film"])
    means = table[table["measure"] == "mean"]
    assert set(zip(means["condition_a"], means["condition_b"], strict=True)) == {("film", "before")}
    assert means["difference"].to_numpy() == pytest.approx(FILM - BEFORE)
    shares = table[table["measure"] == "share"]
    assert shares["difference"].to_numpy() == pytest.approx((FILM - BEFORE) / 2)


def test_effect_sizes_are_those_of_the_textbooks():
    """By hand: d_z (Lakens, 2013, formula 6) by the t statistic, d_av and its correction as pingouin computes them."""
    table = within_people(differences(persons({"before": BEFORE, "film": FILM}), ["before", "film"]))
    row = table[table["measure"] == "mean"].iloc[0]
    count = len(FILM)
    assert (row["group"], row["people"]) == (EVERYBODY, count)
    t = stats.ttest_rel(FILM, BEFORE).statistic
    assert row["d_z"] == pytest.approx(t / np.sqrt(count))
    average = np.sqrt((np.var(FILM, ddof=1) + np.var(BEFORE, ddof=1)) / 2)
    correction = 1 - 3 / (4 * (count + count) - 9)
    assert row["g_av"] == pytest.approx(correction * (FILM.mean() - BEFORE.mean()) / average)
    assert row["difference"] == pytest.approx(np.mean(FILM - BEFORE))


def test_intervals_are_bca_over_people():
    """By hand (Efron, 1987): bias by the share of resamples below, acceleration by the jackknife."""
    table = within_people(differences(persons({"before": BEFORE, "film": FILM}), ["before", "film"]))
    row = table[table["measure"] == "mean"].iloc[0]

    def statistic(pairs: np.ndarray) -> np.ndarray:
        return pairs.mean(axis=-1) / np.maximum(pairs.std(axis=-1, ddof=1), 1e-6)

    pairs, rng = FILM - BEFORE, np.random.default_rng(1)
    resampled = statistic(pairs[rng.integers(0, len(pairs), (200_000, len(pairs)))])
    bias = stats.norm.ppf(((resampled < statistic(pairs)).mean() + (resampled <= statistic(pairs)).mean()) / 2)
    left_out = np.array([statistic(np.delete(pairs, index)) for index in range(len(pairs))])
    centred = left_out.mean() - left_out
    acceleration = (centred**3).sum() / (6 * (centred**2).sum() ** 1.5)
    ends = stats.norm.ppf([0.025, 0.975])
    levels = stats.norm.cdf(bias + (bias + ends) / (1 - acceleration * (bias + ends)))
    low, high = np.quantile(resampled, levels)
    assert row["d_z_low"] == pytest.approx(low, rel=0.05)
    assert row["d_z_high"] == pytest.approx(high, rel=0.1)
    assert row["difference_low"] < row["difference"] < row["difference_high"]


def test_few_people_have_no_interval_and_one_has_no_effect_size():
    """What so few cannot tell is empty; the difference itself is known."""
    for count in (1, FEWEST - 1):
        values = {"before": BEFORE[:count], "film": FILM[:count]}
        row = within_people(differences(persons(values), ["before", "film"])).iloc[0]
        assert row["difference"] == pytest.approx((FILM - BEFORE)[:count].mean())
        assert np.isnan(row["d_z_low"])
        assert np.isnan(row["d_z"]) == (count == 1)


def test_people_who_all_change_alike_have_no_d_z():
    """Where no difference varies, it is not known how large it is in its own deviations."""
    row = within_people(differences(persons({"before": BEFORE, "film": BEFORE + 0.2}), ["before", "film"])).iloc[0]
    assert np.isnan(row["d_z"])
    assert row["g_av"] > 1


def test_groups_are_compared_by_their_differences():
    """Group by condition: Hedges' g of the differences of two groups, and each group's own effect size."""
    groups = ("a", "a", "a", "b", "b", "b")
    table = differences(persons({"before": BEFORE, "film": FILM}, groups), ["before", "film"])
    assert set(within_people(table)["group"]) == {EVERYBODY, "a", "b"}
    compared = comparison(as_persons(table))
    row = compared[compared["measure"] == "mean"].iloc[0]
    first, second = (FILM - BEFORE)[:3], (FILM - BEFORE)[3:]
    assert row["marker"] == "film - before"
    assert row["difference"] == pytest.approx(first.mean() - second.mean())
    deviation = np.sqrt((first.var(ddof=1) + second.var(ddof=1)) / 2)
    assert row["effect_size"] == pytest.approx((1 - 3 / 15) * (first.mean() - second.mean()) / deviation)


def test_who_lacks_a_condition_is_named():
    """They are in no difference that needs it."""
    table = pd.concat([persons({"before": BEFORE}), persons({"film": FILM[:5]})])
    assert lacking(table, ["before", "film"]) == [
        "Left out of differences between conditions, since they lack one: P5 (film)."
    ]
    assert len(differences(table, ["before", "film"]).query("measure == 'mean'")) == 5
    assert lacking(table, ["before"]) == []
