"""The conversations that a list of pairs is about, read from the tables of a run, or why one cannot be used."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas import DataFrame

from analysis.batch.dataset import Dataset
from analysis.pairs.curves import Curve, Floats, common_step, face_seen_longest, person_curve, shared
from analysis.pairs.pair_list import Pairs
from analysis.pairs.synchrony import Steps, Windows
from analysis.study.groups import ALL_FACES, check_one_at_a_time, coverage

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One of the two in a conversation."""

    name: str
    file: str
    late: float
    """Seconds from the beginning of the file to the common start."""
    curve: Curve


@dataclass(frozen=True, slots=True, eq=False)
class Conversation:
    """A pair of people, and what both show."""

    pair: str
    first: Person
    second: Person

    def shared(self) -> tuple[Floats, Floats, int]:
        """Return what both people show in the steps that both recordings have, and the first of these steps."""
        return shared(self.first.curve, self.second.curve)


@dataclass(frozen=True, slots=True, eq=False)
class Conversations:
    """What the recordings of all pairs show."""

    found: tuple[Conversation, ...]
    left_out: Mapping[str, str]
    """Why other pairs do not count, in words."""
    covered: Mapping[str, float]
    """Share (0-1) of a file's frames with faces that the face which counts is in, by person."""
    step: float = 0.0
    """Of all curves, in seconds."""
    steps: Steps | None = None
    """The windows; None where no recording can be used."""


def find_conversations(dataset: Dataset, pairs: Pairs, windows: Windows) -> Conversations:
    """Return the conversations of a list; the frames of one file at a time are in memory.

    Raises:
        StudyError: A window is too short, or all faces of a file are to be one person's and are not.

    """
    files = {row["file"]: row for row in dataset.read("files").to_dict("records")}
    left_out = dict(pairs.left_out)
    for pair, lines in pairs.lines.groupby("pair", sort=False):
        reasons = (_why_unfit(files.get(line["file"]), line) for line in lines.to_dict("records"))
        if why := next(filter(None, reasons), "") or _why_one(*(files[file] for file in lines["file"])):
            left_out[pair] = why
    lines = pairs.lines[~pairs.lines["pair"].isin(left_out)]
    step = common_step(min((files[file]["fps"] for file in lines["file"]), default=0.0))
    if step is None:
        return Conversations((), left_out, {})
    steps = windows.in_steps(step)
    people, covered = _people(dataset, lines, files, step)
    found = []
    for pair, two in lines.groupby("pair", sort=False):
        conversation = Conversation(pair, *(people[line] for line in two.index))
        if why := _why_too_little(conversation, steps, step):
            left_out[pair] = why
        else:
            found.append(conversation)
    return Conversations(tuple(found), left_out, covered, step, steps)


def _people(
    dataset: Dataset, lines: DataFrame, files: Mapping[str, Row], step: float
) -> tuple[dict[int, Person], dict[str, float]]:
    """Return the person of each line, and in which share of the frames with faces each is seen."""
    people, covered = {}, {}
    for file, of_file in lines.groupby("file", sort=False):
        frames = pd.read_parquet(dataset.part("frames", files[file]["folder"]))
        check_one_at_a_time(frames, of_file)
        for line, row in of_file.iterrows():
            face = face_seen_longest(frames) if pd.isna(row["face"]) else int(row["face"])
            people[line] = Person(row["person"], file, row["late"], person_curve(frames, face, row["late"], step))
            if face != ALL_FACES:
                covered[row["person"]] = coverage(frames, [face])
    return people, covered


def _why_unfit(file: Row | None, line: Row) -> str:
    """Return why a line of the list cannot be used; empty where it can."""
    name, late = line["file"], line["late"]
    if file is None or file["state"] != "done":
        return f"{name} was not analysed"
    if file["kind"] != "video":
        return f"{name} is a picture, which has no time"
    if common_step(file["fps"]) is None:
        return f"of {name}, fewer than one frame a second was looked at"
    end = file["seconds"] + (0.0 if pd.isna(file["begin"]) else file["begin"])
    return f"{name} ends at {end:.4g} s, and late is {late:g}" if late >= end else ""


def _why_one(first: Row, second: Row) -> str:
    """Return why two files are one recording, which is in step with itself; empty where they are not."""
    alike = first["sha256"] and first["sha256"] == second["sha256"] and first["file"] != second["file"]
    return f"{first['file']} and {second['file']} are the same recording" if alike else ""


def _why_too_little(conversation: Conversation, steps: Steps, step: float) -> str:
    """Return why a pair's recordings do not suffice; empty where they do."""
    people = (conversation.first, conversation.second)
    if unseen := [person.name for person in people if not np.isfinite(person.curve.values).any()]:
        return f"no usable frame shows {' and '.join(unseen)}"
    both = len(conversation.shared()[0])
    if not both:
        return "the recordings share no time; look at late"
    if both < steps.fewest:
        needed = f"a window with its lags takes {step * steps.fewest:g}"
        return f"the recordings share {step * both:.4g} s, and {needed}: choose a smaller --pair-window"
    return ""
