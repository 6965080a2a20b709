"""What the files of a run show together: intervals, markers and groups, made of its tables of frames, and the report.

It costs little beside the analysis, and is done anew in every run: other markers, groups or limits of intervals need no
file to be analysed again. The frames of one file at a time are in memory.

    out/frames/*.parquet      carry the marker in force
    out/intervals/*.parquet   a row an interval
    out/markers.parquet       a row a stretch, face and expression
    out/groups/               as `analysis.study.group_files` says
    out/report.html
    out/codebook.json, .html  what each column means
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pandas as pd
from pandas import DataFrame

from analysis.batch.dataset import Dataset
from analysis.output.codebook import write_codebook
from analysis.output.events import write_events
from analysis.output.interval_files import replace_intervals
from analysis.output.intervals import COLUMNS as INTERVAL_TYPES
from analysis.output.intervals import find_intervals, joined
from analysis.study.file_names import check_not_written, fitted
from analysis.study.group_files import remove_groups, remove_table, write_groups, write_table
from analysis.study.groups import (
    MIN_COVERAGE,
    check_one_at_a_time,
    counted_faces,
    coverage,
    read_groups,
)
from analysis.study.markers import TABLE as MARKER_TYPES
from analysis.study.markers import (
    apply_markers,
    check_units,
    marker_table,
    markers_in,
    outside,
    read_markers,
    stretches,
)
from analysis.study.methods import methods, mixed_settings
from analysis.study.person_tables import Exclusion
from analysis.study.report import GroupResults, Section, report_page
from analysis.study.report_pictures import pictures_of
from analysis.study.study_tables import shortened
from analysis.study.time_courses import TYPES as COURSE_TYPES
from analysis.study.time_courses import courses, step_for
from config import IntervalSettings, Settings
from files import write_text

REPORT: Final = "report.html"
EVERYBODY_COUNTS: Final = Exclusion()
_MAX_FILE_NOTES: Final = 20
_LENGTHS: Final = ["file", "marker", "seconds"]
_GROUPS_REMOVED: Final = "No list of groups was given, so those of an earlier run are removed."


@dataclass(frozen=True, slots=True)
class Lists:
    """What a researcher says about the files of a run, by their names in it."""

    markers: DataFrame | None = None
    """As `analysis.study.markers.read_markers` returns them, with the list's other columns."""
    groups: DataFrame | None = None
    """As `analysis.study.groups.read_groups` returns them."""
    notes: tuple[str, ...] = ()
    """What in them fits no file, in sentences."""

    def noting(self, notes: Sequence[str]) -> "Lists":
        """Return the same with more notes."""
        return replace(self, notes=(*self.notes, *notes))


def read_lists(
    markers: Path | None,
    groups: Path | None,
    files: Sequence[str],
    *,
    paths: Mapping[str, str] | None = None,
    written: Collection[Path] = (),
) -> Lists:
    """Read the lists that there are, for a run over these files.

    Args:
        markers: The list of markers.
        groups: The list of groups.
        files: As the run names them.
        paths: Where they lie, by these names, as far as that is known.
        written: What the run will write.

    Raises:
        StudyError: One cannot be used; the message says why, and what to do.

    """
    for path in (markers, groups):
        if path:
            check_not_written(path, written)
    notes: list[str] = []
    marked = grouped = None
    if markers:
        marked, said = fitted(markers, read_markers(markers, others=True), files, paths)
        notes += said
    if groups:
        grouped, said = fitted(groups, read_groups(groups), files, paths)
        notes += said
        others = [name for name in files if name not in set(grouped["file"])]
        if others:
            notes.append(f"{groups.name}: in no group, and not compared: {shortened(others)}.")
    return Lists(marked, grouped, tuple(notes))


