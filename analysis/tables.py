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
COLUMNS: Final = ("frame", "time", *FACE_COLUMNS, "name")
"""Time in seconds, boxes in pixels, probabilities 0-1; roll and yaw in degrees, empty where the detector does not tell;
`name` is what somebody called the face. Where a frame has no face, all after the time is empty."""
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
    return record_row(face_record(face))


def record_row(record: dict[str, Any]) -> list[Any]:
    """Return what `face_record` returned as a row of FACE_COLUMNS."""
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
    return _as_seen_row(face_record(face))


def _as_seen_row(record: dict[str, Any]) -> list[Any]:
    return [int("as_seen" in record), *record.get("as_seen", record["probabilities"]).values()]


def frame_rows(record: dict[str, Any], *, as_seen: bool = False) -> Iterator[list[Any]]:
    """Yield a row of COLUMNS (and AS_SEEN_COLUMNS, if wanted) a face of a `frame_record`, or one without a face."""
    start = [record["frame"], record["time"]]
    for face in record["faces"]:
        yield [*start, *record_row(face), face.get("name", ""), *(_as_seen_row(face) if as_seen else ())]
    if not record["faces"]:
        yield start + [""] * (len(COLUMNS) - 2 + (len(AS_SEEN_COLUMNS) if as_seen else 0))


def frame_record(index: int, time: float, faces: Sequence[Face]) -> dict[str, Any]:
    """Return one frame as JSON writes it; `time` in seconds."""
    return {"frame": index, "time": round(time, _DIGITS), "faces": [face_record(face) for face in faces]}


def read_frames(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the `frame_record`s of a `frames.json`, one after the other: a long video's would take much memory."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith('{"frame"'):
                yield json.loads(line.rstrip().rstrip(","))


class FrameTables:
    """`frames.csv` and `frames.json` in a folder, one row or record after the other. Use it as a context manager.

    The JSON is `{"width", "height", "frames": [frame_record]}`, one frame a line. With `as_seen`, the CSV has
    AS_SEEN_COLUMNS as well.
    """

    def __init__(self, folder: Path, width: int, height: int, *, as_seen: bool = False) -> None:
        self._as_seen = as_seen
        self._csv = (folder / "frames.csv").open("w", encoding="utf-8", newline="")
        self._json = (folder / "frames.json").open("w", encoding="utf-8")
        self._rows = csv.writer(self._csv)
        self._rows.writerow((*COLUMNS, *AS_SEEN_COLUMNS) if as_seen else COLUMNS)
        self._json.write(f'{{"width": {width}, "height": {height}, "frames": [')
        self._separator = "\n"

    def append(self, record: dict[str, Any]) -> None:
        """Write one frame's `frame_record`."""
        self._rows.writerows(frame_rows(record, as_seen=self._as_seen))
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
