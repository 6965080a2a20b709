"""The report's section on pairs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup
from matplotlib.figure import Figure
from pandas import DataFrame

from analysis.pairs.curves import MIN_COVERED
from analysis.pairs.surrogates import MAX_SHUFFLED
from analysis.pairs.synchrony import MIN_SHARE, Windows
from analysis.study.report import Section, svg, template

_MAX_FIGURES: Final = 20
"""Pairs that are drawn in the report, up to 1 MB each; the folder has the figures of all."""


@dataclass(frozen=True, slots=True)
class PairResults:
    """What was found about pairs."""

    pairs: DataFrame
    """A row a pair and measure."""
    sample: DataFrame
    """As `analysis.pairs.surrogates.sample_table` returns it."""
    figures: Mapping[str, Figure]
    """Both curves and the correlations, by pair."""
    chance: Figure | None
    """Real pairs and surrogates; None where there are no surrogates."""


def pair_section(results: PairResults, windows: Windows, step: float) -> Section:
    """Return the section of the report.

    Args:
        results: What it shows.
        windows: How time was cut up.
        step: Of the curves, in seconds.

    """
    sample = results.sample[results.sample["statistic"] == "synchrony"]
    page = template("_report_pairs.html").render(
        sample=sample.to_dict("records") if results.chance else [],
        chance=svg(results.chance) if results.chance else "",
        pairs=results.pairs.to_dict("records"),
        figures=[(pair, svg(figure)) for pair, figure in list(results.figures.items())[:_MAX_FIGURES]],
        last=windows.max_lag - step / 2,
        more=max(0, len(results.figures) - _MAX_FIGURES),
    )
    return Section(Markup(page), _methods(results.pairs, windows, step))  # noqa: S704 - the template escapes


def _methods(pairs: DataFrame, windows: Windows, step: float) -> dict[str, str]:
    rows = pairs.drop_duplicates("pair").to_dict("records")
    people = ", ".join(f"{row['pair']}: {_recording(row, 'a')} and {_recording(row, 'b')}" for row in rows)
    text = (
        f"Curves are means over steps of {step:g} s that show the face for {MIN_COVERED:.0%} or more, from the common "
        f"start on ({people}). Windows of {windows.seconds:g} s, each half a window after "
        f"the last, with lags up to {windows.max_lag:g} s either way; a window counts where both people are seen in "
        f"{MIN_SHARE:.0%} or more of it. Surrogates are person A of one pair with person B of another, of "
        f"{MAX_SHUFFLED} pairs at most."
    )
    return {"Pairs": text}


def _recording(row: Mapping[str, Any], person: str) -> str:
    """Return which face of which recording a person is, and how late that is."""
    late = row[f"late_{person}"]
    face = row[f"face_{person}"]
    return f"face {face or 'all'} of {row[f'file_{person}']}" + (f", {late:g} s late" if late else "")
