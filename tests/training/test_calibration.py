import numpy as np
import pytest
from scipy.special import softmax

from entities import EXPRESSIONS
from tests.helpers.networks import small_network
from training.metrics.calibration import (
    Calibration,
    choose,
    choose_temperature,
    classwise_calibration_error,
    expected_calibration_error,
    fit_temperature,
    fold,
    merge,
    merged_offsets,
    negative_log_likelihood,
    prior,
    reliability,
)

PRIOR = np.array([0.14, 0.02, 0.14, 0.25, 0.17, 0.11, 0.17])


def drawn(rows=20000, sharpness=2.0):
    """Return logits, and labels drawn from the very probabilities that they stand for."""
    random = np.random.default_rng(5)
    logits = sharpness * random.normal(size=(rows, 7))
    labels = (softmax(logits, axis=1).cumsum(axis=1) < random.random((rows, 1))).sum(axis=1)
    return logits, labels


def test_honest_probabilities_have_no_error():
    """Where labels are drawn from the probabilities, both calibration errors are near zero."""
    logits, labels = drawn()
    assert expected_calibration_error(softmax(logits, axis=1), labels) < 0.012
    assert classwise_calibration_error(softmax(logits, axis=1), labels) < 0.012


def test_calibration_error_by_hand():
    """Two bins, worked out on paper: each weighs by its rows, and a bin holds its upper edge."""
    confidence = np.array([0.9, 0.9, 0.6, 0.6, 0.6, 0.6])
    probabilities = np.column_stack([confidence, 1 - confidence, *np.zeros((5, 6))])
    labels = np.array([0, 1, 0, 0, 0, 1])
    # |1/2 - 0.9| on two rows of six, |3/4 - 0.6| on four.
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.4 * 2 / 6 + 0.15 * 4 / 6)
    bins = reliability(probabilities, labels)
    assert bins.count[[8, 13]].tolist() == [4, 2]
    assert bins.count.sum() == 6
    assert np.isnan(bins.accuracy[0])


def test_certainty_has_a_bin():
    """Probabilities of exactly 0 and 1 are counted like all others."""
    probabilities = np.eye(7)
    assert expected_calibration_error(probabilities, np.arange(7)) == 0
    assert classwise_calibration_error(probabilities, np.arange(7)) == 0
    assert expected_calibration_error(probabilities, (np.arange(7) + 1) % 7) == 1


def test_votes_count_by_their_share():
    """Against votes, confidence is compared with the share of votes for the predicted expression."""
    probabilities = np.full((10, 7), 0.05)
    probabilities[:, 3] = 0.7
    shares = np.zeros((10, 7))
    shares[:, 3], shares[:, 6] = 0.6, 0.4
    assert expected_calibration_error(probabilities, shares) == pytest.approx(0.1)
    gaps = [0.05] * 5 + [0.1, 0.35]
    assert classwise_calibration_error(probabilities, shares) == pytest.approx(np.mean(gaps))


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_temperature_is_found(temperature):
    """Logits that were multiplied by a temperature get it back, from labels and from shares of votes."""
    logits, labels = drawn()
    assert fit_temperature(logits * temperature, labels) == pytest.approx(temperature, rel=0.03)
    shares = softmax(logits, axis=1)
    assert fit_temperature(logits * temperature, shares) == pytest.approx(temperature, rel=1e-3)


def test_negative_log_likelihood():
    """It is the mean of -log p, stays finite for a certain mistake, and takes votes as weights."""
    probabilities = np.full((2, 7), 0.1)
    probabilities[0, 3], probabilities[1, 0] = 0.4, 0.4
    assert negative_log_likelihood(probabilities, np.array([3, 3])) == pytest.approx(-np.log([0.4, 0.1]).mean())
    shares = np.zeros((2, 7))
    shares[:, 3], shares[:, 0] = 0.5, 0.5
    assert negative_log_likelihood(probabilities, shares) == pytest.approx(-np.log([0.4, 0.1]).mean())
    assert np.isfinite(negative_log_likelihood(np.eye(7)[[0]], np.array([1])))


