"""Frames and their faces as records, as JSON has them, and as rows of the tables."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from entities import EXPRESSIONS, Face
from expressions.valence import valence
from vision.quality import Quality

Record = Mapping[str, Any]
"""What `frame_record` returns."""
Append = Callable[[Record], None]
"""Takes the next frame."""
COLUMNS: Final = (
    *("file", "frame", "time", "duration", "face", "name", "x", "y", "width", "height", "roll", "yaw", "profile"),
    *("expression", "confidence", "uncertain", *EXPRESSIONS, "most_probable", "valence"),
    *("face_height", "sharpness", "brightness", "score", "usable"),
)
"""Of every table of frames. Times and durations in seconds, boxes and `face_height` in pixels, probabilities 0-1,
`valence` -1 to 1; roll and yaw in degrees and `score` are empty where the detector does not tell. `name` is what
somebody called the face. `expression` is the one that is shown, which is held against small changes; `most_probable`
has the largest of the seven probabilities. Where a frame has no face, all from `face` on is empty."""
AS_SEEN_COLUMNS: Final = ("compared", *(f"as_seen_{name}" for name in EXPRESSIONS))
"""Where faces are compared with their resting faces: whether this one is, and its probabilities without."""
LAST_COLUMNS: Final = ("marker",)
"""What was going on in the frame, as somebody said; mostly empty."""

_DIGITS: Final = 4
_PROBABILITY_DIGITS: Final = 6
"""The small ones count too, where faces are compared with their rest."""


def describe_face(face: Face) -> dict[str, Any]:
    """Return a face's box, how its head is held, expression, confidence and probabilities, rounded, as for JSON.

    Where it is compared with its resting face, `as_seen` has the probabilities without.
    """
    box = face.box
    described = {
        "box": [box.x, box.y, box.width, box.height],
        "corners": [[round(x, 1), round(y, 1)] for x, y in face.corners],
        "roll": None if face.roll is None else round(face.roll, 1),
        "yaw": None if face.yaw is None else round(face.yaw, 1),
        "profile": face.profile,
        "expression": face.expression,
        "confidence": round(face.confidence, _DIGITS),
        "uncertain": face.uncertain,
        "probabilities": _named(face.probabilities),
    }
    return described | ({"as_seen": _named(face.uncorrected)} if face.uncorrected else {})


def _named(probabilities: Sequence[float]) -> dict[str, float]:
    return dict(zip(EXPRESSIONS, (round(p, _PROBABILITY_DIGITS) for p in probabilities), strict=True))


def face_record(face: Face) -> dict[str, Any]:
    """Return what `describe_face` does, with the number of the face's track as `id`."""
    return {"id": face.track_id, **describe_face(face)}


def quality_record(face: Face, quality: Quality) -> dict[str, Any]:
    """Return what tables have beyond the face, rounded: the largest probability's name, valence, quality."""
    return {
        "most_probable": EXPRESSIONS[int(np.argmax(face.probabilities))],
        "valence": round(valence(face.probabilities), _PROBABILITY_DIGITS),
        "face_height": round(quality.face_height, 1),
        "sharpness": round(quality.sharpness, _DIGITS),
        "brightness": round(quality.brightness, 1),
        "score": None if quality.score is None else round(quality.score, _DIGITS),
        "usable": quality.usable,
    }


def frame_record(
    index: int, time: float, duration: float, faces: Sequence[Face], extra: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return one frame as JSON writes it.

    Args:
        index: Of the frame in its file.
        time: Seconds from the first frame.
        duration: Seconds for which it stands: to the next frame that is looked at.
        faces: In it.
        extra: What is told of each face beyond that, by column.

    """
    return {
        "frame": index,
        "time": round(time, _DIGITS),
        "duration": round(duration, _DIGITS),
        "faces": [{**face_record(face), **more} for face, more in zip(faces, extra, strict=True)],
    }


def columns(*, uncorrected: bool) -> tuple[str, ...]:
    """Return the columns of a table of frames."""
    return (*COLUMNS, *(AS_SEEN_COLUMNS if uncorrected else ()), *LAST_COLUMNS)


def frame_rows(record: Mapping[str, Any], file: str, *, uncorrected: bool) -> Iterator[list[Any]]:
    """Yield a row of `columns` a face of a `frame_record`, or one without a face; None where there is nothing."""
    start = [file, record["frame"], record["time"], record["duration"]]
    marker = record.get("marker", "")
    for face in record["faces"]:
        seen = [("as_seen" in face), *face.get("as_seen", face["probabilities"]).values()] if uncorrected else []
        yield [*start, *_face_values(face), *seen, marker]
    if not record["faces"]:
        missing = len(columns(uncorrected=uncorrected)) - len(start) - 1
        yield [*start, *[None] * missing, marker]


def _face_values(face: Mapping[str, Any]) -> list[Any]:
    return [
        face["id"],
        face.get("name", ""),
        *face["box"],
        *(face[name] for name in ("roll", "yaw", "profile", "expression", "confidence", "uncertain")),
        *face["probabilities"].values(),
        face.get("most_probable", ""),  # which results of earlier versions lack
        *(face[name] for name in ("valence", "face_height", "sharpness", "brightness", "score", "usable")),
    ]


def read_frames(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the `frame_record`s of a `frames.json`, one after the other: a long video's would take much memory."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith('{"frame"'):
                yield json.loads(line.rstrip().rstrip(","))
