"""Probabilities that mean what they say: logit adjustment, temperature, and measures of calibration.

Truth is given in one of two forms: (n,) labels, indices into EXPRESSIONS, or (n, 7) shares of raters' votes,
each row summing to 1.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from entities import EXPRESSIONS

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Reliability:
    """Rows sorted into bins of equal width by the confidence in their predicted expression."""

    confidence: NDArray[np.float64]
    """(bins,) mean confidence of each bin's rows; NaN in an empty bin."""
    accuracy: NDArray[np.float64]
    """(bins,) share of them that are right, or mean share of votes for what was predicted; NaN in an empty bin."""
    count: NDArray[np.int64]
    """(bins,) number of rows."""

    @property
    def error(self) -> float:
        """Expected calibration error, 0-1: the mean over rows of their bin's |accuracy - confidence|."""
        filled = self.count > 0
        return float(np.average(np.abs(self.accuracy - self.confidence)[filled], weights=self.count[filled]))


def as_shares(truth: ArrayLike) -> NDArray[np.float64]:
    """Return truth of either form as (n, 7) shares."""
    truth = np.asarray(truth)
    return np.eye(len(EXPRESSIONS))[truth] if truth.ndim == 1 else truth.astype(np.float64)


def prior(truth: ArrayLike) -> NDArray[np.float64]:
    """Return the (7,) share of each expression in what a network was trained on."""
    return as_shares(truth).mean(axis=0)


def adjust(logits: Floats, prior: ArrayLike, tau: float) -> Floats:
    """Return logits without `tau` (0-1) of the training prior (Menon et al., 2021, arXiv:2007.07314)."""
    return logits - tau * np.log(np.asarray(prior))


def choose_tau(logits: Floats, labels: ArrayLike, prior: ArrayLike, balance: float = 0.5) -> float:
    """Return the tau from 0, 0.05, ... 1 whose predictions are best.

    Best is the highest mean of accuracy and balanced accuracy (the mean recall of the expressions),
    in which the latter weighs `balance`, 0-1.
    """
    labels = np.asarray(labels)
    weights = (1 - balance) / len(labels) + balance / (len(np.unique(labels)) * np.bincount(labels)[labels])
    taus = np.linspace(0, 1, 21)
    scores = [weights[adjust(logits, prior, tau).argmax(axis=1) == labels].sum() for tau in taus]
    return float(taus[int(np.argmax(scores))])


def fit_temperature(logits: Floats, truth: ArrayLike) -> float:
    """Return the temperature that makes the truth most likely under softmax(logits / temperature).

    Guo et al., 2017, arXiv:1706.04599. For votes, the truth is each vote.
    """
    shares = as_shares(truth)

    def loss(log_temperature: float) -> float:
        return float(-(shares * log_softmax(logits / np.exp(log_temperature), axis=1)).sum(axis=1).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded").x))


def fold(model: Any, temperature: float, tau: float, prior: ArrayLike) -> None:
    """Build adjustment and temperature into a keras.Model's last dense layer, which gives the logits.

    Afterwards its logits are adjust(logits, prior, tau) / temperature, at no cost.
    """
    dense = [layer for layer in model.layers if type(layer).__name__ == "Dense"][-1]
    kernel, bias = dense.get_weights()
    if kernel.shape[1] != len(EXPRESSIONS):
        raise ValueError(f"The last dense layer has {kernel.shape[1]} outputs, not {len(EXPRESSIONS)} logits.")
    dense.set_weights([kernel / temperature, adjust(bias, prior, tau) / temperature])


def negative_log_likelihood(probabilities: Floats, truth: ArrayLike) -> float:
    """Return the mean of -log p in nats; for votes, the cross-entropy with the raters' distribution."""
    # 1e-7 is what a float32 can tell from 1; a certain mistake costs 16, not infinity.
    return float(-(as_shares(truth) * np.log(np.maximum(probabilities, 1e-7))).sum(axis=1).mean())


def reliability(probabilities: Floats, truth: ArrayLike, bins: int = 15) -> Reliability:
    """Compare the confidence in the predicted expression with how often it is right, by 15 bins of confidence."""
    predicted = probabilities.argmax(axis=1)
    rows = np.arange(len(predicted))
    return _bin(probabilities[rows, predicted], as_shares(truth)[rows, predicted], bins)


def expected_calibration_error(probabilities: Floats, truth: ArrayLike, bins: int = 15) -> float:
    """Return the top-label error, 0-1 (Guo et al., 2017).

    For labels, the mean gap between the confidence in the predicted expression and how often it is right;
    for votes, between that confidence and the mean share of votes for the predicted expression.
    """
    return reliability(probabilities, truth, bins).error


def classwise_calibration_error(probabilities: Floats, truth: ArrayLike, bins: int = 15) -> float:
    """Return the class-wise error, 0-1: the same gap for every expression's probability, whether predicted or not.

    The mean over the seven expressions (Kull et al., 2019, arXiv:1910.12656).
    """
    return float(np.mean([_bin(p, s, bins).error for p, s in zip(probabilities.T, as_shares(truth).T, strict=True)]))


def _bin(confidence: Floats, correct: Floats, bins: int) -> Reliability:
    # A bin holds its upper edge, as in Guo et al.
    index = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    count = np.bincount(index, minlength=bins)
    with np.errstate(invalid="ignore"):
        mean_confidence = np.bincount(index, confidence, bins) / count
        mean_correct = np.bincount(index, correct, bins) / count
    return Reliability(mean_confidence, mean_correct, count)
