"""The frames of a file as a pandas table and as Parquet, for studies: what a page alone needs does without."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.output.tables import Record, columns, frame_rows

_ROW_GROUP: Final = 20_000
"""Rows that are kept in memory before they are written."""
_INTEGERS: Final = ("face", "x", "y", "width", "height")
_BOOLEANS: Final = ("profile", "uncertain", "usable", "compared")
_TEXTS: Final = ("file", "name", "expression", "most_probable", "marker")


class ParquetSink:
    """A Parquet file with the columns and types of `frames_table`, in groups of rows."""

    def __init__(self, path: Path, file: str, *, uncorrected: bool = False) -> None:
        self._file, self._uncorrected = file, uncorrected
        self._rows: list[list[Any]] = []
        self._schema = pa.Schema.from_pandas(_typed([], uncorrected=uncorrected), preserve_index=False)
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")

    def append(self, record: Record) -> None:
        """Take the next frame; it is written with its group."""
        self._rows += frame_rows(record, self._file, uncorrected=self._uncorrected)
        if len(self._rows) >= _ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        table = pa.Table.from_pandas(
            _typed(self._rows, uncorrected=self._uncorrected), self._schema, preserve_index=False
        )
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


def frames_table(records: Iterable[Record], file: str, *, uncorrected: bool = False) -> pd.DataFrame:
    """Return the frames as a table, a row a face and frame, and one where a frame has no face.

    Columns are those of `tables.columns`: numbers are float64, or Int32 and boolean, which may be missing.
    """
    return _typed(
        [row for record in records for row in frame_rows(record, file, uncorrected=uncorrected)],
        uncorrected=uncorrected,
    )


def _typed(rows: Sequence[Sequence[Any]], *, uncorrected: bool) -> pd.DataFrame:
    names = columns(uncorrected=uncorrected)
    values = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(names, ())
    return pd.DataFrame({name: _column(name, found) for name, found in values.items()})


def _column(name: str, values: Sequence[Any]) -> pd.Series:
    if name in _TEXTS:
        return pd.Series([value or "" for value in values], dtype="str")
    kind = (
        "int64" if name == "frame" else "Int32" if name in _INTEGERS else "boolean" if name in _BOOLEANS else "float64"
    )
    return pd.Series(values, dtype=kind)