def conclude(
    out: Path,
    lists: Lists,
    settings: Settings,
    *,
    exclusion: Exclusion = EVERYBODY_COUNTS,
    sections: Sequence[Section] = (),
    csv: bool = False,
    kept: Collection[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> list[str]:
    """Write what a run's files show together; return what somebody has to know about it, in sentences.

    Args:
        out: The run's folder.
        lists: What `read_lists` returned.
        settings: Those of the analysis; `intervals` says what makes an interval.
        exclusion: Of whom too little is seen to count in groups.
        sections: Of the report, beyond those of its own.
        csv: Whether to write the tables as CSV files, too.
        kept: Files of earlier runs that stay in the tables; where the list of markers does not name them, their markers
            stay, too.
        progress: Told after every file how many are done, of how many.

    Raises:
        ResultsError: Something cannot be written.
        StudyError: The lists cannot be used with these files.

    """
    dataset = Dataset(out)
    files = dataset.read("files")
    done = files[files["state"] == "done"].to_dict("records")
    ends = _ends(files)
    if lists.markers is not None:
        check_units(lists.markers, ends)
    step = step_for(max((row["seconds"] for row in done), default=0.0))
    seen = _Seen(dataset, lists, kept, settings.intervals, step)
    for number, row in enumerate(done, 1):
        seen.add(row)
        if progress:
            progress(number, len(done))
    marked = _write_markers(out, seen, csv=csv)
    results, group_notes = _write_groups(out, seen, marked, exclusion, csv=csv)
    notes = [*lists.notes, *_late(lists.markers, ends), *_twice(done), *_file_notes(done)]
    notes += [*mixed_settings(files), *_half_seen(seen.covered), *group_notes]
    page = report_page(
        f"Facial expressions in {len(done):,} {'file' if len(done) == 1 else 'files'}",
        files.assign(usable=files["file"].map(seen.usable)),
        joined(seen.intervals, INTERVAL_TYPES),
        pictures={row["file"]: pictures_of(out / row["folder"], Path(row["path"])) for row in done},
        markers=marked,
        groups=results,
        sections=[section.page for section in sections],
        notes=notes,
        methods=_methods(settings, files, exclusion, sections),
    )
    write_text(out / REPORT, page)
    write_codebook(out)
    return notes


@dataclass(slots=True)
class _Seen:
    """What a run's files show, gathered file by file."""

    dataset: Dataset
    lists: Lists
    kept: Collection[str]
    limits: IntervalSettings
    step: float
    """Of time courses, in seconds."""
    intervals: list[DataFrame] = field(default_factory=list)
    markers: list[DataFrame] = field(default_factory=list)
    courses: list[DataFrame] = field(default_factory=list)
    """Of the files that the list of groups names, as the lengths are."""
    lengths: list[DataFrame] = field(default_factory=list)
    usable: dict[str, float] = field(default_factory=dict)
    """Share of usable frames with a face, by file."""
    covered: dict[str, float] = field(default_factory=dict)
    """Share of the frames with a face that the counted ones are in, by file."""

    def add(self, row: Mapping[str, Any]) -> None:
        """Read the frames of one of `files`' rows, and write its intervals."""
        frames, listed = _marked(self.dataset, row, self.lists.markers, self.kept)
        self.usable[row["file"]] = frames.loc[frames["face"].notna(), "usable"].astype("float64").mean()
        self.intervals.append(_with_intervals(self.dataset, row, frames, self.limits))
        self.markers.append(marker_table(frames, listed, on=self.limits.on))
        groups = self.lists.groups
        if groups is None or row["file"] not in set(groups["file"]):
            return
        check_one_at_a_time(frames, groups)
        self.courses.append(courses(frames, self.step, listed))
        self.lengths.append(_lengths(row, frames, listed))
        counted = counted_faces(self.courses[-1], groups[groups["file"] == row["file"]])
        self.covered[row["file"]] = coverage(frames, counted["face"])


def _write_markers(out: Path, seen: _Seen, *, csv: bool) -> DataFrame:
    """Write the table of markers, or remove that of an earlier run; return it."""
    marked = joined(seen.markers, MARKER_TYPES)
    if len(marked):
        write_table(out / "markers", marked, csv=csv)
    else:
        remove_table(out / "markers", list(MARKER_TYPES))
    return marked


def _write_groups(
    out: Path, seen: _Seen, marked: DataFrame, exclusion: Exclusion, *, csv: bool
) -> tuple[GroupResults | None, list[str]]:
    """Write what groups show, or remove what an earlier run wrote; return it, and what is to be known of it."""
    if seen.lists.groups is None:
        return None, [_GROUPS_REMOVED] if remove_groups(out / "groups") else []
    lengths = pd.concat(seen.lengths, ignore_index=True) if seen.lengths else DataFrame(columns=_LENGTHS)
    return write_groups(
        out / "groups",
        joined(seen.courses, COURSE_TYPES),
        seen.lists.groups,
        lengths,
        conditions=list(marked.sort_values("start", kind="stable")["marker"].unique()),
        markers=seen.lists.markers,
        exclusion=exclusion,
        above=seen.limits.on,
        csv=csv,
    )


def _marked(
    dataset: Dataset, row: Mapping[str, Any], markers: DataFrame | None, kept: Collection[str]
) -> tuple[DataFrame, DataFrame]:
    """Return a file's frames with the marker in force in each, and its markers: if none are given, the frames' own."""
    part = dataset.part("frames", row["folder"])
    frames = pd.read_parquet(part)
    if markers is None or (row["file"] in kept and row["file"] not in set(markers["file"])):
        return frames, markers_in(frames)
    listed = markers[markers["file"] == row["file"]]
    marked = apply_markers(frames, listed)
    if not marked["marker"].equals(frames["marker"]):
        dataset.write("frames", row["folder"], marked)
    return marked, listed


def _with_intervals(dataset: Dataset, row: Mapping[str, Any], frames: DataFrame, limits: IntervalSettings) -> DataFrame:
    """Return a file's intervals; write them into the run's table and its own folder, unless they are there already."""
    intervals = find_intervals(frames, **limits.model_dump())
    part = dataset.part("intervals", row["folder"])
    if part.is_file() and pd.read_parquet(part).equals(intervals):
        return intervals
    folder = part.parents[1] / row["folder"]
    if row["kind"] == "video" and (folder / "summary.json").is_file():
        media = Path(row["path"])
        media = media.absolute() if media.is_file() else Path(media.name)
        replace_intervals(folder, intervals, limits.model_dump(), frames, media)
        write_events(intervals, folder / "events.tsv")
    dataset.write("intervals", row["folder"], intervals)
    return intervals


def _methods(settings: Settings, files: DataFrame, exclusion: Exclusion, sections: Sequence[Section]) -> dict[str, str]:
    """Return what the results depend on, with who does not count in groups, and what other rooms say."""
    words = methods(settings, files)
    if exclusion != EVERYBODY_COUNTS:
        words["Exclusion"] = (
            f"A person counts under a marker, and over the whole files, from {exclusion.min_seconds:g} usable seconds "
            f"on that are {exclusion.min_share:.0%} of the time or more."
        )
    for section in sections:
        words |= section.methods
    return words


def _lengths(row: Mapping[str, Any], frames: DataFrame, markers: DataFrame) -> DataFrame:
    """Return how many seconds of a file each marker is in force; an empty one is the whole of it."""
    parts = stretches(frames, markers)
    lasting = parts.assign(seconds=parts["end"] - parts["start"]).groupby(["file", "marker"])["seconds"].sum()
    whole = DataFrame({"file": [row["file"]], "marker": [""], "seconds": [float(row["seconds"])]})
    return pd.concat([whole, lasting.reset_index()], ignore_index=True)


def _ends(files: DataFrame) -> dict[str, float]:
    """Return where videos end, in seconds from their first frame, or where looking at them ended."""
    videos = files[(files["state"] == "done") & (files["kind"] == "video")]
    return dict(zip(videos["file"], videos["begin"].fillna(0.0) + videos["seconds"], strict=True))


def _late(markers: DataFrame | None, ends: Mapping[str, float]) -> list[str]:
    """Return a note about markers that come after the end of their file."""
    if markers is None:
        return []
    late = outside(markers, pd.Series(ends, dtype="float64"))
    names = [f"{row['label']} at {row['time']:g} s in {row['file']}" for row in late.to_dict("records")]
    return [f"After the end of their file, and without effect, are the markers: {shortened(names)}."] if names else []


def _twice(done: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return notes about files of the same content."""
    names: dict[str, list[str]] = {}
    for row in done:
        names.setdefault(row["sha256"] or row["file"], []).append(row["file"])
    copies = [f"{shortened(alike)} are the same recording" for alike in names.values() if len(alike) > 1]
    return [f"{text}, which counts each time. Keep one of them." for text in copies]


def _file_notes(done: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what is to be known of single files; the table of files has all of it."""
    files: dict[str, list[str]] = {}
    for row in done:
        if row["note"]:
            files.setdefault(row["note"], []).append(row["file"])
    said = [f"{shortened(names)}: {note}" for note, names in files.items()]
    more = len(said) - _MAX_FILE_NOTES
    return said[:_MAX_FILE_NOTES] + (
        [f"And {more} more notes on files, in the column note of files."] if more > 0 else []
    )


def _half_seen(covered: Mapping[str, float]) -> list[str]:
    """Return a note about files whose counted faces are in too few of the frames with faces."""
    few = [f"{file} ({share:.0%})" for file, share in covered.items() if 0 < share < MIN_COVERAGE]
    note = (
        f"The face that counts is in less than {MIN_COVERAGE:.0%} of the frames with faces: {shortened(few)}. If one "
        "person has several numbers, merge them, or write all under face in the list of groups."
    )
    return [note] if few else []
