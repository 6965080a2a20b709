"""A capture reads its source by the clock, keeps the newest frame, and comes back after faults."""

import threading
import time
from itertools import pairwise

import pytest

from entities import Frame, SourceState
from errors import SourceError
from tests.helpers.stand_ins import PATIENCE, FakeClock, FakeSource, picture_frame, vain_waits
from vision.capture import Capture, paced
from vision.pixels import fitted_size
from vision.video.decoding import FrameCap, up_to_date


def at(*seconds: float) -> list[Frame]:
    """Return frames of a file with these presentation times."""
    return [picture_frame(index, time) for index, time in enumerate(seconds)]


def shown_at(clock: FakeClock, frames: list[Frame]) -> list[float]:
    """Return when frames are shown, in seconds from the start."""
    start = clock.time
    return [frame.captured_at - start for frame in paced(iter(frames), clock)]


def test_a_file_keeps_its_own_clock() -> None:
    """Frames are shown at their presentation times, evenly spaced or not."""
    assert shown_at(FakeClock(), at(0, 0.04, 0.08, 0.5, 0.52)) == pytest.approx([0, 0.04, 0.08, 0.5, 0.52])


def test_the_first_frame_of_a_round_follows_the_last_of_the_one_before() -> None:
    """A file that begins again keeps its rhythm."""
    assert shown_at(FakeClock(), at(0, 0.1, 0.2, 0, 0.1)) == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])


def test_a_slow_reader_does_not_slow_the_clock() -> None:
    """Time lost on one frame is made up on those that follow."""
    clock = FakeClock()
    shown = []
    for frame in paced(iter(at(0, 0.1, 0.2, 0.3)), clock):
        shown.append(frame.captured_at - 100)
        if frame.index == 1:
            clock.time += 0.15
    assert shown == pytest.approx([0, 0.1, 0.25, 0.3])


def test_a_file_that_cannot_be_decoded_fast_enough_plays_slowly() -> None:
    """It does not race through what it is late with."""
    clock = FakeClock()
    shown = []
    for frame in paced(iter(at(0, 0.1, 0.2, 0.3)), clock):
        shown.append(frame.captured_at - 100)
        clock.time += 1
    assert shown == pytest.approx([0, 1, 2, 3])


def test_a_jump_in_a_files_times_is_no_pause() -> None:
    """A gap of an hour is an error in the file, not an hour to wait."""
    assert shown_at(FakeClock(), at(0, 0.1, 3600, 3600.1)) == pytest.approx([0, 0.1, 0.2, 0.3])


def test_a_live_source_is_not_paced() -> None:
    """Frames without times are shown as they come."""
    clock = FakeClock()
    frames = [picture_frame(index) for index in range(3)]
    assert list(paced(iter(frames), clock)) == frames
    assert clock.waits == []


@pytest.mark.parametrize(("fps", "shown"), [(5, 50), (10, 100), (12, 100), (15, 100), (25, 100), (30, 100), (240, 100)])
def test_a_cap_of_ten_frames_a_second(fps: int, shown: int) -> None:
    """Over ten seconds, slower videos keep all their frames, and faster ones a hundred."""
    cap = FrameCap(10)
    assert sum(cap.accepts(index / fps) for index in range(10 * fps)) == pytest.approx(shown, abs=1)


def test_a_cap_lets_frames_be_early_or_late() -> None:
    """A camera that is a little irregular loses nothing."""
    cap = FrameCap(30)
    assert all(cap.accepts(index / 30 + 0.005 * (index % 2)) for index in range(60))


def test_a_cap_begins_anew_where_times_are_set_back() -> None:
    """Times that jump back do not silence a video until they have come as far again."""
    cap = FrameCap(30)
    assert cap.accepts(5000.0)
    assert cap.accepts(0.0)
    assert not cap.accepts(0.01)


@pytest.mark.parametrize(
    ("size", "limits", "fitted"),
    [
        ((640, 480), (1280, 720), (640, 480)),
        ((3840, 2160), (1280, 720), (1280, 720)),
        ((1080, 1920), (1280, 720), (405, 720)),
        ((5000, 1), (1280, 720), (1280, 1)),
    ],
)
def test_pictures_are_shrunk_in_proportion(
    size: tuple[int, int], limits: tuple[int, int], fitted: tuple[int, int]
) -> None:
    """Never enlarged, never out of proportion, never without a pixel."""
    assert fitted_size(*size, *limits) == fitted


class Packet:
    """What up_to_date looks at."""

    def __init__(self, number: int) -> None:
        self.pts = number
        self.is_keyframe = number % 10 == 0


def decoded_numbers(arrival: float, decoding: float, count: int = 300) -> list[int]:
    """Return which packets are decoded if one comes each `arrival` seconds and `decoding` takes that long."""
    clock = FakeClock()

    def arrive():
        for number in range(count):
            clock.time = max(clock.time, 100 + number * arrival)
            yield Packet(number)

    numbers = []
    for packet in up_to_date(arrive(), clock.now):
        numbers.append(packet.pts or 0)
        clock.time += decoding
    return numbers


def test_a_stream_that_can_be_decoded_in_time_is_decoded_whole() -> None:
    """No packet is left out as long as there is time for all."""
    assert decoded_numbers(0.04, 0.03) == list(range(300))


