"""The resting faces of the people in a recording: in a time that is asked for, found, or loaded from a file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, inf, nan
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from analysis.recording.times import parse_span
from entities import EXPRESSIONS
from errors import RestError
from expressions.resting import RestingFace
from expressions.stillness import MIN_RATE, MIN_RECORDING, MIN_REST, Spans, resting_spans
from pipeline import RawFace

AUTO: Final = "auto"
HOW: Final = "Write a time such as 0:03-0:06 in which the faces are at rest, or auto."
_DOUBTFUL: Final = 0.9
"""A rest that shows an expression other than Neutral with this probability may be none."""

Track = Sequence[tuple[float, tuple[float, ...]]]
"""When a face was seen (seconds), and its probabilities then."""
Kind = Literal["asked", "found", "loaded"]


@dataclass(frozen=True, slots=True)
class BaselineSource:
    """Where a recording's resting faces come from."""

    kind: Kind
    span: tuple[float, float] | None = None
    """For "asked": from when to when, in seconds."""
    loaded: RestingFace | None = None
    """For "loaded": the rest of the face that is seen longest."""


@dataclass(frozen=True, slots=True)
class KnownRest:
    """One face's rest, and when it was seen."""

    rest: RestingFace
    spans: Spans


def parse_rest(text: str) -> BaselineSource:
    """Read "auto", or a span of time.

    Raises:
        RestError: It is neither, or ends before it begins.

    """
    if text.strip().lower() == AUTO:
        return BaselineSource("found")
    try:
        begin, end = parse_span(text)
    except ValueError:
        raise RestError(f"A rest cannot be {text[:40]!r}. {HOW}") from None
    if begin >= end:
        raise RestError(f"The rest {text.strip()} ends before it begins. {HOW}")
    return BaselineSource("asked", (begin, end))


def rest_between(span: Sequence[float]) -> BaselineSource:
    """Return the rest that is seen from one second to another.

    Raises:
        RestError: These are not two numbers, the first one below the other.

    """
    try:
        begin, end = (float(second) for second in span)
    except (TypeError, ValueError):
        begin = end = nan
    if not 0 <= begin < end:
        raise RestError(f"A rest cannot be {span!r}. Give two numbers of seconds, such as (3, 6), or a text. {HOW}")
    return BaselineSource("asked", (begin, end))


def load_rest(path: Path) -> RestingFace:
    """Read a resting face that the page saved.

    Raises:
        RestError: The file cannot be read, or holds none.
        ProbabilityError: Its numbers are not probabilities.

    """
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RestError(f"There is no file {path}. {HOW}") from None
    except (OSError, ValueError) as error:
        raise RestError(f"{path} cannot be read as a resting face: {error}.") from error
    return RestingFace.from_record(saved.get("resting_face") if isinstance(saved, Mapping) else None)


def known_rests(
    wanted: BaselineSource, frames: Sequence[tuple[float, Sequence[RawFace]]], duration: float
) -> dict[int, KnownRest]:
    """Return the rests by face.

    Args:
        wanted: Where they come from.
        frames: The time (seconds, rising) and the faces of every frame.
        duration: Seconds of the recording.

    Raises:
        RestError: In the time that was asked for, no face is seen.

    """
    tracks: dict[int, list[tuple[float, tuple[float, ...]]]] = {}
    for time, raw_faces in frames:
        for face in raw_faces:
            tracks.setdefault(face.track_id, []).append((time, face.raw))
    if wanted.loaded:
        longest = max(tracks, key=lambda number: len(tracks[number]), default=None)
        return {} if longest is None else {longest: KnownRest(wanted.loaded, [])}
    if wanted.span:
        return _asked(tracks, wanted.span)
    if duration < MIN_RECORDING:
        return {}
    found = {number: resting_spans(*zip(*track, strict=True)) for number, track in tracks.items()}
    return {number: _within(tracks[number], spans) for number, spans in found.items() if spans}


def rest_record(
    wanted: BaselineSource, rests: Mapping[int, KnownRest], duration: float, rate: float = inf
) -> dict[str, Any]:
    """Return what the results say of the rests: which faces were compared with what, and seen when (seconds).

    Args:
        wanted: Where they come from.
        rests: As `known_rests` returned them.
        duration: Seconds of the recording.
        rate: Frames a second that were looked at.

    """
    return {
        "kind": wanted.kind,
        "faces": [
            {
                "id": number,
                "spans": [[round(begin, 4), round(end, 4)] for begin, end in known.spans],
                "probabilities": known.rest.record(),
            }
            for number, known in sorted(rests.items())
        ],
        "note": _doubts(rests) if rests else _why_none(wanted, duration, rate),
    }


def _doubts(rests: Mapping[int, KnownRest]) -> str:
    """Return which faces did not look at rest, if any."""
    doubtful = [
        f"face {number} looked {EXPRESSIONS[top]} ({known.rest.probabilities[top]:.0%})"
        for number, known in sorted(rests.items())
        if EXPRESSIONS[top := int(np.argmax(known.rest.probabilities))] != "Neutral"
        and known.rest.probabilities[top] >= _DOUBTFUL
    ]
    return f"At rest, {', '.join(doubtful)}. If that was no rest, choose another time." if doubtful else ""


def _why_none(wanted: BaselineSource, duration: float, rate: float) -> str:
    if wanted.kind == "found" and duration < MIN_RECORDING:
        return f"No resting face was looked for: that takes a recording of {MIN_RECORDING:g} seconds or more."
    if wanted.kind == "found" and rate < MIN_RATE:
        return (
            f"No resting face was looked for: that takes {ceil(10 * MIN_RATE) / 10:g} frames a second or more, and "
            f"{rate:.2g} were looked at. Choose a higher --fps or a smaller --every, or give a time of rest."
        )
    if wanted.kind == "found":
        return f"No resting face was found: none was still for {MIN_REST:g} seconds without a clear expression."
    return "No face was found."


def _asked(tracks: Mapping[int, Track], span: tuple[float, float]) -> dict[int, KnownRest]:
    begin, end = span
    seen = {number: [(time, row) for time, row in track if begin <= time <= end] for number, track in tracks.items()}
    rests = {number: _within(track, [(track[0][0], track[-1][0])]) for number, track in seen.items() if track}
    if not rests:
        raise RestError(f"From {begin:g} to {end:g} seconds no face is seen, so there is no rest to compare with.")
    return rests


def _within(track: Track, spans: Spans) -> KnownRest:
    rows = [row for time, row in track if any(begin <= time <= end for begin, end in spans)]
    return KnownRest(RestingFace.of(rows), spans)