def test_prior_of_labels_and_votes():
    """The prior is the share of each expression, from labels or from votes, and never nothing."""
    np.testing.assert_allclose(prior([0] * 50 + [3] * 25 + [6] * 25), [0.5, 0.01, 0.01, 0.25, 0.01, 0.01, 0.25])
    np.testing.assert_allclose(prior(np.eye(7)), np.full(7, 1 / 7))


def test_one_temperature_for_majority_and_votes():
    """It lies between the one for the majority, which calls for more confidence, and the one for the votes."""
    logits, _ = drawn(rows=4000)
    shares = softmax(logits, axis=1)
    clear = shares.max(axis=1) > 0.5
    truths = {
        "labels": everywhere(shares.argmax(axis=1)),
        "majority": (clear, shares.argmax(axis=1)[clear]),
        "votes": everywhere(shares),
    }
    temperature = choose_temperature(logits, truths)
    assert fit_temperature(logits[clear], truths["majority"][1]) < temperature < 1
    confident = softmax(logits[clear] / temperature, axis=1)
    assert expected_calibration_error(confident, truths["majority"][1]) == pytest.approx(0.03, abs=0.005)
    del truths["votes"], truths["majority"]
    assert choose_temperature(logits, truths) == fit_temperature(logits, shares.argmax(axis=1))


def with_prior(labels, noise=1.0, seed=2):
    """Return logits of a network that is right more often than not and has learned PRIOR."""
    random = np.random.default_rng(seed)
    return 2 * np.eye(7)[labels] + noise * random.normal(size=(len(labels), 7)) + np.log(PRIOR)


def drawn_labels(rows=2000):
    """Return labels as common as PRIOR says."""
    return np.random.default_rng(3).choice(7, size=rows, p=PRIOR)


def everywhere(labels):
    """Return truth that every row has."""
    return np.ones(len(labels), bool), labels


def test_adjustment_helps_the_rare():
    """A network that learned the prior gains balanced accuracy when it is taken out."""
    labels = drawn_labels()
    logits = with_prior(labels)

    def recalls(tau):
        right = (logits - tau * np.log(PRIOR)).argmax(axis=1) == labels
        return [right[labels == label].mean() for label in range(7)]

    assert recalls(1)[1] > recalls(0)[1] + 0.2
    chosen = choose({"labels": logits}, {"labels": everywhere(labels)}, {"labels": PRIOR})
    assert 0 < chosen.taus["labels"] < 1
    assert chosen.shares == {"labels": 1.0}
    assert np.mean(recalls(chosen.taus["labels"])) > np.mean(recalls(0))


def test_the_better_head_counts_more():
    """Of two heads that answer the same question, the noisier one gets the smaller share, but not none."""
    labels = drawn_labels()
    logits = {"labels": with_prior(labels, noise=2.0), "votes": with_prior(labels, noise=1.0, seed=4)}
    truths = {"labels": everywhere(labels), "majority": everywhere(labels)}
    chosen = choose(logits, truths, dict.fromkeys(logits, PRIOR))
    assert 0.6 < chosen.shares["votes"] < 1
    assert sum(chosen.shares.values()) == pytest.approx(1)
    assert merge(logits, chosen.shares) == pytest.approx(
        chosen.shares["labels"] * logits["labels"] + chosen.shares["votes"] * logits["votes"]
    )


def test_the_raters_decide_where_they_are_known():
    """Of two heads, each right about its own kind of truth, the votes' counts; without raters, the labels'."""
    labels = drawn_labels()
    raters = (labels + 1) % 7
    logits = {"labels": 9 * np.eye(7)[labels], "votes": 9 * np.eye(7)[raters]}
    truths, priors = {"labels": everywhere(labels), "majority": everywhere(raters)}, dict.fromkeys(logits, PRIOR)
    assert choose(logits, truths, priors).shares["votes"] > 0.5
    assert choose(logits, {"labels": truths["labels"]}, priors).shares["labels"] > 0.5


