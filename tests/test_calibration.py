import numpy as np
import pytest
from scipy.special import softmax

from entities import EXPRESSIONS
from tests.networks import small_network
from training.calibration import (
    adjust,
    choose_tau,
    classwise_calibration_error,
    expected_calibration_error,
    fit_temperature,
    fold,
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
    """The prior is the share of each expression, from labels or from votes."""
    np.testing.assert_allclose(prior([0, 0, 3, 6]), [0.5, 0, 0, 0.25, 0, 0, 0.25])
    np.testing.assert_allclose(prior(np.eye(7)), np.full(7, 1 / 7))


def test_adjustment_helps_the_rare():
    """A network that learned the prior gains balanced accuracy when it is taken out, which tau is chosen for."""
    random = np.random.default_rng(2)
    labels = random.choice(7, size=5000, p=PRIOR)
    logits = 2 * np.eye(7)[labels] + random.normal(size=(5000, 7)) + np.log(PRIOR)

    def recalls(tau):
        right = adjust(logits, PRIOR, tau).argmax(axis=1) == labels
        return [right[labels == label].mean() for label in range(7)]

    assert recalls(1)[1] > recalls(0)[1] + 0.2
    for_accuracy, for_both, for_balance = (choose_tau(logits, labels, PRIOR, balance) for balance in (0, 0.5, 1))
    assert for_accuracy < for_both < for_balance
    assert np.mean(recalls(for_balance)) == max(np.mean(recalls(tau)) for tau in np.linspace(0, 1, 21))


def test_folding_changes_the_network_as_the_arithmetic_says(keras):
    """The network with both folded in gives adjusted logits, divided by the temperature."""
    model = small_network(keras, softmax=False)
    faces = np.random.default_rng(1).integers(0, 256, (5, 48, 48, 1)).astype(np.float32)
    before = np.asarray(model(faces))
    fold(model, temperature=1.7, tau=0.6, prior=PRIOR)
    np.testing.assert_allclose(np.asarray(model(faces)), adjust(before, PRIOR, 0.6) / 1.7, atol=1e-4)


def test_folding_refuses_a_network_without_logits(keras):
    """A last dense layer of another size is not the one meant."""
    with pytest.raises(ValueError, match=f"not {len(EXPRESSIONS)} logits"):
        fold(small_network(keras, outputs=5), 1, 1, PRIOR)
