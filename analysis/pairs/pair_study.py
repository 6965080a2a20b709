"""out/pairs: what the conversations of a run show, as tables, pictures, and a section of the report.

pairs         a row a pair and measure: who, how long, synchrony, lag, who leads
curves        both people's curves on one axis of time
windows       the correlations by window and lag
surrogates    the synchrony of people who never met
sample        the pairs' synchrony against the surrogates'
excluded      pairs that are left out, and why
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from pandas import DataFrame, concat

from analysis.batch.dataset import Dataset
from analysis.pairs.conversations import Conversation, Conversations, Person, find_conversations
from analysis.pairs.curves import MEASURES, Floats
from analysis.pairs.pair_figures import draw_pair, draw_surrogates
from analysis.pairs.pair_list import Pairs
from analysis.pairs.pair_report import PairResults, pair_section
from analysis.pairs.surrogates import MAX_SHUFFLED, sample_table, shuffled, surrogates
from analysis.pairs.synchrony import DIGITS, Steps, Windows, summary, windowed_correlations
from analysis.study.group_files import figure_endings, remove_written, write_figure, write_table
from analysis.study.groups import MIN_COVERAGE
from analysis.study.report import Section
from analysis.study.study_tables import shortened

FOLDER: Final = "pairs"
TABLES: Final = ("pairs", "curves", "windows", "surrogates", "sample", "excluded")
_WRITTEN: Final = re.compile(rf"({'|'.join(TABLES)})\.(parquet|csv)|(pair-.*|surrogates)\.(png|svg)", re.DOTALL)
_REMOVED: Final = "No list of pairs was given, so what an earlier run found about pairs is removed."
_FEW: Final = 4
"""Pairs below which no p is below 0.05."""


def conclude_pairs(
    out: Path,
    pairs: Pairs | None,
    windows: Windows,
    *,
    csv: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Section | None, list[str]]:
    """Write what the pairs of a run show, or remove what an earlier run wrote.

    Args:
        out: The run's folder.
        pairs: What `pair_list.read_pairs` returned; None where no list was given.
        windows: How time is cut up.
        csv: Whether to write the tables as CSV files, too.
        progress: Told how many people of the pairs are shuffled, of how many.

    Returns:
        The report's section, if there is anything to show, and what somebody has to know about it, in sentences.

    Raises:
        StudyError: A window is too short, or all faces of a file are to be one person's and are not.
        ResultsError: Something cannot be written.

    """
    if pairs is None:
        return None, [_REMOVED] if remove_written(out / FOLDER, _WRITTEN) else []
    seen = find_conversations(Dataset(out), pairs, windows)
    tables = {"excluded": DataFrame(list(seen.left_out.items()), columns=["pair", "reason"])}
    section = None
    remove_written(out / FOLDER, _WRITTEN)
    if seen.steps and seen.found:
        tables |= _tables(seen.found, seen.steps, seen.step)
        tables["surrogates"] = surrogates(shuffled(seen.found), seen.steps, seen.step, progress)
        tables["sample"] = sample_table(tables["pairs"], tables["surrogates"])
        tables["pairs"] = _with_effect_sizes(tables["pairs"], tables["sample"])
        section = pair_section(_drawn(out / FOLDER, tables, windows), windows, seen.step)
    for name, table in tables.items():
        if len(table):
            write_table(out / FOLDER / name, table, csv=csv)
    return section, [*pairs.notes, *_notes(pairs, seen)]


def _tables(found: tuple[Conversation, ...], steps: Steps, step: float) -> dict[str, DataFrame]:
    """Return the tables pairs, curves and windows."""
    rows, curves, windows = [], [], []
    for conversation in found:
        pair = conversation.pair
        first, second, begin = conversation.shared()
        who = _who(conversation) | _length(first, second, step)
        curve: dict[str, Any] = {"pair": pair, "time": (step * (begin + np.arange(len(first)))).round(DIGITS)}
        for column, measure in enumerate(MEASURES):
            curve |= {f"{measure}_a": first[:, column], f"{measure}_b": second[:, column]}
            r = windowed_correlations(first[:, column], second[:, column], steps)
            rows.append({"pair": pair, "measure": measure} | who | summary(r, step))
            windows.append(_long(r, begin, steps, step).assign(pair=pair, measure=measure))
        curves.append(DataFrame(curve))
    by_window = concat(windows, ignore_index=True)[["pair", "measure", "time", "lag", "r"]]
    return {"pairs": DataFrame(rows), "curves": concat(curves, ignore_index=True), "windows": by_window}


def _who(conversation: Conversation) -> dict[str, Any]:
    """Return who the two people are, where they are seen, and how late that is."""

    def told(person: Person, letter: str) -> dict[str, Any]:
        values = {"person": person.name, "file": person.file, "face": person.curve.face, "late": person.late}
        return {f"{name}_{letter}": value for name, value in values.items()}

    return told(conversation.first, "a") | told(conversation.second, "b")


def _length(first: Floats, second: Floats, step: float) -> dict[str, float]:
    """Return how long both recordings last, and in which share of that both people are seen."""
    both = np.isfinite(first).all(axis=1) & np.isfinite(second).all(axis=1)
    return {"seconds": round(step * len(first), DIGITS), "share": float(both.mean())}


def _long(r: Floats, begin: int, steps: Steps, step: float) -> DataFrame:
    """Return correlations as a table: a row a window and lag."""
    times = step * (begin + steps.increment * np.arange(len(r)))
    lags = step * np.array(steps.lags)
    placed = {"time": np.repeat(times, len(lags)), "lag": np.tile(lags, len(r))}
    return DataFrame(placed).round(DIGITS).assign(r=r.ravel())


def _with_effect_sizes(pairs: DataFrame, sample: DataFrame) -> DataFrame:
    """Return the pairs with how far each is above the surrogates' mean, in their standard deviations."""
    chance = sample[sample["statistic"] == "synchrony"].set_index("measure")
    means, deviations = (pairs["measure"].map(chance[f"surrogate_{name}"]) for name in ("mean", "sd"))
    return pairs.assign(effect_size=(pairs["synchrony"] - means) / deviations.where(deviations > 0))


