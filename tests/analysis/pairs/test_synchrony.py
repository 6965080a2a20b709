"""Synchrony: equal to plain loops, with the sign of who leads, and compared with every way to pair the same people."""

from itertools import permutations
from math import atanh, isnan, sqrt, tanh

import numpy as np
import pytest
from pandas import DataFrame
from scipy import stats
from scipy.ndimage import gaussian_filter1d

from analysis.pairs.conversations import Conversation, Person
from analysis.pairs.curves import MEASURES, NOBODY, Curve, common_step, face_seen_longest, person_curve, shared
from analysis.pairs.surrogates import MAX_SHUFFLED, sample_table, shuffled, surrogates
from analysis.pairs.synchrony import Steps, Windows, fisher_z, summary, windowed_correlations
from errors import StudyError
from tests.helpers.tables import course, nobody, together
from tests.helpers.talks import Curves, by_hand

STEPS = Steps(40, 20, 10)


def noise(count: int, seed: int) -> Curves:
    """Return a smooth random curve."""
    return gaussian_filter1d(np.random.default_rng(seed).normal(size=count), 4)


@pytest.fixture
def gappy() -> tuple[Curves, Curves]:
    """Return two curves with gaps, one of them longer than half a window, and a stretch in which one does not move."""
    first, second = noise(400, 1), 0.5 * noise(400, 2)
    first[50:60] = second[100:103] = first[200:245] = np.nan
    second[300:390] = 0.1
    return first, second


def test_correlations_are_those_of_plain_loops(gappy: tuple[Curves, Curves]):
    """To 1e-12, in every window and at every lag, and empty in the same."""
    found, expected = windowed_correlations(*gappy, STEPS), np.array(by_hand(*gappy, STEPS))
    assert found.shape == (18, 21)
    assert 0 < np.isnan(expected).sum() < expected.size / 2
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_they_are_scipy_s_where_nothing_is_missing():
    """Window by window; the last one ends with the curves."""
    first, second = noise(90, 3), noise(90, 4)
    found = windowed_correlations(first, second, STEPS)
    assert len(found) == 3
    assert found[2, 20] == pytest.approx(stats.pearsonr(first[40:80], second[50:90]).statistic, abs=1e-12)
    assert found[2, 0] == pytest.approx(stats.pearsonr(first[50:90], second[40:80]).statistic, abs=1e-12)
    assert windowed_correlations(first[:49], second[:49], STEPS).shape == (0, 21)


def test_who_is_first_in_the_list_changes_signs_alone(gappy: tuple[Curves, Curves]):
    """Swapped, the same correlations are at the opposite lags."""
    first, second = gappy
    swapped = windowed_correlations(second, first, STEPS)[:, ::-1]
    np.testing.assert_allclose(swapped, windowed_correlations(first, second, STEPS), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("lag", "leads"), [(6, "lead_a"), (-6, "lead_b")])
def test_a_lag_is_found_with_its_sign(lag: int, leads: str):
    """If the second curve is the first one six steps later, its lag is above 0, and the first person leads."""
    long = noise(620, 5)
    found = summary(windowed_correlations(long[20:620], long[20 - lag : 620 - lag], STEPS), step=0.1)
    assert found["peak_lag"] == pytest.approx(0.1 * lag)
    assert found["peak_r"] > 0.999
    other = {"lead_a": "lead_b", "lead_b": "lead_a"}[leads]
    assert found[leads] > found[other] + 0.2


def test_a_summary_is_that_of_plain_loops(gappy: tuple[Curves, Curves]):
    """Means of Z over all windows and lags that have one."""
    rows = by_hand(*gappy, STEPS)
    found = summary(windowed_correlations(*gappy, STEPS), step=0.1)
    known = [[(lag, atanh(r)) for lag, r in zip(STEPS.lags, row, strict=True) if not isnan(r)] for row in rows]
    all_z = [z for row in known for _, z in row]
    by_lag = {lag: [z for row in known for at, z in row if at == lag] for lag in STEPS.lags}
    means = {lag: sum(values) / len(values) for lag, values in by_lag.items()}
    peak = max(means, key=lambda lag: means[lag])
    above, below = ([abs(z) for row in known for lag, z in row if sign * lag > 0] for sign in (1, -1))
    assert found["windows"] == sum(map(bool, known))
    assert found["empty_windows"] == len(rows) - found["windows"] > 0
    expected = {
        "synchrony": sum(map(abs, all_z)) / len(all_z),
        "mean_z": sum(all_z) / len(all_z),
        "r_zero": tanh(means[0]),
        "peak_lag": 0.1 * peak,
        "peak_r": tanh(means[peak]),
        "lead_a": sum(above) / len(above),
        "lead_b": sum(below) / len(below),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=0, abs=1e-12)


