"""A network's probabilities against every kind of truth that FER2013's rows have."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from training.data.fer2013 import FER2013, has_face, majority, vote_shares
from training.metrics import report
from training.metrics.calibration import Floats, Truths, reliability
from training.metrics.conditions import score_conditions

TITLES: Final = {"labels": "FER2013's labels", "majority": "FER+'s majority", "votes": "FER+'s votes"}


def truths(rows: FER2013) -> Truths:
    """Return each kind of truth there is: a mask of the rows that have it, and their labels or shares of votes.

    FER+'s majority is there where more than half of all votes go to one of EXPRESSIONS; its votes are there
    where raters saw a face with one of EXPRESSIONS.
    """
    found: dict[str, tuple[NDArray[np.bool_], NDArray[Any]]] = {"labels": (np.ones(len(rows), np.bool_), rows.labels)}
    if rows.votes is not None:
        labels, seen = majority(rows.votes), has_face(rows.votes)
        found |= {"majority": (labels >= 0, labels[labels >= 0]), "votes": (seen, vote_shares(rows.votes[seen]))}
    return {kind: (mask, truth) for kind, (mask, truth) in found.items() if mask.any()}


def compare(probabilities: NDArray[np.float32], rows: FER2013) -> dict[str, Any]:
    """Return the figures by kind of truth.

    Against the majority also how often FER2013's labels name the same expression, and the accuracy where they do and
    where they do not (None where there are no such rows).
    """
    known = truths(rows)
    figures = {
        kind: asdict((report.score_votes if kind == "votes" else report.score)(probabilities[mask], truth))
        for kind, (mask, truth) in known.items()
    }
    if "majority" in known:
        mask, truth = known["majority"]
        agreed = rows.labels[mask] == truth
        right = probabilities[mask].argmax(axis=1) == truth
        figures["majority"] |= {
            "labels_agree": float(agreed.mean()),
            "accuracy_agreed": float(right[agreed].mean()) if agreed.any() else None,
            "accuracy_disputed": float(right[~agreed].mean()) if not agreed.all() else None,
        }
    return figures


def compare_conditions(predict: Callable[[NDArray[np.uint8]], Floats], rows: FER2013) -> dict[str, Any]:
    """Return the accuracy and the balanced accuracy by condition, `against` FER+'s majority, or else FER2013's labels.

    Args:
        predict: Returns (n, 7) probabilities for (n, 48, 48) grey faces.
        rows: At least one.

    """
    known = truths(rows)
    kind = "majority" if "majority" in known else "labels"
    mask, truth = known[kind]
    scores = score_conditions(predict, rows.images[mask], truth)
    return {
        "against": kind,
        "scores": {
            name: {"accuracy": found.accuracy, "balanced_accuracy": found.balanced_accuracy}
            for name, found in scores.items()
        },
    }


def plots(
    probabilities: NDArray[np.float32], rows: FER2013, conditions: dict[str, Any] | None = None
) -> dict[str, Figure]:
    """Return the plots by name: reliability, for each kind of label confusions and worst mistakes, and conditions.

    The last are what `compare_conditions` returned, and are drawn where given.
    """
    curves, figures = {}, {}
    for kind, (mask, truth) in truths(rows).items():
        curves[TITLES[kind]] = reliability(probabilities[mask], truth)
        if kind != "votes":
            scores = report.score(probabilities[mask], truth)
            figures[f"confusion_{kind}"] = report.plot_confusion(scores, f"Against {TITLES[kind]}")
            figures[f"mistakes_{kind}"] = report.plot_mistakes(rows.images[mask], probabilities[mask], truth)
    if conditions:
        title = f"In worse pictures, against {TITLES[conditions['against']]}"
        figures["conditions"] = report.plot_conditions(conditions["scores"], title)
    return figures | {"reliability": report.plot_reliability(curves, "How sure, and how often right")}


def save_plots(figures: Mapping[str, Figure], folder: Path, split: str) -> None:
    """Write plots into a folder, all but those that show faces of FER2013, which may not be passed on."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        if not name.startswith("mistakes"):
            figure.savefig(folder / f"{split}-{name}.png")
