"""How many frames a second are shown, of how many that the source gives."""

from live.meter import Meter


def test_frames_that_were_skipped_are_those_of_the_source(monkeypatch):
    """Every third frame of a source of 30 a second makes 10."""
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    meter = Meter()
    assert (meter.fps, meter.source_fps, meter.latency_ms) == (0, 0, 0)
    for number in range(20):
        now = number / 10
        meter.add(12.0, 3 * number)
    assert round(meter.fps, 6) == 10
    assert round(meter.source_fps, 6) == 30
    assert meter.latency_ms == 12
    meter.add(12.0, 0)
    assert meter.source_fps == 0  # another source begins to count anew