def _drawn(folder: Path, tables: Mapping[str, DataFrame], windows: Windows) -> PairResults:
    """Draw and write the figures; return what the report shows."""
    pairs = tables["pairs"]
    people = pairs.drop_duplicates("pair").set_index("pair")[["person_a", "person_b"]]
    endings = figure_endings(list(people.index))
    figures = {}
    for pair, (first, second) in zip(people.index, people.to_numpy(), strict=True):
        curves, correlations = (tables[name][tables[name]["pair"] == pair] for name in ("curves", "windows"))
        figures[pair] = draw_pair(curves, correlations, (first, second), windows.seconds)
        write_figure(folder / f"pair{endings[pair]}", figures[pair])
    chance = None
    if len(tables["surrogates"]):
        chance = draw_surrogates(pairs, tables["surrogates"])
        write_figure(folder / "surrogates", chance)
    return PairResults(pairs, tables["sample"], figures, chance)


def _notes(pairs: Pairs, seen: Conversations) -> list[str]:
    """Return what somebody has to know about the pairs, in sentences."""
    notes, count = [], len(seen.found)
    if seen.left_out:
        named = [f"{pair} ({why})" for pair, why in seen.left_out.items()]
        notes.append(f"Left out of pairs: {shortened(named)}.")
    if few := [f"{name} ({share:.0%})" for name, share in seen.covered.items() if 0 < share < MIN_COVERAGE]:
        notes.append(
            f"The face that counts in pairs is in less than {MIN_COVERAGE:.0%} of the frames with faces: "
            f"{shortened(few)}. Where nobody else is seen, write all under face in the list of pairs."
        )
    people = pairs.lines["person"]
    if often := list(people[people.duplicated()].unique()):
        notes.append(f"In several pairs, which shuffling takes for different people: {shortened(often)}.")
    if count == 1:
        notes.append("There is one pair only, and so nothing that says how much synchrony there is by chance.")
    elif 1 < count < _FEW:
        notes.append(f"{count} pairs can be shuffled in so few ways that p is never below 0.05.")
    elif count > MAX_SHUFFLED:
        notes.append(f"Of {count} pairs, {MAX_SHUFFLED} were drawn, and shuffled with each other.")
    return notes
