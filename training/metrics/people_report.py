"""The figures of `training.metrics.people` as text and as plots."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure

from training.metrics import report
from training.metrics.people import WAYS

_ROW_WAYS: Final = {
    "as_seen": WAYS["as_seen"],
    "compared": WAYS["compared"],
    "compared_one_picture": "  with one picture of the rest",
    "adapted": WAYS["adapted"],
}


def rows_table(figures: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Return what `score_rows` found of each network's answers."""
    lines = []
    for network, ways in figures.items():
        head = f"{network}, {ways['as_seen']['rows']} answers"
        lines += ["", f"{head:<34}{'right':>9}{'Neutral':>9}{'renamed':>9}{'calibration error':>19}"]
        for way, name in _ROW_WAYS.items():
            scores = ways[way]
            lines.append(
                f"{name:<34}{_percent(scores['accuracy']):>9}{_percent(scores['neutral']):>9}"
                f"{_percent(scores['renamed']):>9}{scores['calibration_error']:>19.3f}"
            )
    return "\n".join([*lines[1:], "", "renamed: of what was named other than Neutral with 90 % and more, as seen"])


def people_table(figures: Mapping[str, Any]) -> str:
    """Return what `score_people` found, with 95 % intervals."""
    sections = {"person": figures["people"], "group": figures["groups"], "": {"all people": figures["all"]}}
    lines: list[str] = []
    for title, rows in sections.items():
        if rows:
            lines += ["", _line(title, list(WAYS.values()))]
            lines += [_line(name, [_cell(row[way]) for way in WAYS]) for name, row in rows.items()]
    lines += ["", _line("expression", list(WAYS.values()))]
    for name, row in figures["expressions"].items():
        lines.append(_line(f"{name} ({row['rows']})", [_percent(row[way]) for way in WAYS]))
    return "\n".join(lines[1:])


def people_plots(figures: dict[str, Any]) -> dict[str, Figure]:
    """Return the plots of what `score_people` found by name: the people, and what is taken for what in each way."""
    confusions = {
        f"confusion_{way}": report.plot_counts(np.array(figures["confusion"][way]), f"People, {name}")
        for way, name in WAYS.items()
    }
    return {"people": report.plot_people(figures, WAYS), **confusions}


def _line(name: str, cells: list[str]) -> str:
    return f"{name:<24}" + "".join(f"{cell:>25}" for cell in cells)


def _cell(row: Mapping[str, Any]) -> str:
    low, high = row["interval"]
    return f"{_percent(row['accuracy'])} ({low:.0%} to {high:.0%})"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
