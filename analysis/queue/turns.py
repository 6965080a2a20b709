"""Whose turn it is: visitors take turns, and so do networks, whose visitors may all be the same person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job that waits for its turn."""

    number: int
    """Rises from job to job."""
    parties: tuple[str, ...]
    """Whose it is, the widest first: a network, and a visitor in it."""


def turn_order(waiting: Sequence[Waiting], turns: Mapping[str, float]) -> list[int]:
    """Return the numbers of jobs in the order in which they get their turns.

    The next is always of the network that has had no turn for the longest time; in it, of the visitor who has had none
    for the longest time; and of theirs, the oldest.

    Args:
        waiting: The jobs, in any order.
        turns: When each party had its last turn, by any clock; who had none is not in it.

    """
    last = dict(turns)
    now = max(last.values(), default=0.0)
    left = sorted(waiting, key=lambda job: job.number)
    order = []
    while left:
        chosen = min(left, key=lambda job: [last.get(party, float("-inf")) for party in job.parties])
        left.remove(chosen)
        order.append(chosen.number)
        now += 1
        last.update(dict.fromkeys(chosen.parties, now))
    return order
