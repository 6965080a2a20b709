"""Probabilities that mean what they say: merged heads, logit adjustment, temperature, and measures of calibration.

Truth is given in one of two forms: (n,) labels, indices into EXPRESSIONS, or (n, 7) shares of raters' votes,
each row summing to 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from entities import EXPRESSIONS
from training.data.fer2013 import FER2013, vote_shares

Floats = NDArray[np.floating[Any]]
Truths = Mapping[str, tuple[NDArray[np.bool_], NDArray[Any]]]
"""By kind of truth: a mask of the rows that have it, and the truth of these."""
STEPS: Final = np.linspace(0, 1, 21)
AGREEMENT: Final = 0.88
"""Of the faces on which most raters agree, the share that must be named as they do, before anything else counts."""
RECALL: Final = 0.88
"""Mean recall of the expressions on those faces, which counts next: else the rare expressions would be given up."""
TOLERANCE: Final = 0.03
"""How far the confidence may be, on the mean, from how often the majority of the raters agrees."""


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


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the logits of a network's heads become probabilities."""

    shares: dict[str, float]
    """How much each head counts; they sum to 1."""
    taus: dict[str, float]
    """The part of its prior that is taken out of each head, 0-1."""
    temperature: float
    """What the adjusted logits are divided by."""
    offsets: tuple[float, ...]
    """(7,) what is taken off the merged logits for that."""


def as_shares(truth: ArrayLike) -> NDArray[np.float64]:
    """Return truth of either form as (n, 7) shares."""
    truth = np.asarray(truth)
    return np.eye(len(EXPRESSIONS))[truth] if truth.ndim == 1 else truth.astype(np.float64)


def prior(truth: ArrayLike) -> NDArray[np.float64]:
    """Return the (7,) share of each expression in what a network was trained on.

    An expression that does not occur counts as if one face had it: the logarithm of its share is needed.
    """
    shares = as_shares(truth)
    return np.maximum(shares.mean(axis=0), 1 / len(shares))


def priors(rows: FER2013) -> dict[str, NDArray[np.float64]]:
    """Return the prior of each head that these rows train: "labels" and, where they have votes, "votes"."""
    found = {"labels": prior(rows.labels)}
    return found if rows.votes is None else found | {"votes": prior(vote_shares(rows.votes))}


def merge(logits: Mapping[str, Floats], shares: Mapping[str, float]) -> Floats:
    """Return the (n, 7) mean of the heads' logits, weighted by `shares`."""
    return np.sum([share * logits[head] for head, share in shares.items()], axis=0)


def merged_offsets(
    priors: Mapping[str, ArrayLike], shares: Mapping[str, float], taus: Mapping[str, float]
) -> NDArray[np.float64]:
    """Return the (7,) offsets that take a part `taus` (0-1) of each head's prior out of the merged logits.

    Menon et al., 2021, arXiv:2007.07314.
    """
    return np.sum([share * taus[head] * np.log(np.asarray(priors[head])) for head, share in shares.items()], axis=0)


def choose(logits: Mapping[str, Floats], truths: Truths, priors: Mapping[str, ArrayLike]) -> Calibration:
    """Choose how the heads' logits become probabilities, on rows that were not trained on.

    The shares of the heads and each head's tau are tried from 0, 0.05, ... to 1. Without the raters' majority in
    `truths`, the most accurate choice for FER2013's labels is the best. With it, the choice is made for people in front
    of a camera: as many faces as AGREEMENT says are named as most raters do, with a mean recall of RECALL, or as many
    and as high as X

    Args:
        logits: (n, 7) by head, "labels" and perhaps "votes".
        truths: of the same n rows, as training.metrics.evaluation.truths gives them.
        priors: (7,) by head, as `prior` gives them.
    """
    heads, steps = list(logits), STEPS.tolist()
    mixes = [{"labels": 1 - share, "votes": share} for share in steps] if "votes" in logits else [{"labels": 1.0}]

    def goodness(shares: Mapping[str, float], merged: Floats, taus: Mapping[str, float]) -> tuple[float, ...]:
        answers = (merged - merged_offsets(priors, shares, taus)).argmax(axis=1)
        rows, labels = truths["labels"]
        if "majority" not in truths:
            return (float((answers[rows] == labels).mean()),)
        clear, majority = truths["majority"]
        agreement = float((answers[clear] == majority).mean())
        recall = _mean_recall(answers[clear], majority)
        return min(agreement, AGREEMENT), min(recall, RECALL), _mean_recall(answers[rows], labels)

    candidates = (
        (goodness(shares, merged, taus), index, shares, taus)
        for index, (shares, merged) in enumerate((shares, merge(logits, shares)) for shares in mixes)
        for taus in (dict(zip(heads, values, strict=True)) for values in product(steps, repeat=len(heads)))
    )
    _, _, shares, taus = max(candidates, key=lambda candidate: candidate[:2])
    offsets = merged_offsets(priors, shares, taus)
    temperature = choose_temperature(merge(logits, shares) - offsets, truths)
    return Calibration(shares, taus, temperature, tuple(offsets.tolist()))


def _mean_recall(answers: NDArray[np.int64], truth: NDArray[np.int64]) -> float:
    count = np.bincount(truth, minlength=len(EXPRESSIONS))
    right = np.bincount(truth[answers == truth], minlength=len(EXPRESSIONS))
    return float((right[count > 0] / count[count > 0]).mean())


def choose_temperature(logits: Floats, truths: Truths) -> float:
    """Return the temperature that fits FER2013's labels, or the raters where there are votes.

    Where raters agree, more of them agree than is likely of any one of them: no temperature is right for their
    majority, which exists only there, and for all their votes. Of those whose confidence is right about the majority
    within TOLERANCE, or as nearly as can be, this is the one whose seven probabilities are nearest to the votes.
    """
    if not {"majority", "votes"} <= set(truths):
        rows, labels = truths["labels"]
        return fit_temperature(logits[rows], labels)
    (clear, majority), (seen, votes) = truths["majority"], truths["votes"]

    def errors(temperature: float) -> tuple[float, float]:
        probabilities = softmax(logits / temperature, axis=1)
        error = expected_calibration_error(probabilities[clear], majority)
        return max(error, TOLERANCE), classwise_calibration_error(probabilities[seen], votes)

    return float(min(np.geomspace(0.2, 5, 200), key=errors))


def fit_temperature(logits: Floats, truth: ArrayLike) -> float:
    """Return the temperature that makes the truth most likely under softmax(logits / temperature).

    Guo et al., 2017, arXiv:1706.04599. For votes, the truth is each vote.
    """
    shares = as_shares(truth)

    def loss(log_temperature: float) -> float:
        return float(-(shares * log_softmax(logits / np.exp(log_temperature), axis=1)).sum(axis=1).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded").x))


def fold(network: Any, chosen: Calibration) -> Any:
    """Build offsets and temperature into a keras.Model's last dense layer, which gives merged logits; return the model.

    Afterwards its logits are (logits - chosen.offsets) / chosen.temperature, at no cost.
    """
    dense = [layer for layer in network.layers if type(layer).__name__ == "Dense"][-1]
    kernel, bias = dense.get_weights()
    if kernel.shape[1] != len(EXPRESSIONS):
        raise ValueError(f"The last dense layer has {kernel.shape[1]} outputs, not {len(EXPRESSIONS)} logits.")
    bias = bias - np.asarray(chosen.offsets)
    dense.set_weights([kernel / chosen.temperature, bias / chosen.temperature])
    return network


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
