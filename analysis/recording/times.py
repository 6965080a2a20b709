"""Times in a recording as people write them."""

import re
from collections.abc import Sequence
from typing import Final

TIME: Final = r"(?:(\d+):)?(?:(\d{1,3}):)?(\d{1,5}(?:\.\d+)?)"
"""Matches seconds, minutes:seconds or hours:minutes:seconds, in three groups."""
HOW_TIME: Final = "Write seconds (90), minutes and seconds (1:30), or hours as well (0:01:30)"


def parse_time(text: str) -> float:
    """Return in seconds what is written as seconds, minutes:seconds or hours:minutes:seconds.

    Raises:
        ValueError: It is none of these.

    """
    match = re.fullmatch(TIME, text.strip())
    if not match:
        raise ValueError(f"A time cannot be {text[:40]!r}. {HOW_TIME}.")
    return seconds_in(match.groups())


def seconds_in(parts: Sequence[str | None]) -> float:
    """Return the three groups of TIME in seconds; with two numbers the first is minutes."""
    first, second, seconds = parts
    if second is None:
        return 60 * float(first or 0) + float(seconds or 0)
    return 3600 * float(first or 0) + 60 * float(second) + float(seconds or 0)
