"""Times as people write them are read in the browser as they are in Python."""

from collections.abc import Callable

from playwright.sync_api import Page

from tests.analysis.test_times import CASES

READ = """async ({ times, spans }) => {
  const scripts = document.querySelector("script[src*='/js/']").src;
  const { clock, lengthInWords, parseTime, parseSpan } = await import(new URL("../page/clock.js", scripts));
  const none = (seconds) => Number.isNaN(seconds) ? null : seconds;
  return {
    times: times.map(([text]) => [text, none(parseTime(text))]),
    spans: spans.map(([text]) => [text, parseSpan(text).some(Number.isNaN) ? null : parseSpan(text)]),
    shown: [0, 59.9, 61.2, 5405.5].map((seconds) => parseTime(clock(seconds, 1))),
    written: [0, 65, 3599, 3600, 36061].map((seconds) => clock(seconds)),
    lengths: [5.5, 65, 3605].map(lengthInWords),
  };
}"""


def test_times_and_spans(new_page: Callable[..., Page], live_app: str) -> None:
    """The same texts mean the same seconds, the same are refused, and what the page shows can be typed."""
    page = new_page()
    page.goto(f"{live_app}about")
    assert page.evaluate(READ, CASES) == CASES | {
        "shown": [0, 59.9, 61.2, 5405.5],
        "written": ["0:00", "1:05", "59:59", "1:00:00", "10:01:01"],
        "lengths": ["5.5 seconds", "1:05 minutes", "1:00:05 hours"],
    }
