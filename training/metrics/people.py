"""How often a network is right about people who showed each expression: as seen, compared with rest, and adapted.

Nothing is ever judged with the help of itself: a rest is made of a person's other Neutral answers, and an adaptation of
all the person's other answers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest
from scipy.stats import t as student

from entities import EXPRESSIONS
from errors import DatasetError
from expressions.adaptation import adapted_to_others
from expressions.probabilities import softmax
from expressions.resting import RestingFace
from training.metrics.calibration import Floats, expected_calibration_error

NEUTRAL: Final = EXPRESSIONS.index("Neutral")
SURE: Final = 0.9
"""An expression other than Neutral that is named with this confidence should keep its name."""
WAYS: Final = {
    "as_seen": "as seen",
    "compared": "compared with rest",
    "adapted": "adapted to the person",
}
_ROWS_COLUMNS: Final = ("network", "person", "posed", *EXPRESSIONS)


@dataclass(frozen=True, slots=True)
class Answers:
    """What a network said of people who showed known expressions; all arrays have the same length n."""

    people: NDArray[np.str_]
    """(n,) who it was."""
    shown: NDArray[np.int64]
    """(n,) what was shown, as indices into EXPRESSIONS."""
    probabilities: Floats
    """(n, 7) float64, 0-1."""

    def of(self, person: str) -> "Answers":
        """Return one person's answers."""
        mask = self.people == person
        return Answers(self.people[mask], self.shown[mask], self.probabilities[mask])

    def names(self) -> list[str]:
        """Return the people, each once, in order."""
        return list(dict.fromkeys(self.people.tolist()))


@dataclass(frozen=True, slots=True)
class PeopleScores:
    """How answers fare; shares are 0-1."""

    rows: int
    accuracy: float
    neutral: float | None
    """Which share of the Neutral faces is called so; None where there are none."""
    renamed: float | None
    """Which share of what was named other than Neutral with a confidence of SURE, as seen, has another name now."""
    calibration_error: float
    """Of the confidence, 15 bins."""


def read_rows(path: Path) -> dict[str, Answers]:
    """Return the answers of each network in a CSV file of natural logarithms of probabilities.

    Its columns are network, person, posed (one of EXPRESSIONS) and EXPRESSIONS.

    Raises:
        DatasetError: It is missing, or has other columns or values.

    """
    try:
        table = pd.read_csv(path, dtype={"network": str, "person": str, "posed": str})
    except FileNotFoundError:
        raise DatasetError(f"There is no file {path}.") from None
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read as CSV: {error}.") from error
    missing = [name for name in _ROWS_COLUMNS if name not in table]
    if missing:
        raise DatasetError(f"{path}: the columns {', '.join(missing)} are missing; it has {', '.join(table.columns)}.")
    unknown = sorted(set(table["posed"].astype(str)) - set(EXPRESSIONS))
    if unknown:
        raise DatasetError(f"{path}: posed is {', '.join(unknown)}, which is none of {', '.join(EXPRESSIONS)}.")
    try:
        logarithms = table[list(EXPRESSIONS)].to_numpy(np.float64)
    except ValueError as error:
        raise DatasetError(f"{path}: the logarithms of probabilities must be numbers ({error}).") from error
    shown = np.array([EXPRESSIONS.index(name) for name in table["posed"]], np.int64)
    return {
        str(network): Answers(table["person"].to_numpy(np.str_)[rows], shown[rows], softmax(logarithms[rows]))
        for network, rows in table.groupby("network", sort=False).indices.items()
    }


def compared_with_rest(answers: Answers, most: int | None = None) -> tuple[Answers, Answers]:
    """Return the answers compared with the person's other Neutral ones, and beside them the same as seen.

    An answer without another Neutral one of the same person stays as it is.

    Args:
        answers: Of any number of people.
        most: How many Neutral answers make a rest; then each choice of as many counts as an answer. All if not given.

    """
    rows, corrected = [], []
    for row, rest in _rests(answers, most):
        seen = answers.probabilities[row]
        rows.append(row)
        corrected.append(RestingFace.of(answers.probabilities[rest]).correct(seen) if rest else seen)
    seen = Answers(answers.people[rows], answers.shown[rows], answers.probabilities[rows])
    return Answers(seen.people, seen.shown, np.reshape(corrected, (-1, len(EXPRESSIONS)))), seen


def adapted(answers: Answers) -> Answers:
    """Return each answer adapted to all the other answers of the same person."""
    probabilities = np.empty_like(answers.probabilities)
    for person in answers.names():
        own = answers.of(person)
        probabilities[answers.people == person] = adapted_to_others(own.probabilities, own.shown)
    return Answers(answers.people, answers.shown, probabilities)


