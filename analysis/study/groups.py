"""Groups of people: the mean course of each expression in each, and how much of it each shows.

People are what is counted, not files or frames: a person's files are averaged first, weighted by time. Of the faces in
a file, the one counts that the list names, or else the one that is seen longest; or all of them, where the list says so
of a file that shows one person at a time, whose face has got several numbers.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Final

import numpy as np
from pandas import DataFrame, Series, concat

from analysis.study.study_tables import read_list, with_numbers
from analysis.study.time_courses import SHOWN
from entities import EXPRESSIONS
from errors import StudyError
from expressions.intervals import ON

COLUMNS: Final = ("file", "group", "person", "face")
"""Of a list of groups: the file, its group, who is seen in it (by default, every file is another person), and the
number of that person's face (by default, the face that is seen longest), or "all"."""
ALL_FACES: Final = 0
"""Stands for "all" in a list that was read; the faces themselves are numbered from 1."""
MIN_COVERAGE: Final = 0.8
"""Share of a file's frames with faces in which the counted faces should be."""
_MAX_TOGETHER: Final = 0.05
"""Share of them that may show several faces though all are one person's: a tracker may take a moment to let go."""
_WHOLE: Final = ["group", "person", "marker"]
_LEVEL: Final = 0.95


def read_groups(path: Path) -> DataFrame:
    """Return a list of groups: file, group, person (texts), face (Int32), and what other columns the list has.

    Where the list names no face, it is empty, and ALL_FACES where it says "all". Other columns are numbers where all
    that they have are.

    Raises:
        StudyError: It is no such list, has a face twice, or a person in two groups.

    """
    table = read_list(path, COLUMNS[:2], COLUMNS[2:], others=True)
    for name, default in (("person", table["file"]), ("face", "")):
        if name not in table:
            table[name] = default
    for name in COLUMNS[:3]:
        if len(lines := table.index[table[name] == ""]):
            raise StudyError(f"{path}: line {lines[0]} has no {name}. Fill it in, or take the line out.")
    table["face"] = read_faces(path, table["face"])
    if len(lines := table.index[table.duplicated(["file", "face"])]):
        raise StudyError(f"{path}: line {lines[0]} has the file and face of a line above. Keep one of them.")
    for person, names in table.groupby("person")["group"].unique().items():
        if len(names) > 1:
            raise StudyError(
                f"{path}: {person} is in the groups {names[0]} and {names[1]}. A person belongs to one group; what one "
                "person goes through is told by markers."
            )
    return with_numbers(table, COLUMNS).reset_index(drop=True)


def read_faces(path: Path, texts: Series) -> Series:
    """Return the numbers of faces (Int32) in a list: empty where none is named, ALL_FACES for all.

    Args:
        path: The list, for messages.
        texts: The column, by line.

    Raises:
        StudyError: One is no number.

    """
    plain = texts.str.lower().replace("all", str(ALL_FACES)).str.replace(r"[.,]0+$", "", regex=True)
    if len(lines := plain.index[~plain.str.fullmatch(r"\d{0,9}")]):
        raise StudyError(f"{path}: line {lines[0]}: a face is a number, as in the table of faces, or all.")
    return plain.where(plain != "").astype("float64").astype("Int32")


def people(courses: DataFrame, groups: DataFrame) -> DataFrame:
    """Return the courses of people, by group, person, marker and time.

    Args:
        courses: Of all files, as `analysis.study.time_courses` returns them.
        groups: As `read_groups` returns them, with files as the courses name them.

    Returns:
        group, person, marker, and what a course has from `time` on.

    Raises:
        StudyError: One face counts for two people.

    """
    chosen = courses.astype({"face": "Int32"}).merge(counted_faces(courses, groups), on=["file", "face"])
    return averaged(chosen, [*_WHOLE, "time"])


def counted_faces(courses: DataFrame, groups: DataFrame) -> DataFrame:
    """Return the list of groups with a row a face that counts for its person; `people` says more.

    Raises:
        StudyError: One face counts for two people.

    """
    seconds = courses[courses["marker"] == ""].groupby(["file", "face"])["seconds"].sum().sort_values()
    longest = dict(seconds.index)  # the last of a file's faces is the one seen longest
    faces = groups["face"].astype("Int32").fillna(groups["file"].map(longest).astype("Int32"))
    single = groups.assign(face=faces).dropna(subset="face")
    every = single[single["face"] == ALL_FACES].drop(columns="face")
    of_every = every.merge(seconds.index.to_frame(index=False).astype({"face": "Int32"}), on="file")
    named = concat([single[single["face"] != ALL_FACES], of_every], ignore_index=True)
    if len(twice := named[named.duplicated(["file", "face"], keep=False)]):
        row = twice.iloc[0]
        both = twice.loc[(twice["file"] == row["file"]) & (twice["face"] == row["face"]), "person"]
        raise StudyError(
            f"{row['file']}: face {row['face']} counts for {' and '.join(both)}. Name the face of each in the list of "
            "groups; where none is named, it is the one that is seen longest."
        )
    return named


