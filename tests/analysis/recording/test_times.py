"""Times are read and written alike everywhere."""

import json

import pytest

from analysis.recording.times import HOW_TIME, axis_time, clock, length, parse_span, parse_time
from config import ROOT

CASES = json.loads((ROOT / "tests" / "data" / "times.json").read_text("utf-8"))
"""Texts, and the seconds that they mean, null for what is refused; seconds, and how they are
written. tests/browser/test_times.py has the same."""


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


@pytest.mark.parametrize(("seconds", "digits", "text"), CASES["clock"])
def test_a_place_is_written(seconds: float, digits: int, text: str):
    """As players show it, with hours where there are some; typed, it means the same."""
    assert clock(seconds, digits) == text
    assert parse_time(text) <= seconds < parse_time(text) + 10**-digits


@pytest.mark.parametrize(("seconds", "text"), CASES["length"])
def test_a_length_is_written(seconds: float, text: str):
    """With its unit, and with tenths where it is short."""
    assert length(seconds) == text


@pytest.mark.parametrize(("seconds", "span", "text"), CASES["axis"])
def test_an_axis_is_written(seconds: float, span: float, text: str):
    """With tenths where it is short."""
    assert axis_time(seconds, span) == text
