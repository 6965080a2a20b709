"""out/groups: what was found about groups of people and the conditions that they go through, as tables and pictures.

people, groups, curves, comparison       people and groups under each marker, and groups compared
differences, within, interaction         conditions compared within people, and groups by these differences
long, wide, excluded                     for statistics elsewhere, and who is left out of all of these, and why
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from matplotlib.figure import Figure
from pandas import DataFrame

from analysis.study.comparison import comparison, size_notes
from analysis.study.figures import draw_comparison, draw_curves
from analysis.study.groups import curves, group_table, people, persons
from analysis.study.person_tables import Exclusion, excluded, long_table, wide_table, with_marker_columns, without
from analysis.study.report import GroupResults
from analysis.study.study_tables import shortened
from analysis.study.within import as_persons, differences, lacking, within_people
from files import unused, write_whole

Figures = dict[str, Figure]

TABLES: Final = (
    *("people", "groups", "curves", "comparison", "differences", "within", "interaction", "long", "wide", "excluded"),
)
_DPI: Final = 200
_WRITTEN: Final = re.compile(rf"({'|'.join(TABLES)})\.(parquet|csv)|(curves|effect-sizes)(-.*)?\.(png|svg)", re.DOTALL)
"""What is written into the folder."""


def write_groups(
    folder: Path,
    courses: DataFrame,
    groups: DataFrame,
    lengths: DataFrame,
    *,
    conditions: Sequence[str],
    markers: DataFrame | None,
    exclusion: Exclusion,
    above: float,
    csv: bool,
) -> tuple[GroupResults | None, list[str]]:
    """Write what the courses of a run's files show about groups.

    Args:
        folder: The folder; what an earlier run wrote there is deleted.
        courses: Of all files, as `analysis.study.time_courses` returns them.
        groups: As `analysis.study.groups.read_groups` returns them, with files as the courses name them.
        lengths: As `person_tables.excluded` takes them.
        conditions: The markers, in the order in which they come.
        markers: The list of markers with its other columns, which `long` gets.
        exclusion: Who counts where.
        above: Probability (0-1) above which people count as showing an expression.
        csv: Whether to write the tables as CSV files, too.

    Returns:
        What was found, if anything, and what somebody has to know about it, in sentences.

    Raises:
        StudyError: One face counts for two people.
        ResultsError: Something cannot be written.

    """
    everybody = people(courses, groups)
    left_out = excluded(everybody, groups, lengths, exclusion)
    counted = without(everybody, left_out)
    notes = _left_out_notes(left_out, set(everybody["person"]), groups)
    remove_groups(folder)
    if counted.empty:
        if len(left_out):
            write_table(folder / "excluded", left_out, csv=csv)
        return None, notes
    of_persons, of_groups = persons(counted, above=above), curves(counted, above=above)
    compared, long = comparison(of_persons), long_table(courses, groups)
    if markers is not None:
        long, more = with_marker_columns(long, markers)
        notes += more
    tables = {
        "people": of_persons,
        "groups": group_table(of_persons),
        "curves": of_groups,
        "comparison": compared,
        "long": without(long, left_out),
        "wide": wide_table(counted, groups),
        "excluded": left_out,
    } | _within_tables(of_persons, conditions)
    for name, table in tables.items():
        write_table(folder / name, table, csv=csv)
    drawn, effects = _write_figures(folder, of_groups, compared)
    notes += [*lacking(of_persons, conditions), *size_notes(of_persons)]
    return GroupResults(of_persons, compared, drawn, effects, above, tables.get("within")), notes


def _within_tables(of_persons: DataFrame, conditions: Sequence[str]) -> dict[str, DataFrame]:
    """Return the tables of what changes within people; none where nobody has two conditions."""
    changes = differences(of_persons, conditions)
    if changes.empty:
        return {}
    return {"differences": changes, "within": within_people(changes), "interaction": comparison(as_persons(changes))}


def _write_figures(folder: Path, of_groups: DataFrame, compared: DataFrame) -> tuple[Figures, Figures]:
    """Draw and write courses and effect sizes; return them by marker."""
    known = compared[(compared["measure"] == "mean") & compared["effect_size"].notna()]
    drawn = {marker: draw_curves(of_groups, marker=marker) for marker in of_groups["marker"].unique()}
    effects = {marker: draw_comparison(compared, marker=marker) for marker in known["marker"].unique()}
    endings = figure_endings(list(drawn))
    for name, figures in (("curves", drawn), ("effect-sizes", effects)):
        for marker, figure in figures.items():
            write_figure(folder / f"{name}{endings[marker]}", figure)
    return drawn, effects


def remove_groups(folder: Path) -> bool:
    """Delete the tables and figures of groups that an earlier run wrote; return whether there were any."""
    return remove_written(folder, _WRITTEN)


def remove_written(folder: Path, written: re.Pattern[str]) -> bool:
    """Delete the files in a folder whose names an earlier run gave; return whether there were any."""
    found = [path for path in folder.glob("*") if written.fullmatch(path.name)]
    for path in found:
        path.unlink()
    with suppress(OSError):
        folder.rmdir()  # which does nothing if somebody keeps something there
    return bool(found)


def write_table(path: Path, table: DataFrame, *, csv: bool) -> None:
    """Write a table as Parquet and, if wanted, as CSV, which is deleted where an earlier run wrote it.

    Raises:
        ResultsError: It cannot be written.

    """
    write_whole(path.with_name(f"{path.name}.parquet"), lambda partial: table.to_parquet(partial, index=False))
    if csv:
        write_whole(path.with_name(f"{path.name}.csv"), lambda partial: table.to_csv(partial, index=False))
    else:
        _remove_csv(path, list(table.columns))


def remove_table(path: Path, columns: Sequence[str]) -> None:
    """Delete what an earlier run wrote of a table."""
    path.with_name(f"{path.name}.parquet").unlink(missing_ok=True)
    _remove_csv(path, columns)


def _remove_csv(path: Path, columns: Sequence[str]) -> None:
    """Delete a table's CSV file of an earlier run; one with other columns is somebody's own."""
    text = path.with_name(f"{path.name}.csv")
    if text.is_file():
        with text.open("rb") as lines:
            ours = lines.readline().rstrip() == ",".join(columns).encode()
        if ours:
            text.unlink()


def _left_out_notes(left_out: DataFrame, seen: set[str], groups: DataFrame) -> list[str]:
    """Return notes on people of whom nothing is to compare, or too little under a marker or over the whole files."""
    unseen = [name for name in groups["person"].unique() if name not in seen]
    few = left_out[left_out["person"].isin(seen)]
    names = [f"{row['person']} ({row['marker'] or 'whole files'}: {row['reason']})" for row in few.to_dict("records")]
    notes = [f"No usable frame shows these people, who are in no comparison: {shortened(unseen)}."] if unseen else []
    return notes + ([f"Left out of groups, as their table excluded says: {shortened(names)}."] if names else [])


def write_figure(path: Path, figure: Figure) -> None:
    """Write a figure for a paper: as PNG, and as SVG, which stays sharp in any size.

    Raises:
        ResultsError: It cannot be written.

    """
    for ending in ("png", "svg"):
        write_whole(path.with_name(f"{path.name}.{ending}"), lambda partial: figure.savefig(partial, dpi=_DPI))


def figure_endings(names: Sequence[str]) -> dict[str, str]:
    """Return how the files of markers or pairs end: in their letters and digits, and a number where that is taken."""
    found: dict[str, str] = {}
    for name in names:
        plain = "".join(letter if letter.isalnum() else "-" for letter in name)[:60]
        taken = {ending.lower() for ending in found.values()}  # as Windows and macOS compare them
        found[name] = unused(f"-{plain}" if name else "", lambda ending, taken=taken: ending.lower() in taken)  # type: ignore[misc]
    return found
