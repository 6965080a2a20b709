"""Frames are timed by what passes."""

import time

import pytest

from web.clock import as_set, steady


def test_a_clock_that_jumps_is_no_time_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the clock as it is set shows that it was set."""
    moment, now = time.monotonic(), time.time()
    before = steady(moment)
    assert as_set(moment) == pytest.approx(before, abs=1)
    monkeypatch.setattr("web.clock.time.time", lambda: now + 3600)
    assert steady(moment) == before
    assert steady(moment + 0.5) == pytest.approx(before + 0.5, abs=0.002)
    assert as_set(moment) == pytest.approx(before + 3600, abs=1)
