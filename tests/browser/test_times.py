"""Times are read and written in the browser as they are in Python."""

from collections.abc import Callable

from playwright.sync_api import Page

from tests.analysis.recording.test_times import CASES

READ = """async ({ times, spans, clock, length, axis }) => {
  const scripts = document.querySelector("script[src*='/js/']").src;
  const words = await import(new URL("../page/clock.js", scripts));
  const none = (seconds) => Number.isNaN(seconds) ? null : seconds;
  const span = (text) => words.parseSpan(text).some(Number.isNaN) ? null : words.parseSpan(text);
  return {
    times: times.map(([text]) => [text, none(words.parseTime(text))]),
    spans: spans.map(([text]) => [text, span(text)]),
    clock: clock.map(([seconds, digits]) => [seconds, digits, words.clock(seconds, digits)]),
    length: length.map(([seconds]) => [seconds, words.lengthOf(seconds)]),
    axis: axis.map(([seconds, span]) => [seconds, span, words.axisTime(seconds, span)]),
    estimates: [0.4, 1, 45, 100, 7300].map(words.estimateOf),
    moment: words.dateAndTime(0).replace(/1 January 1970 at \\d\\d:\\d\\d/, "as it should be"),
  };
}"""


def test_times_and_spans(new_page: Callable[..., Page], live_app: str) -> None:
    """The same texts mean the same seconds, the same are refused, and the same seconds are written alike."""
    page = new_page(timezone_id="UTC")
    page.goto(f"{live_app}about")
    assert page.evaluate(READ, CASES) == CASES | {
        "estimates": ["less than a second", "about 1 second", "about 45 seconds", "about 2 minutes", "about 2 hours"],
        "moment": "as it should be",
    }
