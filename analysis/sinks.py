"""Where the frames of a file go: each kind of table is one sink, and none knows another.

A sink is a context manager that takes one `frame_record` after another, whatever columns these have beyond the faces.
What it writes is complete when it ends without an error.
"""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.tables import columns, frame_rows

Record = Mapping[str, Any]
"""What `tables.frame_record` returns."""

_ROW_GROUP: Final = 20_000
"""Rows that are kept in memory before they are written."""
_INTEGERS: Final = ("face", "x", "y", "width", "height")
_BOOLEANS: Final = ("profile", "uncertain", "usable", "compared")
_TEXTS: Final = ("file", "name", "expression", "marker")


class Sink(Protocol):
    """Takes the frames of one file."""

    def append(self, record: Record) -> None:
        """Take the next frame."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class CsvSink:
    """A CSV file with a row of `tables.columns` a face and frame; yes and no are 1 and 0."""

    def __init__(self, path: Path, file: str, *, as_seen: bool = False) -> None:
        self._name, self._as_seen = file, as_seen
        self._file = path.open("w", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file)
        self._rows.writerow(columns(as_seen=as_seen))

    def append(self, record: Record) -> None:
        """Write the next frame."""
        for row in frame_rows(record, self._name, as_seen=self._as_seen):
            self._rows.writerow([int(value) if isinstance(value, bool) else value for value in row])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


class JsonSink:
    """A JSON file `{"width", "height", "frames": [frame_record]}`, one frame a line."""

    def __init__(self, path: Path, width: int, height: int) -> None:
        self._file = path.open("w", encoding="utf-8")
        self._file.write(f'{{"width": {width}, "height": {height}, "frames": [')
        self._separator = "\n"

    def append(self, record: Record) -> None:
        """Write the next frame."""
        self._file.write(self._separator + json.dumps(record))
        self._separator = ",\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file:
            if error is None:
                self._file.write("\n]}\n")


class ParquetSink:
    """A Parquet file with the columns and types of `frames_table`, in groups of rows."""

    def __init__(self, path: Path, file: str, *, as_seen: bool = False) -> None:
        self._file, self._as_seen = file, as_seen
        self._rows: list[list[Any]] = []
        self._schema = pa.Schema.from_pandas(_typed([], as_seen=as_seen), preserve_index=False)
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")

    def append(self, record: Record) -> None:
        """Take the next frame; it is written with its group."""
        self._rows += frame_rows(record, self._file, as_seen=self._as_seen)
        if len(self._rows) >= _ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        table = pa.Table.from_pandas(_typed(self._rows, as_seen=self._as_seen), self._schema, preserve_index=False)
        self._writer.write_table(table)
        self._rows = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._writer:
            if error is None and self._rows:
                self._flush()


class Sinks:
    """Several sinks as one."""

    def __init__(self, sinks: Iterable[Sink]) -> None:
        with ExitStack() as stack:
            self._sinks = [stack.enter_context(sink) for sink in sinks]
            self._stack = stack.pop_all()

    def append(self, record: Record) -> None:
        """Give each the next frame."""
        for sink in self._sinks:
            sink.append(record)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)


def frame_sinks(folder: Path, file: str, width: int, height: int, *, as_seen: bool) -> Sinks:
    """Return what writes the tables of a video's frames (CSV, JSON, Parquet) into a folder; sizes in pixels."""
    return Sinks(
        [
            CsvSink(folder / "frames.csv", file, as_seen=as_seen),
            JsonSink(folder / "frames.json", width, height),
            ParquetSink(folder / "frames.parquet", file, as_seen=as_seen),
        ]
    )


def frames_table(records: Iterable[Record], file: str, *, as_seen: bool = False) -> pd.DataFrame:
    """Return the frames as a table, a row a face and frame, and one where a frame has no face.

    Columns are those of `tables.columns`: numbers are float64, or Int32 and boolean, which may be missing.
    """
    return _typed([row for record in records for row in frame_rows(record, file, as_seen=as_seen)], as_seen=as_seen)


def _typed(rows: Sequence[Sequence[Any]], *, as_seen: bool) -> pd.DataFrame:
    names = columns(as_seen=as_seen)
    values = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(names, ())
    return pd.DataFrame({name: _column(name, found) for name, found in values.items()})


def _column(name: str, values: Sequence[Any]) -> pd.Series:
    if name in _TEXTS:
        return pd.Series([value or "" for value in values], dtype="str")
    kind = (
        "int64" if name == "frame" else "Int32" if name in _INTEGERS else "boolean" if name in _BOOLEANS else "float64"
    )
    return pd.Series(values, dtype=kind)
