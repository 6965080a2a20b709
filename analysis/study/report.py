"""The report of a run: what was analysed, what failed and why, with pictures, plots and tables that can be sorted.

It is one HTML file that holds all that it shows, so that it opens from disk and can be sent to somebody.
"""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.figure import Figure
from pandas import DataFrame

from analysis.recording.times import clock, length
from analysis.study.figures import INK
from analysis.study.report_pictures import Moment, Pictures, Portrait
from config import ROOT, VERSION
from entities import DISPLAY_ORDER

_NAMES: Final = (*DISPLAY_ORDER, "Uncertain")
_MIN_SHARE: Final = 0.005
"""Of an expression that is worth a word."""
_PARTS: Final = 300
"""Intervals of a file that are drawn at most, the longest ones: no screen shows more."""
_ALL_PARTS: Final = 40_000
"""Intervals that are drawn in all, some 150 bytes each: reports of thousands of files stay below 30 MB."""
_ALL_FACES: Final = 3_000
"""Small pictures of faces that are shown in all, some 3 kB each."""


@dataclass(frozen=True, slots=True)
class GroupResults:
    """What was found about groups of people."""

    persons: DataFrame
    """As `analysis.study.groups.persons` returns it."""
    comparison: DataFrame
    """As `analysis.study.comparison.comparison` returns it."""
    curves: Mapping[str, Figure]
    """The mean courses, by marker; that of the whole files by an empty text."""
    effects: Mapping[str, Figure]
    """The effect sizes, by marker, where there are any."""
    above: float
    """The probability (0-1) above which people count as showing an expression."""
    within: DataFrame | None = None
    """As `analysis.study.within.within_people` returns it, where there are several conditions."""


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a report that another room made."""

    page: Markup
    """Its HTML."""
    methods: Mapping[str, str]
    """What it depends on, by words for it."""


def report_page(
    title: str,
    files: DataFrame,
    intervals: DataFrame,
    *,
    pictures: Mapping[str, Pictures] | None = None,
    markers: DataFrame | None = None,
    groups: GroupResults | None = None,
    sections: Sequence[Markup] = (),
    notes: Sequence[str] = (),
    methods: Mapping[str, str] | None = None,
) -> str:
    """Return the report of a run as the text of an HTML file.

    Args:
        title: Of the report.
        files: The run's table of files, as `dataset.file_row` describes it; may have `usable` as well: which part
            (0-1) of the faces in all frames is usable.
        intervals: The run's table of intervals.
        pictures: What can be shown of files, by their names.
        markers: The run's table of markers, where there are any.
        groups: What was found about groups, where there are any.
        sections: The HTML of others.
        notes: Sentences that the reader has to know.
        methods: What the results depend on, by words for it.

    """
    shown = pictures or {}
    count = max(1, len(files))
    parts, faces = min(_PARTS, _ALL_PARTS // count), _ALL_FACES // count
    drawn = _drawn(intervals, parts)
    done = files[files["state"] == "done"]
    failed = files[files["state"] != "done"]
    page: str = template(
        "report.html"
    ).render(
        title=title,
        colours=Markup((ROOT / "static" / "css" / "colours.css").read_text("utf-8")),  # noqa: S704
        made=f"Made on {datetime.now().astimezone():%d %B %Y, %H:%M} with facial-expressions {VERSION}.",
        figures=_figures(files, intervals),
        notes=notes,
        failed=[{"name": row["file"], "reason": row["reason"]} for row in failed.to_dict("records")],
        overall=_overall(done),
        moments=_moments(shown),
        expressions=DISPLAY_ORDER,
        judged="usable" in files,
        pictured=faces > 0 and any(picture.faces for picture in shown.values()),
        left_out=_left_out(parts, faces),
        groups=groups and _groups(groups),
        sections=sections,
        markers=_markers(markers),
        files=[
            _file(row, drawn.get(row["file"], []), shown.get(row["file"], Pictures()).faces[:faces])
            for row in done.to_dict("records")
        ],
        methods=list((methods or {}).items()),
    )
    return page


def template(name: str) -> Any:
    """Return a template of a report."""
    loader = FileSystemLoader(ROOT / "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template(name)


def _figures(files: DataFrame, intervals: DataFrame) -> list[tuple[str, str]]:
    """Return what was analysed, in a few large figures."""
    done = files[files["state"] == "done"]
    seconds, failures = done["seconds"].sum(), len(files) - len(done)
    return [
        ("Files", f"{len(done):,}"),
        *([("Length", length(seconds)), ("Frames", f"{done['frames'].sum():,}")] if seconds else []),
        ("Faces", f"{done['faces'].sum():,}"),
        *([("Intervals", f"{len(intervals):,}")] if seconds else []),
        *([("Not analysed", f"{failures:,}")] if failures else []),
    ]


def _overall(done: DataFrame) -> list[dict[str, Any]]:
    """Return the share of each expression in all files, which count by how long faces are seen in them."""
    shown = done[done["frames_with_faces"] > 0]
    if shown.empty:
        return []
    part = (shown["frames_with_faces"] / shown["frames"]).to_numpy(np.float64)
    seen = np.where(shown["seconds"] > 0, shown["seconds"], 1) * part
    shares = {name: float(np.average(shown[f"share_{name}"], weights=seen)) for name in _NAMES}
    return [
        {"name": name, "percent": f"{100 * share:.2f}", "words": f"{name} {share:.0%}"}
        for name, share in shares.items()
        if share >= _MIN_SHARE
    ]


def _moments(pictures: Mapping[str, Pictures]) -> list[dict[str, Any]]:
    """Return the strongest moment of each expression in the whole run, with its picture."""
    best: dict[str, tuple[Moment, str]] = {}
    for file, shown in pictures.items():
        for moment in shown.moments:
            name = moment.expression
            if name not in best or moment.confidence > best[name][0].confidence:
                best[name] = moment, file
    return [
        {
            "name": name,
            "words": f"{name} {moment.confidence:.0%}",
            "where": file if moment.time is None else f"{file}, {clock(moment.time, 1)}",
            "address": address,
        }
        for name, (moment, file) in sorted(best.items(), key=lambda item: DISPLAY_ORDER.index(item[0]))
        if (address := moment.address())
    ]


def _groups(groups: GroupResults) -> dict[str, Any]:
    """Return the plots and tables of groups, for the whole files and for each marker."""
    sizes = groups.persons.groupby("group")["person"].nunique()
    people = ", ".join(f"{name}: {size} {'person' if size == 1 else 'people'}" for name, size in sizes.items())
    return {
        "people": people,
        "threshold": f"{groups.above:g}",
        "parts": [_group_part(groups, marker) for marker in groups.curves],
        "within": _within(groups.within),
    }


def _within(table: DataFrame | None) -> list[dict[str, Any]]:
    """Return what changes within people, by mean probabilities."""
    if table is None:
        return []
    rows = table[table["measure"] == "mean"].to_dict("records")
    return sorted(rows, key=lambda row: DISPLAY_ORDER.index(row["expression"]))


def _group_part(groups: GroupResults, marker: str) -> dict[str, Any]:
    rows = groups.comparison
    rows = rows[(rows["marker"] == marker) & (rows["measure"] == "mean")]
    persons = groups.persons[groups.persons["marker"] == marker]
    above = persons.groupby(["group", "expression"])["above"].mean().to_dict()
    return {
        "title": f"From the marker {marker} on" if marker else "Over the whole of each file",
        "curves": svg(groups.curves[marker]),
        "effects": svg(groups.effects[marker]) if marker in groups.effects else "",
        "rows": [
            row | {f"above_{side}": above.get((row[f"group_{side}"], row["expression"]), 0.0) for side in "ab"}
            for row in sorted(rows.to_dict("records"), key=lambda row: DISPLAY_ORDER.index(row["expression"]))
        ],
    }


def svg(figure: Figure) -> Markup:
    """Return a figure as SVG for a page, in which what is drawn in INK has the colour of the page's text."""
    text = io.StringIO()
    with rc_context({"svg.fonttype": "none"}):
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    drawn = text.getvalue()
    drawn = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", drawn[drawn.index("<svg") :], count=1)
    drawn = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", drawn, count=1)
    return Markup(drawn.replace(INK, "currentColor"))  # noqa: S704 - Matplotlib escapes the texts


