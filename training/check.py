"""Says what is in a dataset, and what is wrong with it, before anything is trained: `python -m training.check DATA`."""

import argparse
import sys
from typing import Any

import numpy as np
import pandas as pd

from entities import EXPRESSIONS
from errors import DatasetError
from training.data.fer2013 import FER2013, USAGES, has_face, load

FEW = 50
"""Fewer training faces of an expression than this hardly teach it."""


def describe(rows: FER2013) -> pd.DataFrame:
    """Return how many rows of each expression each split has: (7, splits) integers."""
    splits = [usage for usage in USAGES if (rows.usage == usage).any()]
    counts: dict[str, Any] = {
        usage: np.bincount(rows.labels[rows.usage == usage], minlength=len(EXPRESSIONS)) for usage in splits
    }
    return pd.DataFrame(counts, index=list(EXPRESSIONS))


def warnings(rows: FER2013) -> list[str]:
    """Return what does not keep a training from running, but from going well, in words.

    Raises:
        DatasetError: No rows are there, or left, to train on, or none to choose on.

    """
    training, _ = rows.split("Training"), rows.split("PublicTest")
    count = np.bincount(training.labels, minlength=len(EXPRESSIONS))
    found = [
        f"{EXPRESSIONS[label]} has {count[label]} Training rows: it will hardly be learned."
        for label in np.flatnonzero(count < FEW)
    ]
    flat = int((rows.images.reshape(len(rows), -1).std(axis=1) == 0).sum())
    if flat:
        found.append(f"{flat} pictures are of one grey level: they show no face.")
    if rows.votes is None:
        found.append("No FER+ votes are given: the network will learn FER2013's labels alone, with their noise.")
    elif faceless := int((~has_face(rows.votes)).sum()):
        found.append(f"In {faceless} pictures FER+'s raters saw no face; those of the Training rows are left out.")
    used = len(rows.training())
    if not used:
        raise DatasetError(
            "Every Training picture is also in another split, or shows no face: none is left to learn from."
        )
    found.append(f"{used:,} of {len(training):,} Training rows are used.")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Check a dataset; return the exit status: 1 where it cannot be trained on."""
    parser = argparse.ArgumentParser(prog="python -m training.check", description=__doc__)
    parser.add_argument("data", help="fer2013.csv, icml_face_data.csv, or a folder: train/angry/*.jpg, ...")
    parser.add_argument("--votes", help="FER+'s fer2013new.csv for the same rows")
    given = parser.parse_args(arguments)
    try:
        rows = load(given.data, given.votes)
        notes = warnings(rows)
    except DatasetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(describe(rows).to_string(), *notes, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