@pytest.mark.parametrize(("disputed", "agreement", "accuracy"), [(0.08, 0.91, 0.98), (0.2, 0.88, 0.84)])
def test_what_raters_can_spare_goes_to_the_labels(disputed, agreement, accuracy):
    """Where labels and raters dispute few faces the labels win nearly all; else no more than the raters can spare."""
    labels = drawn_labels()
    raters = np.where(np.random.default_rng(5).random(len(labels)) < disputed, (labels + 1) % 7, labels)
    logits = {"labels": 9 * np.eye(7)[labels], "votes": 9 * np.eye(7)[raters]}
    truths, priors = {"labels": everywhere(labels), "majority": everywhere(raters)}, dict.fromkeys(logits, PRIOR)
    chosen = choose(logits, truths, priors)
    answers = (merge(logits, chosen.shares) - np.array(chosen.offsets)).argmax(axis=1)
    assert (answers == raters).mean() >= agreement
    assert (answers == labels).mean() >= accuracy  # of the second, 0.79 would be the raters' own


def test_rare_expressions_are_not_given_up_for_the_labels():
    """Where the labels never say what few raters see, that is found all the same, at the labels' cost."""
    raters = np.repeat([3, 6, 1], [490, 490, 20])
    labels = np.where(raters == 1, 6, raters)
    doubtful = 2.0 * np.eye(7)[labels] + 1.5 * np.eye(7)[raters]
    logits = {"labels": doubtful, "votes": doubtful}
    truths, priors = {"labels": everywhere(labels), "majority": everywhere(raters)}, dict.fromkeys(logits, PRIOR)
    chosen = choose(logits, truths, priors)
    answers = (merge(logits, chosen.shares) - np.array(chosen.offsets)).argmax(axis=1)
    assert (answers[raters == 1] == 1).all()


def test_the_priors_of_merged_heads():
    """Offsets take out of merged logits what each head has learned of how common expressions are."""
    priors = {"labels": PRIOR, "votes": PRIOR[::-1]}
    logits = {head: np.log(prior)[None] for head, prior in priors.items()}
    shares = {"labels": 0.25, "votes": 0.75}
    offsets = merged_offsets(priors, shares, {"labels": 1.0, "votes": 1.0})
    np.testing.assert_allclose(merge(logits, shares) - offsets, np.zeros((1, 7)), atol=1e-12)


def test_each_head_has_a_tau_of_its_own():
    """A head that has learned a prior gets it taken out; one that has not keeps its logits as they are."""
    labels = drawn_labels()
    raters = np.random.default_rng(6).permutation(labels)
    unbiased = {"labels": with_prior(labels) - np.log(PRIOR), "votes": with_prior(raters, seed=4)}
    truths = {"labels": everywhere(labels), "majority": everywhere(raters)}
    chosen = choose(unbiased, truths, dict.fromkeys(unbiased, PRIOR))
    assert chosen.taus["votes"] > 0
    assert chosen.shares["votes"] > 0.5


def test_folding_changes_the_network_as_the_arithmetic_says(keras):
    """The network with both folded in gives adjusted logits, divided by the temperature."""
    model = small_network(keras, softmax=False)
    faces = np.random.default_rng(1).integers(0, 256, (5, 48, 48, 1)).astype(np.float32)
    before = np.asarray(model(faces))
    folded = fold(model, Calibration({"labels": 1.0}, {"labels": 0.6}, 1.7, tuple(0.6 * np.log(PRIOR))))
    np.testing.assert_allclose(np.asarray(folded(faces)), (before - 0.6 * np.log(PRIOR)) / 1.7, atol=1e-4)


def test_folding_refuses_a_network_without_logits(keras):
    """A last dense layer of another size is not the one meant."""
    with pytest.raises(ValueError, match=f"not {len(EXPRESSIONS)} logits"):
        fold(small_network(keras, outputs=5), Calibration({"labels": 1.0}, {"labels": 1.0}, 1, tuple(PRIOR)))
