import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from entities import EXPRESSIONS
from errors import FacialExpressionError, ProbabilityError, RestError
from expressions.resting import RestingFace
from tests.helpers.people import NEUTRAL, recorded
from training.metrics.people import compared_with_rest, read_rows, score

HAPPY, SAD, SURPRISE = (EXPRESSIONS.index(name) for name in ("Happy", "Sad", "Surprise"))
ROWS = arrays(np.float64, (4, 7), elements=st.floats(0, 1)).map(
    lambda rows: (rows + 1e-12) / (rows + 1e-12).sum(1)[:, None]
)


def row(**shares):
    """Return seven probabilities with these shares; what is left goes evenly to the others."""
    values = np.full(7, (1 - sum(shares.values())) / (7 - len(shares)))
    for name, share in shares.items():
        values[EXPRESSIONS.index(name)] = share
    return values


@given(rest=ROWS, seen=ROWS)
def test_whatever_is_seen_the_result_is_probabilities(rest, seen):
    """Rows stay rows of seven numbers between 0 and 1 that sum to 1, zeros included."""
    corrected = RestingFace.of(rest).correct(seen)
    assert corrected.shape == seen.shape
    assert np.all((corrected >= 0) & (corrected <= 1))
    assert corrected.sum(axis=1) == pytest.approx(1)


def test_a_single_row_is_corrected_as_one_of_many():
    """(7,) in, (7,) out, with the same numbers."""
    rest, (one, other) = RestingFace.of(row(Sad=0.5)), (row(Happy=0.6), row(Neutral=0.4))
    assert rest.correct(one) == pytest.approx(rest.correct([one, other])[0])


def test_a_face_that_looks_sad_at_rest_is_neutral():
    """What the rest shows itself is no expression, however sure the network is."""
    rest = RestingFace.of([row(Sad=0.9), row(Sad=0.94)])
    assert rest.correct(row(Sad=0.92)).argmax() == NEUTRAL


def test_faint_expressions_are_found():
    """Of what a network calls Neutral or Sad, most is told apart once it is compared with the rest."""
    shown, seen = recorded()
    rest = RestingFace.of(seen[shown == NEUTRAL][:1])
    others = shown != NEUTRAL
    assert (seen.argmax(axis=1) == shown)[others].mean() < 0.4
    corrected = rest.correct(seen).argmax(axis=1)
    assert (corrected == shown)[others].mean() > 0.8
    assert np.all(corrected[~others] == NEUTRAL)


@pytest.mark.parametrize("name", [name for name in EXPRESSIONS if name != "Neutral"])
def test_confident_answers_stay(name):
    """A broad smile, whose other probabilities mean nothing, stays one, as does every expression like it."""
    rest = RestingFace.of(np.array([1e-5, 1e-5, 1e-5, 5e-3, 2e-3, 1e-6, 0.99]))
    seen = row(**{name: 0.96})
    assert rest.correct(seen) == pytest.approx(seen)


def test_a_still_face_is_surely_neutral():
    """What looks as at rest is called Neutral with about the confidence that it had, so that labels change soon."""
    rest = RestingFace.of(row(Neutral=0.97))
    assert rest.correct(row(Neutral=0.97))[NEUTRAL] > 0.9


def test_between_kept_and_compared_there_is_no_step():
    """As a smile grows, the probability of Happy rises without a jump."""
    rest = RestingFace.of(row(Neutral=0.9))
    share = np.linspace(0.02, 0.97, 2000)
    smiles = np.array([row(Happy=happy, Neutral=(1 - happy) * 0.95) for happy in share])
    assert np.abs(np.diff(rest.correct(smiles)[:, HAPPY])).max() < 0.02


def test_order_and_number_of_pictures_do_not_matter():
    """The rest is the geometric mean: repeating or turning around what was seen changes nothing."""
    rows = recorded()[1][:5]
    assert RestingFace.of(rows).probabilities == pytest.approx(
        RestingFace.of(np.tile(rows[::-1], (3, 1))).probabilities
    )


def test_it_is_saved_and_loaded():
    """Seven numbers by name bring back the same corrections."""
    rest = RestingFace.of(recorded()[1][:5])
    assert list(rest.record()) == list(EXPRESSIONS)
    again = RestingFace.from_record(rest.record())
    seen = recorded(1)[1]
    assert again.correct(seen) == pytest.approx(rest.correct(seen), abs=1e-4)


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ([], RestError),
        ([[0.5, 0.5]], ProbabilityError),
        ([[float("nan")] * 7], ProbabilityError),
        ([[2, -1, 0, 0, 0, 0, 0]], ProbabilityError),
        ([[0.9] * 7], ProbabilityError),
        (["abc"], ProbabilityError),
    ],
)
def test_what_is_no_rest_is_refused(rows, error):
    """Nothing, rows of another length, and numbers that are no probabilities raise an error that says so."""
    with pytest.raises(error):
        RestingFace.of(rows)


@pytest.mark.parametrize(
    "record",
    [None, [], "rest", {"Happy": 1}, dict.fromkeys(EXPRESSIONS, "x"), dict.fromkeys(EXPRESSIONS, 0.5)],
)
def test_a_file_that_is_no_rest_is_refused(record):
    """A record has each of the seven, and they are probabilities."""
    with pytest.raises(FacialExpressionError):
        RestingFace.from_record(record)


@pytest.mark.parametrize(("network", "least", "single"), [("shipped", 0.68, 0.65), ("fer2013", 0.62, 0.6)])
def test_the_figures_on_people_whom_nobody_was_fitted_to(shared, network, least, single):
    """On recorded answers of ten people, each judged with the person's other pictures, it brings what the docs say."""
    answers = read_rows(shared / "resting_face" / "posed.csv")[network]
    compared, seen = compared_with_rest(answers)
    figures = score(compared, seen)
    assert figures.neutral is not None
    assert figures.renamed is not None
    assert figures.accuracy >= least
    assert figures.neutral >= 0.98
    assert figures.renamed <= 0.015
    assert score(*compared_with_rest(answers, 1)).accuracy >= single
    assert figures.calibration_error < score(seen, seen).calibration_error