def coverage(frames: DataFrame, faces: Collection[int]) -> float:
    """Return in which share (0-1) of a file's frames with faces one of these is; NaN where there are no faces."""
    seen = frames[frames["face"].notna()]
    return float(seen["face"].isin(list(faces)).astype("bool").groupby(seen["frame"]).any().mean())


def check_one_at_a_time(frames: DataFrame, groups: DataFrame) -> None:
    """Refuse to take all faces of a file for one person's where several are seen at a time.

    Args:
        frames: Of one file.
        groups: As `read_groups` returns them; file and face are enough.

    Raises:
        StudyError: So many frames show several that they are several people.

    """
    file = frames["file"].iloc[0]
    faces = frames[frames["face"].notna()].groupby("frame")["face"].size()
    share = float((faces > 1).mean()) if len(faces) else 0.0
    if share > _MAX_TOGETHER and (groups.loc[groups["file"] == file, "face"] == ALL_FACES).any():
        raise StudyError(
            f"{file}: {share:.0%} of the frames with faces show several, so that not all are one person's. In the "
            "list, write the number of the person's face instead of all."
        )


def curves(people: DataFrame, *, above: float = ON) -> DataFrame:
    """Return the mean course of each expression in each group.

    Args:
        people: As `people` returns them.
        above: Probability (0-1) above which a person counts in the share.

    Returns:
        group, marker, expression, time (s), people, mean (0-1), low and high (95 % confidence interval of the mean, by
        Student's t across people; empty for one person), above (share of people, 0-1).

    """
    from scipy import stats  # a part of studies, which the page does without

    long = people.melt([*_WHOLE, "time"], list(EXPRESSIONS), "expression", "value")
    long["above"] = long["value"] > above
    grouped = long.groupby(["group", "marker", "expression", "time"])
    table = grouped.agg(
        people=("value", "count"), mean=("value", "mean"), sd=("value", "std"), above=("above", "mean")
    ).reset_index()
    half = stats.t.ppf((1 + _LEVEL) / 2, table["people"] - 1) * table.pop("sd") / np.sqrt(table["people"])
    table.insert(6, "low", (table["mean"] - half).clip(lower=0))
    table.insert(7, "high", (table["mean"] + half).clip(upper=1))
    return table


def persons(people: DataFrame, *, above: float = ON) -> DataFrame:
    """Return what each person shows on the whole: a row a person, marker and expression.

    Args:
        people: As `people` returns them.
        above: Probability (0-1), for the column of this name.

    Returns:
        group, person, marker, expression, seconds (that show the person well enough to be used), mean (probability,
        0-1), share (0-1, of the seconds, in which it is shown), peak (0-1, highest mean of a step), above (whether
        that is above the threshold).

    """
    whole = averaged(people, _WHOLE)
    peaks = people.groupby(_WHOLE)[list(EXPRESSIONS)].max().reset_index()
    parts = [
        whole[[*_WHOLE, "seconds"]].assign(
            expression=name,
            mean=whole[name],
            share=whole[shown] / whole["seconds"],
            peak=peaks[name],
            above=peaks[name] > above,
        )
        for name, shown in zip(EXPRESSIONS, SHOWN, strict=True)
    ]
    columns = [*_WHOLE, "expression", "seconds", "mean", "share", "peak", "above"]
    return concat(parts)[columns].sort_values(_WHOLE, kind="stable", ignore_index=True)


def group_table(persons: DataFrame) -> DataFrame:
    """Return what each group shows on the whole: a row a group, marker and expression.

    Returns:
        group, marker, expression, people, mean and sd (of people's mean probabilities, 0-1), share (mean of people's
        shares, 0-1), above (share of people who show it above the threshold at some time, 0-1).

    """
    grouped = persons.groupby(["group", "marker", "expression"])
    return grouped.agg(
        people=("person", "count"),
        mean=("mean", "mean"),
        sd=("mean", "std"),
        share=("share", "mean"),
        above=("above", "mean"),
    ).reset_index()


def averaged(courses: DataFrame, by: list[str]) -> DataFrame:
    """Return means of the probabilities in courses, weighted by time, and sums of the seconds, by some columns."""
    weighted = courses.copy()
    weighted[list(EXPRESSIONS)] = courses[list(EXPRESSIONS)].mul(courses["seconds"], axis=0)
    table = weighted.groupby(by)[["seconds", *EXPRESSIONS, *SHOWN]].sum().reset_index()
    table[list(EXPRESSIONS)] = table[list(EXPRESSIONS)].div(table["seconds"], axis=0)
    return table
