"""Where the frames of a file go: each kind of table is one sink, and none knows another.

A sink is a context manager that takes one `frame_record` after another, whatever columns these have beyond the faces.
What it writes is complete when it ends without an error.
"""

import csv
import json
from collections.abc import Iterable
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from analysis.output.tables import Record, columns, frame_rows


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

    def __init__(self, path: Path, file: str, *, uncorrected: bool = False) -> None:
        self._name, self._uncorrected = file, uncorrected
        self._file = path.open("w", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file)
        self._rows.writerow(columns(uncorrected=uncorrected))

    def append(self, record: Record) -> None:
        """Write the next frame."""
        for row in frame_rows(record, self._name, uncorrected=self._uncorrected):
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


def frame_sinks(folder: Path, file: str, width: int, height: int, *, uncorrected: bool) -> Sinks:
    """Return what writes the tables of a video's frames into a folder; sizes in pixels.

    They are CSV and JSON, and Parquet where the library for it is installed (requirements/studies.txt).
    """
    sinks: list[Sink] = [
        CsvSink(folder / "frames.csv", file, uncorrected=uncorrected),
        JsonSink(folder / "frames.json", width, height),
    ]
    if find_spec("pyarrow"):
        from analysis.output.parquet import ParquetSink

        sinks.append(ParquetSink(folder / "frames.parquet", file, uncorrected=uncorrected))
    return Sinks(sinks)
