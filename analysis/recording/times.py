"""Times in a recording as people write and read them, everywhere: command line, lists of markers, API and page.

A time is seconds (`90`, `12.5`), minutes:seconds (`1:30`) or hours:minutes:seconds (`01:30:00.250`). Only seconds have
a fraction, after a point or a comma. What follows a colon is below 60; what comes first may have up to six digits.
A span is two times with a hyphen or a dash between them: `0:03-0:06`. Spaces around a time do not count.

What is shown is a place in a recording (`1:30`, `1:30.5`) or a length (`5.0 s`, `1:30 min`).
static/js/page/clock.js reads and writes the same; tests/data/times.json has cases for both.
"""

import re
from functools import reduce
from math import floor
from typing import Final

TIME: Final = r"[0-9]{1,6}(?::[0-5]?[0-9]){0,2}(?:[.,][0-9]+)?"
_TIME_OF_DAY: Final = r"(?i)[0-9:. ]+[ap]\.?m\.?"
_SHORT: Final = 10.0
"""Seconds below which an axis has tenths."""
HOW_TIME: Final = "Write seconds (90), minutes and seconds (1:30), or hours as well (0:01:30)"


def parse_time(text: str) -> float:
    """Return a time in seconds.

    Raises:
        ValueError: It is none.

    """
    if not re.fullmatch(TIME, text.strip()):
        spreadsheet = " A spreadsheet made a time of day of it: format its column as text first."
        why = spreadsheet if re.fullmatch(_TIME_OF_DAY, text.strip()) else ""
        raise ValueError(f"“{text[:40]}” is not a valid time.{why} {HOW_TIME}.")
    return reduce(lambda sum_, part: 60 * sum_ + float(part), text.replace(",", ".").split(":"), 0.0)


def parse_span(text: str) -> tuple[float, float]:
    """Return from when to when a span is, in seconds.

    Raises:
        ValueError: It is none.

    """
    begin, _, end = text.replace("–", "-").partition("-")
    return parse_time(begin), parse_time(end)


def clock(seconds: float, digits: int = 0) -> str:
    """Return a place in a recording: "1:05" or "1:00:05", seconds that have begun; "1:05.3" with a digit after them."""
    whole = floor(seconds * 10**digits + 1e-6) / 10**digits
    hours, minutes = int(whole // 3600), int(whole // 60) % 60
    rest = f"{whole % 60:0{digits + 3 if digits else 2}.{digits}f}"
    return f"{hours}:{minutes:02}:{rest}" if hours else f"{minutes}:{rest}"


def length(seconds: float) -> str:
    """Return how long something lasts: "5.0 s", "1:05 min", "1:00:05 h"."""
    tenths, whole = round(10 * seconds) / 10, round(seconds)
    if tenths < 60:
        return f"{tenths:.1f} s"
    return f"{clock(whole)} {'min' if whole < 3600 else 'h'}"


def axis_time(seconds: float, span: float) -> str:
    """Return a time on an axis that is `span` seconds long."""
    return clock(seconds, 1 if span < _SHORT else 0)
