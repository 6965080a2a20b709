"""Frames and their faces as rows of CSV and as JSON, written while the video is read."""

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from entities import EXPRESSIONS, Face

FACE_COLUMNS: Final = (
    *("face", "x", "y", "width", "height", "roll", "yaw", "profile"),
    *("expression", "confidence", "uncertain", *EXPRESSIONS),
)
COLUMNS: Final = ("frame", "time", *FACE_COLUMNS)
"""Time in seconds, boxes in pixels, probabilities 0-1; roll and yaw in degrees, empty where the detector does not tell.
Where a frame has no face, all after the time is empty."""
AS_SEEN_COLUMNS: Final = ("compared", *(f"as_seen_{name}" for name in EXPRESSIONS))
"""Where faces are compared with their resting faces: whether this one is (0 or 1), and its probabilities without."""

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
    return described | ({"as_seen": _named(face.as_seen)} if face.as_seen else {})


def _named(probabilities: Sequence[float]) -> dict[str, float]:
    return dict(zip(EXPRESSIONS, (round(p, _PROBABILITY_DIGITS) for p in probabilities), strict=True))


def face_record(face: Face) -> dict[str, Any]:
    """Return what `describe_face` does, with the number of the face's track as `id`."""
    return {"id": face.track_id, **describe_face(face)}


def face_row(face: Face) -> list[Any]:
    """Return the face as a row of FACE_COLUMNS."""
    record = face_record(face)
    return [
        record["id"],
        *record["box"],
        record["roll"],
        record["yaw"],
        int(record["profile"]),
        record["expression"],
        record["confidence"],
        int(record["uncertain"]),
        *record["probabilities"].values(),
    ]


def as_seen_row(face: Face) -> list[Any]:
    """Return the face as a row of AS_SEEN_COLUMNS."""
    return [int(bool(face.as_seen)), *_named(face.as_seen or face.probabilities).values()]


def frame_rows(index: int, time: float, faces: Sequence[Face], *, as_seen: bool = False) -> Iterator[list[Any]]:
    """Yield a row of COLUMNS (and AS_SEEN_COLUMNS, if wanted) a face, or a single row without one."""
    seconds = round(time, _DIGITS)
    for face in faces:
        yield [index, seconds, *face_row(face), *(as_seen_row(face) if as_seen else ())]
    if not faces:
        yield [index, seconds] + [""] * (len(FACE_COLUMNS) + (len(AS_SEEN_COLUMNS) if as_seen else 0))


class FrameTables:
    """`frames.csv` and `frames.json` in a folder, one row or record after the other. Use it as a context manager.

    The JSON is `{"width", "height", "frames": [{"frame", "time", "faces": [face_record]}]}`, one frame a line. With
    `as_seen`, the CSV has AS_SEEN_COLUMNS as well.
    """

    def __init__(self, folder: Path, width: int, height: int, *, as_seen: bool = False) -> None:
        self._as_seen = as_seen
        self._csv = (folder / "frames.csv").open("w", encoding="utf-8", newline="")
        self._json = (folder / "frames.json").open("w", encoding="utf-8")
        self._rows = csv.writer(self._csv)
        self._rows.writerow((*COLUMNS, *AS_SEEN_COLUMNS) if as_seen else COLUMNS)
        self._json.write(f'{{"width": {width}, "height": {height}, "frames": [')
        self._separator = "\n"

    def append(self, index: int, time: float, faces: Sequence[Face]) -> None:
        """Write one frame; `time` in seconds."""
        self._rows.writerows(frame_rows(index, time, faces, as_seen=self._as_seen))
        record = {"frame": index, "time": round(time, _DIGITS), "faces": [face_record(face) for face in faces]}
        self._json.write(self._separator + json.dumps(record))
        self._separator = ",\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._csv, self._json:
            if error is None:
                self._json.write("\n]}\n")