def all_ways(answers: Answers) -> dict[str, Answers]:
    """Return the answers in each of WAYS."""
    return {"as_seen": answers, "compared": compared_with_rest(answers)[0], "adapted": adapted(answers)}


def score(answers: Answers, seen: Answers) -> PeopleScores:
    """Compare answers (n > 0) with what was shown; `seen` are the same ones before they were corrected."""
    named, before = answers.probabilities.argmax(axis=1), seen.probabilities.argmax(axis=1)
    right = named == answers.shown
    neutral = answers.shown == NEUTRAL
    sure = (before != NEUTRAL) & (seen.probabilities.max(axis=1) >= SURE)
    return PeopleScores(
        rows=len(right),
        accuracy=float(right.mean()),
        neutral=float(right[neutral].mean()) if neutral.any() else None,
        renamed=float((named != before)[sure].mean()) if sure.any() else None,
        calibration_error=float(expected_calibration_error(answers.probabilities, answers.shown)),
    )


def score_rows(answers: Answers) -> dict[str, dict[str, Any]]:
    """Return the figures of recorded answers: each of WAYS, and compared with a single picture of the rest."""
    ways = all_ways(answers)
    single, seen = compared_with_rest(answers, 1)
    figures = {way: asdict(score(found, answers)) for way, found in ways.items()}
    return {**figures, "compared_one_picture": asdict(score(single, seen))}


def score_people(answers: Answers, groups: dict[str, str]) -> dict[str, Any]:
    """Return the accuracy in each of WAYS: overall, by expression, by person and by group.

    Intervals are of 95 %. A person's is Wilson's (1927) for as many answers. That over people, of all and of a group,
    is Student's (1908) for the mean of the people's accuracies, since the answers of one person are alike; or Wilson's,
    where that is wider.

    Args:
        answers: n > 0.
        groups: The group of some or all people.

    """
    ways = all_ways(answers)
    right = {way: found.probabilities.argmax(axis=1) == answers.shown for way, found in ways.items()}
    by_group = {
        group: [person for person in answers.names() if groups.get(person) == group]
        for group in dict.fromkeys(groups[person] for person in answers.names() if person in groups)
    }
    return {
        "all": {way: _over_people(answers, right[way], answers.names()) for way in WAYS},
        "scores": {way: asdict(score(found, answers)) for way, found in ways.items()},
        "expressions": {
            name: {"rows": int(mask.sum()), **{way: float(right[way][mask].mean()) for way in WAYS}}
            for name, mask in ((name, answers.shown == index) for index, name in enumerate(EXPRESSIONS))
            if mask.any()
        },
        "people": {
            person: {way: _of_person(right[way][answers.people == person]) for way in WAYS}
            for person in answers.names()
        },
        "groups": {
            group: {way: _over_people(answers, right[way], members) for way in WAYS}
            for group, members in by_group.items()
        },
        "confusion": {
            way: [
                np.bincount(found.probabilities[answers.shown == index].argmax(axis=1), minlength=7).tolist()
                for index in range(len(EXPRESSIONS))
            ]
            for way, found in ways.items()
        },
    }


def _rests(answers: Answers, most: int | None) -> Iterator[tuple[int, list[int]]]:
    """Yield each row with the rows that make its rest; for each choice of them where not all are taken."""
    for row, person in enumerate(answers.people):
        others = np.flatnonzero((answers.people == person) & (answers.shown == NEUTRAL))
        others = others[others != row]
        size = len(others) if most is None else min(most, len(others))
        for rest in combinations(others.tolist(), size):
            yield row, list(rest)


def _of_person(right: NDArray[np.bool_]) -> dict[str, Any]:
    return {
        "right": int(right.sum()),
        "rows": len(right),
        "accuracy": float(right.mean()),
        "interval": _wilson(right),
    }


def _over_people(answers: Answers, right: NDArray[np.bool_], people: Sequence[str]) -> dict[str, Any]:
    """Return the mean of the people's accuracies, so that each counts the same however many answers there are."""
    own = np.array([right[answers.people == person].mean() for person in people])
    low, high = _wilson(right[np.isin(answers.people, people)])
    if len(own) > 1:
        reach = float(student.ppf(0.975, len(own) - 1) * own.std(ddof=1) / np.sqrt(len(own)))
        low, high = min(low, max(0.0, own.mean() - reach)), max(high, min(1.0, own.mean() + reach))
    return {"people": len(own), "accuracy": float(own.mean()), "interval": [float(low), float(high)]}


def _wilson(right: NDArray[np.bool_]) -> list[float]:
    interval = binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
    return [float(interval.low), float(interval.high)]
