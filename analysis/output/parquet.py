"""The frames of a file as a pandas table and as Parquet, for studies: what a page alone needs does without."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.output.tables import Append, Record, columns, frame_rows

_ROW_GROUP: Final = 20_000
"""Rows that are kept in memory before they are written."""
_INTEGERS: Final = ("face", "x", "y", "width", "height")
_BOOLEANS: Final = ("profile", "uncertain", "usable", "compared")
_TEXTS: Final = ("file", "name", "expression", "most_probable", "marker")


@contextmanager
def parquet_sink(path: Path, file: str, *, uncorrected: bool) -> Iterator[Append]:
    """Write a Parquet file with the columns and types of `frames_table`, in groups of rows."""
    rows: list[list[Any]] = []
    schema = pa.Schema.from_pandas(_typed([], uncorrected=uncorrected), preserve_index=False)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:

        def flush() -> None:
            table = _typed(rows, uncorrected=uncorrected)
            writer.write_table(pa.Table.from_pandas(table, schema, preserve_index=False))
            rows.clear()

        def append(record: Record) -> None:
            rows.extend(frame_rows(record, file, uncorrected=uncorrected))
            if len(rows) >= _ROW_GROUP:
                flush()

        yield append
        if rows:
            flush()


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