def test_without_a_correlation_all_is_empty():
    """A face that does not move has none; neither has a curve that is too short."""
    for flat in (np.zeros(100), np.zeros(3)):
        found = summary(windowed_correlations(flat, noise(len(flat), 1), STEPS), step=0.1)
        assert found["windows"] == 0
        assert all(isnan(found[name]) for name in ("synchrony", "peak_lag", "lead_a"))


def test_fisher_s_z_has_an_end():
    """A correlation of 1, or what rounding makes of it, has no Z of its own."""
    assert fisher_z(np.array([1.0, -1.0, 1 + 1e-15, 0.5])).tolist() == pytest.approx([10, -10, 10, atanh(0.5)])


def test_windows_fit_the_steps():
    """Half a window from one to the next; ten steps at least."""
    assert Windows(30, 5).in_steps(0.1) == Steps(300, 150, 50)
    with pytest.raises(StudyError, match=r"--pair-window 4: .* 10 steps of 0\.5 s at least\. Choose 5 or more"):
        Windows(4, 1).in_steps(0.5)


@pytest.mark.parametrize(("slowest", "step"), [(60, 0.1), (9.99, 0.1), (8, 0.2), (2, 0.5), (1, 1.0), (0.5, None)])
def test_steps_are_as_long_as_the_slowest_recording_needs(slowest: float, step: float | None):
    """And never shorter than a tenth of a second."""
    assert common_step(slowest) == step


@pytest.mark.parametrize("fps", [25, 30, 12.5])
def test_a_curve_is_the_mean_over_time(fps: float):
    """Whatever the frames' rate: time is cut into pieces of a tenth of a millisecond, and each step is their mean."""
    values = 0.5 + 0.4 * np.sin(np.arange(round(8 * fps)) / 7)
    frames = course("Happy", values.tolist(), fps=fps, unusable=range(20, 24))
    late, step = 2.53, 0.2
    pieces = late + (np.arange(0, round(5.4 / 1e-4)) + 0.5) * 1e-4
    index = np.floor(pieces * fps).astype(int)
    shown = np.where(np.isin(index, range(20, 24)), np.nan, values[index])
    found = person_curve(frames, 1, late, step)
    assert len(found) == 27
    for number, piece in enumerate(shown.reshape(27, -1)):
        expected = np.nanmean(piece) if np.isfinite(piece).mean() >= 0.5 else np.nan
        assert found.values[number, 1] == pytest.approx(expected, abs=2e-4, nan_ok=True)
    valence = frames["valence"].to_numpy()[index].reshape(27, -1)[-1].mean()
    assert found.values[-1, 0] == pytest.approx(valence, abs=2e-4)
    assert np.isnan(person_curve(frames.assign(time=frames["time"] + 4.0), 1, 0.0, step).values[:20]).all()


def test_the_same_moment_has_the_same_step():
    """What one recording shows at 4 s and another, which is late by 2.5 s, at 6.5 s, is one step."""
    one, late = [0.1] * 40 + [0.9] * 20, [0.1] * 65 + [0.9] * 20
    first = person_curve(course("Happy", one), 1, 0.0, 0.1)
    second = person_curve(course("Happy", late), 1, 2.5, 0.1)
    assert first.values[:, 1].tolist() == pytest.approx(second.values[:, 1].tolist())
    assert len(first) == len(second) == 60


def test_gaps_stay_gaps_and_faces_are_told_apart():
    """No value is made up where the face is not seen; the face that is seen longest is taken, or all are."""
    frames = together(
        course("Happy", [0.9] * 10, face=1),
        nobody([1.0, 1.1], fps=10),
        course("Happy", [0.2] * 12, face=2, start=1.2),
    )
    assert face_seen_longest(frames) == 2
    seen = person_curve(frames, 2, 0.0, 0.1).values[:, 1]
    assert np.isnan(seen[:12]).all()
    assert seen[12:].tolist() == pytest.approx([0.2] * 12)
    everything = person_curve(frames, 0, 0.0, 0.1).values[:, 1]
    assert np.isnan(everything).nonzero()[0].tolist() == [10, 11]
    assert everything[:10].tolist() == pytest.approx([0.9] * 10)
    assert face_seen_longest(nobody([0.0, 0.1])) == NOBODY


def test_what_is_shared_begins_where_both_were_looked_at():
    """And ends with the shorter recording; before the common start, nothing counts."""
    part = person_curve(course("Happy", [0.5] * 50, start=3.0), 1, 1.0, 0.1)
    whole = person_curve(course("Happy", [0.5] * 45), 1, 0.0, 0.1)
    first, second, begin = shared(part, whole)
    assert (begin, len(first), len(second)) == (20, 25, 25)
    late = person_curve(course("Happy", [0.5] * 45), 1, 99.0, 0.1)
    assert len(late) == len(shared(late, whole)[0]) == 0


