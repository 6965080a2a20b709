"""The list of pairs: which recordings, or faces of one recording, belong to one conversation, and how late each is."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pandas import DataFrame, factorize

from analysis.study.file_names import check_not_written, fitted
from analysis.study.groups import ALL_FACES, read_faces
from analysis.study.study_tables import read_list, seconds
from errors import StudyError

COLUMNS: Final = ("pair", "file", "face", "person", "late")
"""Of a list of pairs, two lines a pair: its name, the file, the number of the person's face in it (by default, the face
that is seen longest; or "all"), what the person is called (by default, as the file), and the time in the file (from its
beginning, 0 by default) at which the common start lies: the clap, say. What one file shows at its time `late` + t, the
other shows at its own `late` + t."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """A list of pairs, fitted to the files of a run."""

    lines: DataFrame
    """COLUMNS, with two lines a pair, person A first: face Int32, late in seconds."""
    left_out: Mapping[str, str]
    """Pairs that lack a file, with the reason."""
    notes: tuple[str, ...] = ()
    """What in the list fits no file, in sentences."""


def read_pairs(
    path: Path, files: Sequence[str], *, paths: Mapping[str, str] | None = None, written: Collection[Path] = ()
) -> Pairs:
    """Return a list of pairs, for a run over these files.

    Args:
        path: The list.
        files: As the run names them.
        paths: Where they lie, by these names, as far as that is known.
        written: What the run will write.

    Raises:
        StudyError: It is no such list, has a pair that is none, or none of its files is one of these.

    """
    check_not_written(path, written)
    listed = _listed(path)
    known, notes = fitted(path, listed, files, paths)
    lacking = listed[~listed.index.isin(known.index)]
    left_out = {pair: f"{rows['file'].iloc[0]} is not analysed" for pair, rows in lacking.groupby("pair", sort=False)}
    lines = known[~known["pair"].isin(left_out)]
    face = lines["face"].astype("str").where(lines["face"].notna(), "?")
    twice = lines.duplicated(["pair", "file"], keep=False)
    unnamed = lines["file"].where(~twice, lines["file"] + " face " + face)
    lines = lines.assign(person=lines["person"].where(lines["person"] != "", unnamed))
    return Pairs(lines.reset_index(drop=True), left_out, tuple(notes))


def _listed(path: Path) -> DataFrame:
    """Return the list as it is, by line, checked by itself.

    Raises:
        StudyError: It is no such list, or has a pair that is none.

    """
    table = read_list(path, COLUMNS[:2], COLUMNS[2:])
    for name in COLUMNS[:2]:
        if len(lines := table.index[table[name] == ""]):
            raise StudyError(f"{path}: line {lines[0]} has no {name}. Fill it in, or take the line out.")
    table = table.reindex(columns=list(COLUMNS), fill_value="")
    table["face"] = read_faces(path, table["face"])
    table["late"] = [_seconds(text, f"{path}: line {line}") for line, text in table["late"].items()]
    for pair, rows in table.groupby("pair", sort=False):
        if why := _why_no_pair(rows):
            raise StudyError(f"{path}: the pair {pair} {why}")
    return table.sort_values("pair", kind="stable", key=lambda names: factorize(names)[0])


def _why_no_pair(rows: DataFrame) -> str:
    """Return why the lines of one name are no pair, and what to do; empty where they are one."""
    if len(rows) != 2:
        count = "one line" if len(rows) == 1 else f"{len(rows)} lines"
        return f"has {count}. A pair is two lines, one a person; of three people, each two are a pair."
    first, second = rows["file"]
    faces, lates = list(rows["face"].dropna()), list(rows["late"])
    if first == second:
        if len(faces) < 2 or faces[0] == faces[1] or ALL_FACES in faces:
            return f"names {first} twice. Write the number of each person's face under face, or the other file."
        if lates[0] != lates[1]:
            return f"has two times under late for {first}. One recording has one clock: write the same in both lines."
    if rows["person"].iloc[0] and rows["person"].nunique() == 1:
        return f"has {rows['person'].iloc[0]} twice. Two people make a pair."
    return ""


def _seconds(text: str, where: str) -> float:
    if text.startswith(("-", "−")):
        raise StudyError(f"{where}: late is never below 0. Write {text[1:]} for the other file of the pair.")
    return seconds(text or "0", where)
