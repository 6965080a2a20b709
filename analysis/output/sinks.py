"""Where the frames of a file go: each kind of table is one sink, and none knows another.

A sink is a context manager that gives a function, which takes one `frame_record` after another, whatever columns these
have beyond the faces. What it writes is complete when it ends without an error.
"""

import csv
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from itertools import chain, repeat
from pathlib import Path

from analysis.output.tables import Append, Record, columns, frame_rows


@contextmanager
def csv_sink(path: Path, file: str, *, uncorrected: bool) -> Iterator[Append]:
    """Write a CSV file with a row of `tables.columns` a face and frame; yes and no are 1 and 0."""
    with path.open("w", encoding="utf-8", newline="") as text:
        rows = csv.writer(text)
        rows.writerow(columns(uncorrected=uncorrected))

        def append(record: Record) -> None:
            for row in frame_rows(record, file, uncorrected=uncorrected):
                rows.writerow([int(value) if isinstance(value, bool) else value for value in row])

        yield append


@contextmanager
def json_sink(path: Path, width: int, height: int) -> Iterator[Append]:
    """Write a JSON file `{"width", "height", "frames": [frame_record]}`, one frame a line."""
    with path.open("w", encoding="utf-8") as text:
        text.write(f'{{"width": {width}, "height": {height}, "frames": [')
        separators = chain(["\n"], repeat(",\n"))

        def append(record: Record) -> None:
            text.write(next(separators) + json.dumps(record))

        yield append
        text.write("\n]}\n")


@contextmanager
def frame_sinks(folder: Path, file: str, width: int, height: int, *, uncorrected: bool) -> Iterator[Append]:
    """Write the tables of a video's frames into a folder; sizes in pixels.

    They are CSV and JSON, and Parquet where the library for it is installed (requirements/studies.txt).
    """
    sinks = [csv_sink(folder / "frames.csv", file, uncorrected=uncorrected)]
    sinks += [json_sink(folder / "frames.json", width, height)]
    if find_spec("pyarrow"):
        from analysis.output.parquet import parquet_sink

        sinks += [parquet_sink(folder / "frames.parquet", file, uncorrected=uncorrected)]
    with ExitStack() as stack:
        appends = [stack.enter_context(sink) for sink in sinks]

        def append(record: Record) -> None:
            for append_to in appends:
                append_to(record)

        yield append