def _markers(table: DataFrame | None) -> list[dict[str, Any]]:
    """Return each marker's mean probabilities, in the order in which markers first come.

    Each face of each file counts once; its stretches are weighted by time.
    """
    if table is None or table.empty:
        return []
    used = table[table["seconds"] > 0]
    weighted = used.assign(sum=used["mean"] * used["seconds"])
    faces = weighted.groupby(["marker", "expression", "file", "face"])[["sum", "seconds"]].sum()
    means = (faces["sum"] / faces["seconds"]).groupby(["marker", "expression"]).mean().to_dict()
    return [
        {"marker": marker, "cells": [{"name": name, "value": means.get((marker, name))} for name in DISPLAY_ORDER]}
        for marker in table.sort_values("start", kind="stable")["marker"].unique()
    ]


def _drawn(intervals: DataFrame, parts: int) -> dict[str, list[dict[str, Any]]]:
    """Return which intervals of each file are drawn: the longest of the face that has the most of them.

    Each has `last` as well, where the last interval of its file ends.
    """
    if intervals.empty:
        return {}
    keys = ["file", "face"]
    sums = intervals.groupby(keys)["duration"].sum()
    most = sums.loc[sums.groupby("file").idxmax()].reset_index()[keys]
    ended = intervals.assign(last=intervals.groupby("file")["offset"].transform("max"))
    longest = ended.merge(most, on=keys).sort_values("duration", ascending=False, kind="stable")
    found: dict[str, list[dict[str, Any]]] = {}
    for part in longest.groupby("file").head(parts).to_dict("records"):
        found.setdefault(part["file"], []).append(part)
    return found


