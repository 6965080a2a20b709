"""Whose turn it is: visitors take turns, and so do networks, whose visitors may all be the same person."""

from collections.abc import Mapping, Sequence


def turn_order(waiting: Mapping[int, Sequence[str]], turns: Mapping[str, float]) -> list[int]:
    """Return the numbers of jobs in the order in which they get their turns.

    The next is always of the network that has had no turn for the longest time; in it, of the visitor who has had none
    for the longest time; and of theirs, the oldest.

    Args:
        waiting: Whose each job is, the widest first: a network, and a visitor in it. Numbers rise from job to job.
        turns: When each party had its last turn, by any clock; who had none is not in it.

    """
    last = dict(turns)
    now = max(last.values(), default=0.0)
    left = sorted(waiting)
    order = []
    while left:
        chosen = min(left, key=lambda number: [last.get(party, float("-inf")) for party in waiting[number]])
        left.remove(chosen)
        order.append(chosen)
        now += 1
        last.update(dict.fromkeys(waiting[chosen], now))
    return order
