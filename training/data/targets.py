"""What a network is to answer for each face: FER2013's label, FER+'s votes, and what other networks say of it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from entities import EXPRESSIONS
from training.data.fer2013 import FER2013, vote_shares

SMOOTHING: Final = 0.1
"""How much of a label is spread over all expressions (label smoothing, Szegedy et al., 2016, arXiv:1512.00567)."""

Floats = NDArray[np.float32]


def make_targets(rows: FER2013) -> dict[str, Floats]:
    """Return (n, 7) distributions over EXPRESSIONS by head: "labels" and, where the rows have votes, "votes"."""
    classes = len(EXPRESSIONS)
    targets: dict[str, NDArray[Any]] = {"labels": np.eye(classes)[rows.labels] * (1 - SMOOTHING) + SMOOTHING / classes}
    if rows.votes is not None:
        targets["votes"] = vote_shares(rows.votes)
    return {head: shares.astype(np.float32) for head, shares in targets.items()}


def distil(targets: Mapping[str, Floats], answers: Sequence[Mapping[str, Floats]], trust: float) -> dict[str, Floats]:
    """Return targets in which the mean of the teachers' answers counts `trust` (0-1), and the rest is as it was.

    What several networks learned from many similar faces makes a single wrong label count for less (distillation,
    Hinton et al., 2015, arXiv:1503.02531; Furlanello et al., 2018, arXiv:1805.04770).
    """
    mixed = {
        head: (1 - trust) * shares + trust * np.mean([answer[head] for answer in answers], axis=0)
        for head, shares in targets.items()
    }
    return {head: shares.astype(np.float32) for head, shares in mixed.items()}