def test_a_stream_that_comes_too_fast_skips_to_what_is_now() -> None:
    """Packets are left out up to a key frame, so that decoding never falls far behind."""
    numbers = decoded_numbers(0.04, 0.06)
    gaps = [after for before, after in pairwise(numbers) if after != before + 1]
    assert gaps
    assert all(number % 10 == 0 for number in gaps)
    lag = [0.06 * position - 0.04 * number for position, number in enumerate(numbers)]
    assert max(lag) < 2


def test_a_failing_source_is_opened_again_more_and_more_rarely() -> None:
    """Attempts are 0.5, 1, 2, ... and at most 30 seconds apart; each is closed before the next."""
    clock, source = FakeClock(stop_after=9), FakeSource([SourceError("Gone.")])
    capture = Capture(source, clock=clock)
    capture.run()
    assert clock.waits == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert source.opened == source.closed == 9
    assert (capture.status.state, capture.status.reason) == (SourceState.RECONNECTING, "Gone.")


def test_a_source_that_was_steady_is_opened_again_soon() -> None:
    """After ten seconds of frames, the next fault is the first again."""
    clock = FakeClock(stop_after=4)

    class Source(FakeSource):
        def frames(self):
            clock.time += 11 if self.opened == 2 else 0
            yield from super().frames()

    Capture(Source([1, SourceError("Gone.")]), clock=clock).run()
    assert clock.waits == [0.5, 1, 0.5, 1]


def test_the_next_attempt_is_announced() -> None:
    """While it waits, the status says when the next attempt will be."""
    announced = []

    class Clock(FakeClock):
        def wait(self, seconds):
            announced.append((capture.status.next_try_at or 0) - self.time)
            return super().wait(seconds)

    capture = Capture(FakeSource([SourceError("Gone.")]), clock=Clock(stop_after=2))
    capture.run()
    assert announced == [0.5, 1]


def test_a_file_that_fails_is_tried_again_but_called_failed() -> None:
    """A file may come back, on a network drive, say; but nobody is connected to it."""
    capture = Capture(FakeSource([SourceError("Missing.")], live=False), clock=FakeClock(stop_after=1))
    capture.run()
    assert capture.status.state is SourceState.FAILED


def test_a_decoders_surprise_is_a_fault_like_others() -> None:
    """Errors that nobody expected are shown and retried, too."""
    source = FakeSource([RuntimeError("boo")])
    capture = Capture(source, clock=FakeClock(stop_after=2))
    capture.run()
    assert source.opened == 2
    assert "boo" in capture.status.reason


def test_the_end_of_a_source_is_its_end() -> None:
    """A file that has been played is not opened again; its last frame stays to be fetched."""
    source = FakeSource([3], live=False)
    capture = Capture(source, clock=FakeClock())
    capture.run()
    assert source.opened == 1
    assert capture.status.state is SourceState.ENDED
    last = capture.newest(None, 0)
    assert last is not None
    assert last.index == 2


def test_closing_is_not_the_end_of_a_source() -> None:
    """A file that is left while it plays is not said to have been played to its end."""
    frames = at(*range(100))

    class Film(FakeSource):
        def frames(self):
            yield from frames

    capture = Capture(Film())
    reading = threading.Thread(target=capture.run)
    reading.start()
    assert capture.newest(None, PATIENCE)
    capture.close()
    reading.join(PATIENCE)
    assert not reading.is_alive()
    assert capture.status.state is SourceState.LIVE


def test_a_source_that_is_open_but_silent_is_said_to_have_stopped() -> None:
    """A live source whose driver blocks does not look live for long."""
    clock = FakeClock()
    clock.time = time.monotonic()
    silent = threading.Event()
    capture = Capture(FakeSource([1, silent]), clock=clock)
    capture.start()
    assert capture.newest(None, PATIENCE)
    before = capture.status
    clock.time += 4
    after = capture.status
    assert before.state is SourceState.LIVE
    assert after.state is SourceState.RECONNECTING
    assert "stopped giving pictures" in after.reason
    silent.set()
    capture.close()


def test_who_asks_gets_the_newest_frame_only() -> None:
    """Frames that nobody fetched in time are gone: what is shown is now."""
    silent = threading.Event()
    capture = Capture(FakeSource([100, silent]))
    reading = threading.Thread(target=capture.run)
    reading.start()
    newest = capture.newest(None, PATIENCE)
    while newest and newest.index < 99:
        newest = capture.newest(newest, PATIENCE)
    assert newest
    assert capture.newest(newest, 0) is None
    silent.set()
    capture.close()
    reading.join(PATIENCE)
    assert not reading.is_alive()


def test_closing_does_not_wait_for_a_source_that_blocks() -> None:
    """Closing returns at once, and so does who waits for a frame; the source is closed when it wakes up."""
    blocks = threading.Event()
    source = FakeSource([blocks, 1])
    capture = Capture(source)
    capture.start()
    waiting = threading.Thread(target=capture.newest, args=(None, 10 * PATIENCE))
    waiting.start()
    with vain_waits() as vain:
        capture.close()
    waiting.join(PATIENCE)
    assert not waiting.is_alive()
    assert vain == []
    assert not source.closed
    blocks.set()
