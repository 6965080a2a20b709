"""Whose turn it is."""

from hypothesis import given
from hypothesis import strategies as st

from analysis.queue.turns import turn_order

JOBS = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("123")), max_size=12)


def waiting(*parties: str) -> dict[int, tuple[str, str]]:
    """Return jobs by their numbers; "a1" is of network a and its visitor 1."""
    return {number: (letters[0], letters) for number, letters in enumerate(parties)}


def test_visitors_of_a_network_take_turns_with_those_of_another() -> None:
    """Three visitors of one network have, together, as many turns as the one of another."""
    assert turn_order(waiting("a1", "a1", "a2", "a3", "b1", "b1"), {}) == [0, 4, 2, 5, 3, 1]


def test_who_just_had_a_turn_comes_last() -> None:
    """Whoever's video is the oldest."""
    assert turn_order(waiting("a1", "b1"), {"a": 5.0, "a1": 5.0}) == [1, 0]
    assert turn_order(waiting("a1", "b1"), {"a": 5.0, "a1": 5.0, "b": 4.0, "b1": 4.0}) == [1, 0]


@given(JOBS)
def test_everybody_gets_a_turn(parties: list[tuple[str, str]]) -> None:
    """Each job once; each visitor's in their order; and no network twice before another that waits."""
    jobs = waiting(*(network + visitor for network, visitor in parties))
    order = turn_order(jobs, {})
    assert sorted(order) == list(jobs)
    for job in jobs.values():
        own = [number for number in order if jobs[number] == job]
        assert own == sorted(own)
    for place in range(len(order) - 1):
        network = jobs[order[place]][0]
        others_wait = any(jobs[number][0] != network for number in order[place + 1 :])
        assert jobs[order[place + 1]][0] != network or not others_wait