def _left_out(parts: int, faces: int) -> str:
    """Return in words what is not shown of each file, as there are so many; empty where all is."""
    pictures = "no picture of a face" if not faces else f"{faces} faces at most"
    return f"Of each file, the {parts} longest intervals are drawn, and {pictures}." if parts < _PARTS else ""


def _file(row: dict[str, Any], intervals: Sequence[dict[str, Any]], faces: Sequence[Portrait]) -> dict[str, Any]:
    return {
        "name": row["file"],
        "folder": row["folder"],
        "seconds": row["seconds"],
        "length": length(row["seconds"]) if row["seconds"] else "picture",
        "faces": row["faces"],
        "seen": row["frames_with_faces"] / max(1, row["frames"]),
        "usable": row.get("usable"),
        "shares": [row[f"share_{name}"] for name in DISPLAY_ORDER],
        "pictures": faces,
        "course": _course(intervals, row["seconds"]),
    }


def _course(intervals: Sequence[dict[str, Any]], seconds: float) -> list[dict[str, Any]]:
    """Return where to draw intervals of one face, in thousandths of the file's length."""
    if not intervals or not seconds:
        return []
    first = intervals[0]
    end = max(seconds, first["last"])  # later, where the file was looked at from some time on
    who = first["name"] or f"Face {first['face']}"
    return [
        {
            "x": f"{1000 * part['onset'] / end:.1f}",
            "width": f"{1000 * part['duration'] / end:.1f}",
            "name": part["expression"],
            "words": f"{who}: {part['expression']} {clock(part['onset'], 1)}–{clock(part['offset'], 1)}",
        }
        for part in intervals
    ]
