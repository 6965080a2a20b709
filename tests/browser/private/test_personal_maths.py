"""What the browser computes of a person's answers is what Python computes of the same ones."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page

from expressions.adaptation import Adaptation, adapted_to_others
from expressions.resting import RestingFace
from tests.helpers.people import NEUTRAL, recorded
from training.metrics.people import read_rows

Recording = tuple[NDArray[np.int64], NDArray[np.float64]]

MATHS = """async ([shown, rows, neutral, asked]) => {
  const scripts = document.querySelector("script[src*='/js/']").src;
  const { RestingFace } = await import(new URL("../faces/resting-face.js", scripts));
  const { Adaptation, adaptedToOthers } = await import(new URL("../faces/adaptation.js", scripts));
  const rest = RestingFace.of(rows.filter((_, n) => shown[n] === neutral));
  const some = shown.map((_, n) => n).filter((n) => asked.includes(shown[n]));
  const adaptation = Adaptation.fit(some.map((n) => rows[n]), some.map((n) => shown[n]));
  const again = Adaptation.fromRecord(JSON.parse(JSON.stringify(adaptation.record())));
  return {
    rest: rest.probabilities,
    corrected: rows.map((row) => rest.correct(row)),
    corrected_from_file: rows.map((row) => RestingFace.fromRecord(rest.record()).correct(row)),
    adapted: rows.map((row) => adaptation.apply(row)),
    adapted_from_file: rows.map((row) => again.apply(row)),
    adapted_to_others: adaptedToOthers(rows, shown),
  };
}"""


@pytest.fixture(params=["made up", "recorded"])
def answers(request: pytest.FixtureRequest) -> Recording:
    """Return what one person showed, and what a network saw."""
    if request.param == "made up":
        return recorded(takes=2)
    rows = read_rows(request.getfixturevalue("shared") / "resting_face" / "posed.csv")["shipped"].of("3")
    return rows.shown, np.asarray(rows.probabilities, np.float64)


@pytest.mark.parametrize("asked", [list(range(7)), [0, 3, 4, 6]], ids=["all asked", "some skipped"])
def test_rest_and_adaptation(
    new_page: Callable[..., Page], live_app: str, answers: Recording, asked: list[int]
) -> None:
    """Corrected by rest, adapted, saved and loaded: the same numbers, to six places."""
    shown, rows = answers
    page = new_page()
    page.goto(f"{live_app}about")
    found: dict[str, Any] = page.evaluate(MATHS, [shown.tolist(), rows.tolist(), NEUTRAL, asked])
    rest = RestingFace.of(rows[shown == NEUTRAL])
    some = np.isin(shown, asked)
    adapted = Adaptation.fit(rows[some], shown[some]).apply(rows)
    assert found["rest"] == pytest.approx(rest.probabilities, abs=1e-9)
    assert np.array(found["corrected"]) == pytest.approx(rest.correct(rows), abs=1e-6)
    assert np.array(found["corrected_from_file"]) == pytest.approx(rest.correct(rows), abs=1e-3)
    assert np.array(found["adapted"]) == pytest.approx(adapted, abs=1e-6)
    assert np.array(found["adapted_from_file"]) == pytest.approx(adapted, abs=1e-4)
    assert np.array(found["adapted_to_others"]) == pytest.approx(adapted_to_others(rows, shown), abs=1e-6)
