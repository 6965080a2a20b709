import numpy as np
import pytest

from entities import EXPRESSIONS
from errors import ProbabilityError
from expressions.adaptation import Adaptation, adapted_to_others
from tests.helpers.people import recorded

FEAR = EXPRESSIONS.index("Fear")


def test_it_helps_a_person_who_is_misread():
    """Of answers that it has not seen, more are right; leave-one-out says so beforehand."""
    shown, seen = recorded(seed=1, takes=2)
    later, met_later = recorded(seed=1, takes=6)
    before = (met_later.argmax(axis=1) == later).mean()
    after = (Adaptation.fit(seen, shown).apply(met_later).argmax(axis=1) == later).mean()
    assert after > before + 0.3
    told = (adapted_to_others(seen, shown).argmax(axis=1) == shown).mean()
    assert told > (seen.argmax(axis=1) == shown).mean()


def test_one_answer_hardly_moves_it():
    """It is shrunk towards changing nothing: a single surprising answer does not turn clear ones around."""
    clear = 0.9 * np.eye(7) + 0.1 / 7
    adaptation = Adaptation.fit(clear[[3] * 1 + list(range(7))], [4, *range(7)])
    assert np.all(adaptation.apply(clear).argmax(axis=1) == np.arange(7))


def test_answers_that_are_right_stay_right():
    """Where the network was right about everything asked, it stays so."""
    clear = 0.9 * np.eye(7) + 0.1 / 7
    assert np.all(Adaptation.fit(clear, np.arange(7)).apply(clear).argmax(axis=1) == np.arange(7))


def test_what_was_not_asked_for_gets_no_worse():
    """A skipped expression keeps its probability, and stays named where it was; so it does at the edge."""
    shown, seen = recorded(seed=2)
    asked = shown != FEAR
    adaptation = Adaptation.fit(seen[asked], shown[asked])
    assert not adaptation.asked[FEAR]
    chance = np.random.default_rng(0).dirichlet(np.full(7, 0.5), 500)
    adapted = adaptation.apply(chance)
    assert adapted[:, FEAR] == pytest.approx(chance[:, FEAR])
    assert adapted.sum(axis=1) == pytest.approx(1)
    afraid = chance.argmax(axis=1) == FEAR
    assert afraid.sum() > 20
    assert adapted[afraid] == pytest.approx(chance[afraid])


def test_without_answers_nothing_changes():
    """No answers, no adaptation, and nothing to leave out."""
    seen = recorded()[1]
    assert Adaptation.fit(np.empty((0, 7)), []).apply(seen) == pytest.approx(seen)
    assert adapted_to_others(np.empty((0, 7)), []).shape == (0, 7)


def test_only_probabilities_are_taken():
    """Other numbers raise an error."""
    with pytest.raises(ProbabilityError):
        Adaptation.fit([[1, 2, 3]], [0])
