"""Times as people write them are read alike everywhere."""

import json
from pathlib import Path

import pytest

from analysis.recording.times import HOW_TIME, parse_span, parse_time

CASES = json.loads((Path(__file__).parent.parent / "data" / "times.json").read_text("utf-8"))
"""Texts, and the seconds that they mean; null for what is refused. tests/browser/test_times.py has the same."""


@pytest.mark.parametrize(("text", "seconds"), CASES["times"])
def test_a_time(text: str, seconds: float | None):
    """Seconds, minutes and hours, with point or comma; all else is refused with words on what to write."""
    if seconds is None:
        with pytest.raises(ValueError, match="is not a valid time") as refused:
            parse_time(text)
        assert HOW_TIME in str(refused.value)
    else:
        assert parse_time(text) == seconds


@pytest.mark.parametrize(("text", "span"), CASES["spans"])
def test_a_span(text: str, span: list[float] | None):
    """Two times, with a hyphen or a dash between them."""
    if span is None:
        with pytest.raises(ValueError, match="is not a valid time"):
            parse_span(text)
    else:
        assert parse_span(text) == tuple(span)