def talk(pair: str, first: Curves, second: Curves) -> Conversation:
    """Return a conversation in which both measures are the same."""
    people = [Person(pair, "a.mp4", 0.0, Curve(np.column_stack([row, row]), 0, 1)) for row in (first, second)]
    return Conversation(pair, *people)


def test_surrogates_are_all_who_never_met():
    """Six of three pairs, each with the correlations of these two people."""
    talks = [talk(str(number), noise(300, number), noise(280, 10 + number)) for number in range(3)]
    table = surrogates(talks, STEPS, 0.1).query("measure == 'smile'").set_index(["pair_a", "pair_b"])
    assert sorted(table.index) == [(a, b) for a in "012" for b in "012" if a != b]
    expected = summary(windowed_correlations(noise(300, 2)[:280], noise(280, 10), STEPS), 0.1)
    assert table.loc[("2", "0"), "synchrony"] == pytest.approx(expected["synchrony"], abs=1e-12)


def test_the_sample_is_compared_with_every_way_to_pair():
    """Mean, SD, effect size and p by hand, over all 24 ways to pair four people with four others."""
    size, rng = 4, np.random.default_rng(7)
    matrix = rng.normal(1, 0.2, (size, size)) + 0.25 * np.eye(size)
    cells = [(str(a), str(b), measure, matrix[a, b]) for a, b in np.ndindex(size, size) for measure in MEASURES]
    every = DataFrame(cells, columns=["pair_a", "pair_b", "measure", "synchrony"]).assign(mean_z=0.0)
    real = every[every["pair_a"] == every["pair_b"]].rename(columns={"pair_a": "pair"})
    row = sample_table(real, every[every["pair_a"] != every["pair_b"]]).iloc[0]
    others = [matrix[a, b] for a, b in np.ndindex(size, size) if a != b]
    mean = sum(others) / len(others)
    sd = sqrt(sum((value - mean) ** 2 for value in others) / (len(others) - 1))
    means = [sum(matrix[a, b] for a, b in enumerate(order)) / size for order in permutations(range(size))]
    real_mean = sum(np.diag(matrix)) / size
    expected = {
        "pairs": size,
        "mean": real_mean,
        "surrogates": 12,
        "surrogate_mean": mean,
        "surrogate_sd": sd,
        "effect_size": (real_mean - mean) / sd,
        "shuffles": 24,
        "p": sum(value >= real_mean - 1e-12 for value in means) / 24,
    }
    assert 1 / 24 <= expected["p"] < 0.5
    assert row[list(expected)].to_dict() == pytest.approx(expected, rel=0, abs=1e-12)


def sample_of(talks: list[Conversation]) -> DataFrame:
    """Return the sample of some conversations, by statistic, for smiles."""
    real = []
    for one in talks:
        first, second = (values[:, 1] for values in one.shared()[:2])
        found = summary(windowed_correlations(first, second, STEPS), 0.1)
        real.append({"pair": one.pair, "measure": "smile"} | found)
    table = sample_table(DataFrame(real), surrogates(talks, STEPS, 0.1))
    return table[table["measure"] == "smile"].set_index("statistic")


def test_people_who_answer_each_other_are_above_chance_and_others_are_not():
    """Six pairs: the same curve 0.4 s later against another one."""
    curves = [noise(700, seed) for seed in range(12)]
    coupled = [talk(str(n), curves[n][20:], curves[n][16:-4]) for n in range(6)]
    apart = [talk(str(n), curves[n], curves[6 + n]) for n in range(6)]
    above, chance = sample_of(coupled), sample_of(apart)
    assert above.loc["synchrony", "effect_size"] > 3
    assert above.loc["synchrony", "p"] == pytest.approx(1 / 720)
    assert abs(chance.loc["synchrony", "effect_size"]) < 1
    assert chance.loc["synchrony", "p"] > 0.05
    assert chance.loc["synchrony", "mean"] > 0.1, "absolute values have a mean above 0 by chance alone"


def test_one_pair_has_no_surrogates_and_too_many_are_drawn_from():
    """Nothing is made up of one pair; of more than forty, always the same forty are shuffled."""
    alone = sample_of([talk("x", noise(200, 1), noise(200, 2))])
    assert alone["surrogates"].tolist() == alone["shuffles"].tolist() == [0, 0]
    assert alone[["effect_size", "p", "surrogate_mean"]].isna().all(axis=None)
    many = [talk(str(number), np.zeros(1), np.zeros(1)) for number in range(MAX_SHUFFLED + 20)]
    drawn = [one.pair for one in shuffled(many)]
    assert len(set(drawn)) == MAX_SHUFFLED
    assert drawn == [one.pair for one in shuffled(many)]
