"""People and conditions as tables for statistics: long, wide, and what was left out of them, with the reason."""

from dataclasses import dataclass
from typing import Final

import pandas as pd
from pandas import DataFrame

from analysis.study.groups import COLUMNS, averaged, counted_faces
from analysis.study.markers import COLUMNS as MARKER_COLUMNS
from analysis.study.study_tables import shortened
from analysis.study.time_courses import SHOWN
from entities import EXPRESSIONS

EXCLUDED: Final = ("group", "person", "marker", "seconds", "whole", "share", "reason")
"""Of a table of what was left out: usable seconds of a person under a marker (empty: over the whole files), how long
that lasts (seconds), the share (0-1) of these, and why."""
_KEYS: Final = ["group", "person", "marker"]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """When too little is seen of a person under a marker, or over the whole files, to count there."""

    min_seconds: float = 0.0
    """Usable seconds, at least."""
    min_share: float = 0.0
    """Share (0-1) of the time that is usable, at least."""


def excluded(people: DataFrame, groups: DataFrame, lengths: DataFrame, exclusion: Exclusion) -> DataFrame:
    """Return who does not count where: EXCLUDED.

    Args:
        people: As `analysis.study.groups.people` returns them.
        groups: As `analysis.study.groups.read_groups` returns them, with files as the run names them.
        lengths: file, marker and seconds: how long each marker is in force in each file, and an empty one the file.
        exclusion: What counts.

    """
    files = groups[["file", "group", "person"]].drop_duplicates()
    whole = files.merge(lengths, on="file").groupby(_KEYS)["seconds"].sum().rename("whole").reset_index()
    usable = people.groupby(_KEYS)["seconds"].sum().reset_index()
    table = whole.merge(usable, on=_KEYS, how="left").fillna({"seconds": 0.0})
    table["share"] = (table["seconds"] / table["whole"].where(table["whole"] > 0, table["seconds"])).clip(upper=1)
    unseen = table["seconds"] <= 0
    short = table["seconds"] < exclusion.min_seconds
    sparse = table["share"].fillna(0.0) < exclusion.min_share
    table["reason"] = ""
    table.loc[sparse, "reason"] = f"less than {exclusion.min_share:.0%} of the time usable"
    table.loc[short, "reason"] = f"less than {exclusion.min_seconds:g} usable seconds"
    table.loc[unseen, "reason"] = "no usable frame"
    return table.loc[table["reason"] != "", list(EXCLUDED)].sort_values(_KEYS, ignore_index=True)


def without(table: DataFrame, excluded: DataFrame) -> DataFrame:
    """Return a table with the columns group, person and marker without the rows of who does not count there."""
    left_out = pd.MultiIndex.from_frame(excluded[_KEYS])
    return table[~pd.MultiIndex.from_frame(table[_KEYS]).isin(left_out)].reset_index(drop=True)


def long_table(courses: DataFrame, groups: DataFrame) -> DataFrame:
    """Return what each line of the list of groups shows under each marker, with all columns of the list.

    Args:
        courses: Of all files, as `analysis.study.time_courses` returns them.
        groups: As `analysis.study.groups.read_groups` returns them, with files as the courses name them.

    Returns:
        A row a line and marker (empty: the whole file): the list's columns, marker, seconds (usable), mean_... and
        share_... of each expression.

    """
    lines = groups.reset_index(drop=True).rename_axis("line").reset_index()
    faces = counted_faces(courses, lines)[["line", "file", "face"]]
    means = averaged(courses.astype({"face": "Int32"}).merge(faces, on=["file", "face"]), ["line", "marker"])
    return lines.merge(_measures(means), on="line").drop(columns="line")


def with_marker_columns(long: DataFrame, markers: DataFrame) -> tuple[DataFrame, list[str]]:
    """Return a long table with the other columns of the list of markers behind its own, and notes on what is missing.

    Args:
        long: As `long_table` returns it.
        markers: As `analysis.study.markers.read_markers` returns them, with files as the long table names them.

    Returns:
        The table, whose new columns are empty over the whole files, and where a marker comes several times in a file
        and the column differs; and sentences on columns that so differ, or whose names `long` has already.

    """
    others = [name for name in markers.columns if name not in MARKER_COLUMNS]
    taken = [name for name in others if name in long.columns]
    added = [name for name in others if name not in taken]
    notes = [f"The table long has columns of these names already, and lacks those of markers: {shortened(taken)}."]
    notes = notes if taken else []
    if not added:
        return long, notes
    named = markers[markers["label"] != ""].drop(columns=taken).rename(columns={"label": "marker"})
    by_marker = named.groupby(["file", "marker"])[added]
    alike = by_marker.nunique(dropna=False) == 1
    if differ := [name for name in added if not alike[name].all()]:
        notes.append(f"Empty in the table long where a marker comes several times in a file: {shortened(differ)}.")
    return long.merge(by_marker.first().where(alike).reset_index(), on=["file", "marker"], how="left"), notes


def wide_table(people: DataFrame, groups: DataFrame) -> DataFrame:
    """Return a row a person, with a column a measure, expression and marker, as repeated measures are read elsewhere.

    Args:
        people: As `analysis.study.groups.people` returns them.
        groups: As `analysis.study.groups.read_groups` returns them; columns that are alike in all lines of each person
            are kept.

    Returns:
        group, person, the list's columns, and seconds, mean_... and share_... with the marker behind it; over the
        whole files, with nothing behind.

    """
    measured = _measures(averaged(people, _KEYS))
    wide = measured.pivot(index=["group", "person"], columns="marker")
    wide.columns = [f"{measure}_{marker}" if marker else measure for measure, marker in wide.columns]
    others = [name for name in groups.columns if name not in COLUMNS]
    by_person = groups.groupby("person")
    alike = [name for name in others if (by_person[name].nunique(dropna=False) <= 1).all()]
    return (
        groups[["person", *alike]]
        .drop_duplicates("person")
        .merge(wide.reset_index(), on="person")[["group", "person", *alike, *wide.columns]]
    )


def _measures(means: DataFrame) -> DataFrame:
    """Return means and sums, as `averaged` returns them, as the columns of a table of people."""
    shares = (
        means[list(SHOWN)].div(means["seconds"], axis=0).set_axis([f"share_{name}" for name in EXPRESSIONS], axis=1)
    )
    return means.drop(columns=list(SHOWN)).rename(columns={name: f"mean_{name}" for name in EXPRESSIONS}).join(shares)
