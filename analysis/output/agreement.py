"""How far codes made by hand in ELAN agree with the intervals of the results: Cohen's kappa, face by face.

    python -m analysis.output.agreement coded.eaf study/anna --step 0.1

The folder is the recording's own one in the results. The tables go beside the coded file, as `coded-agreement.csv`.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, inf, isnan, nan
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, concat, crosstab, read_csv
from pympi.Elan import Eaf

from analysis.output.elan import CODING, coded_tiers
from analysis.output.interval_files import frame_table
from analysis.output.result_folder import INTERVAL_FILES
from entities import EXPRESSIONS
from errors import FacialExpressionError, StudyError
from files import write_whole
from parts import require

STEP: Final = 0.1
"""Seconds."""
NOTHING: Final = "nothing"
"""What a step shows in which no interval is."""
_LABELS: Final = [*EXPRESSIONS, NOTHING]
_TIER: Final = re.compile(rf"(?:Face |.*\()(\d+)\)? {CODING}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two agree on one face."""

    face: int
    kappa: float
    """Cohen's kappa, 1 at most; NaN where both saw one and the same thing all the time."""
    table: DataFrame
    """Steps, by what was coded by hand (rows) and what the results have (columns): EXPRESSIONS and NOTHING."""


def agreements(coded: Path, folder: Path, *, step: float = STEP) -> list[Agreement]:
    """Compare codes made by hand with the intervals in a recording's folder of results.

    Time is cut into steps, and what is in force in the middle of each is compared; of two intervals, the one that began
    last. Steps in which the face is not seen do not count, and neither do faces of which nothing is coded.

    Args:
        coded: An .eaf file, as `analysis.output.elan.write_eaf` makes it, with annotations in the tiers for coding.
        folder: Of the recording's results.
        step: Seconds.

    Raises:
        StudyError: A file cannot be read, nothing is coded, or something that the results do not know.
        MissingLibraryError: scikit-learn is not installed.

    """
    codes = read_codes(coded)
    frames, intervals = _results(folder)
    found = []
    for face, by_hand in codes.groupby("face"):
        seen = frames[frames["face"] == face].sort_values("time")
        if seen.empty:
            raise StudyError(f"{coded}: {folder} has no face {face}. Name the results of this very recording.")
        moments = _moments(seen, step)
        hand = _in_force(by_hand, moments)
        results = _in_force(intervals[intervals["face"] == face], moments)
        found.append(Agreement(int(face), _kappa(hand, results), _table(hand, results)))
    return found


def read_codes(path: Path) -> DataFrame:
    """Return what was coded by hand in an .eaf file: face, expression, onset and offset (seconds).

    Raises:
        StudyError: It cannot be read, or has no codes, others than EXPRESSIONS, or two tiers for one face.

    """
    try:
        document = Eaf(str(path), suppress_version_warning=True)
    except Exception as error:  # pympi raises whatever it stumbles over
        raise StudyError(f"{path} cannot be read as a file of ELAN: {error}.") from error
    tiers: dict[int, str] = {}
    rows = []
    for tier in coded_tiers(document):
        if not (known := _TIER.fullmatch(tier)):
            raise StudyError(f"{path}: whose tier is “{tier}”? Call it “Face 1 {CODING}”, with the number of its face.")
        face = int(known[1])
        if other := tiers.get(face):
            raise StudyError(f"{path}: “{other}” and “{tier}” both code face {face}. Delete one of them.")
        tiers[face] = tier
        rows += [(face, *row) for row in _codes(document, tier, path)]
    if not rows:
        raise StudyError(f"{path}: nothing is coded by hand: no tier of the type {CODING} has an annotation.")
    return DataFrame(rows, columns=["face", "expression", "onset", "offset"])


def _codes(document: Eaf, tier: str, path: Path) -> Iterator[tuple[str, float, float]]:
    """Yield what each annotation of a tier says, and from when to when, in seconds."""
    for begin, end, text, *_ in document.get_annotation_data_for_tier(tier):
        if (expression := text.strip()) not in EXPRESSIONS:
            values = ", ".join(EXPRESSIONS)
            raise StudyError(f"{path}: {tier}: “{expression}” at {begin / 1000:g} s is not one of {values}.")
        yield expression, begin / 1000, end / 1000


def _results(folder: Path) -> tuple[DataFrame, DataFrame]:
    """Return frames and intervals of a recording's folder."""
    try:
        return frame_table(folder), read_csv(folder / INTERVAL_FILES[0])
    except OSError as error:
        raise StudyError(
            f"{folder} has no results of one video ({error}). Name the recording's own folder, such as study/anna."
        ) from error


def _moments(frames: DataFrame, step: float) -> NDArray[np.float64]:
    """Return the middles of the steps in which one of these frames, in the order of time, is shown."""
    starts = frames["time"].to_numpy(np.float64)
    ends = starts + frames["duration"].to_numpy(np.float64)
    middles = (np.arange(ceil(ends[-1] / step)) + 0.5) * step
    latest = np.searchsorted(starts, middles, side="right") - 1
    return middles[(latest >= 0) & (middles < ends[latest])]


def _in_force(intervals: DataFrame, moments: NDArray[np.float64]) -> list[str]:
    """Return the expression at each moment."""
    shown = np.full(len(moments), NOTHING, dtype=object)
    for row in intervals.sort_values("onset").to_dict("records"):
        shown[(moments >= row["onset"]) & (moments < row["offset"])] = row["expression"]
    return list(shown)


def _kappa(hand: list[str], results: list[str]) -> float:
    with require():
        from sklearn.metrics import cohen_kappa_score
    return float(cohen_kappa_score(hand, results)) if len({*hand, *results}) > 1 else nan


def _table(hand: list[str], results: list[str]) -> DataFrame:
    counts = crosstab(np.array(hand, object), np.array(results, object))
    return counts.reindex(index=_LABELS, columns=_LABELS, fill_value=0).rename_axis(index="coded", columns="results")


def write_agreements(found: Sequence[Agreement], step: float, path: Path) -> None:
    """Write a CSV file with a row a face and what was coded: face, kappa, step (s), coded, and steps by the results.

    Raises:
        ResultsError: It cannot be written.

    """
    tables = [one.table.reset_index().assign(face=one.face, kappa=one.kappa, step=step) for one in found]
    table = concat(tables)[["face", "kappa", "step", "coded", *_LABELS]]
    write_whole(path, lambda partial: table.to_csv(partial, index=False))


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print and write; return the exit status: 1 where it cannot be done."""
    parser = argparse.ArgumentParser(
        prog="python -m analysis.output.agreement",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("coded", type=Path, help="the file of ELAN that was coded by hand")
    parser.add_argument("folder", type=Path, help="the recording's own folder of results")
    parser.add_argument("--step", type=float, default=STEP, metavar="N", help="seconds; default: %(default)s")
    given = parser.parse_args(arguments)
    if not 0 < given.step < inf:
        parser.error("--step must be a number of seconds above 0")
    try:
        found = agreements(given.coded, given.folder, step=given.step)
        path = given.coded.with_name(f"{given.coded.stem}-agreement.csv")
        write_agreements(found, given.step, path)
    except FacialExpressionError as error:
        print(error, file=sys.stderr)
        return 1
    for one in found:
        kappa = "not defined, as both have the same in all steps" if isnan(one.kappa) else f"{one.kappa:.3f}"
        print(f"Face {one.face}: Cohen's kappa {kappa}; {one.table.to_numpy().sum()} steps of {given.step:g} s")
        print(one.table.to_string(), end="\n\n")
    print(f"Rows: by hand; columns: the results. The same as a table: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
