"""The lists that a researcher gives as CSV: read and checked."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from pandas import DataFrame, Series, to_numeric

from analysis.batch.encodings import OLD, encoding_of
from analysis.recording.times import parse_time
from errors import StudyError

EMPTY: Final = frozenset(("", "na", "n/a", "nan", "null", "#n/a"))
"""What R, pandas and spreadsheets write where there is nothing, in any case."""
_SEPARATORS: Final = ",;\t"
_MAX_NAMED: Final = 5
"""Names that a note lists at most."""
_EXCEL: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How .xlsx and .xls files begin."""


def read_list(path: Path, required: Sequence[str], optional: Sequence[str] = (), *, others: bool = False) -> DataFrame:
    """Return the named columns of a CSV file, and `others` if wanted, as texts without spaces around them.

    Indices are numbers of lines.

    Commas, semicolons and tabs separate columns, as spreadsheets of different countries write them, in any encoding
    that they write. What stands for nothing (EMPTY) is an empty text.

    Raises:
        StudyError: It cannot be read, lacks a column or all rows, or has a row with more columns than the first line.

    """
    wanted = ", ".join(required)
    rows = list(_rows(path, _text(path), wanted))
    if not rows:
        raise StudyError(f"{path}: is not a CSV file with the columns {wanted} (it is empty).")
    header = [name.strip().lower() for name in rows[0][1]]
    missing = [name for name in required if name not in header]
    if missing:
        found = ", ".join(header)
        raise StudyError(
            f"{path}: there is no column {' and no column '.join(missing)}. Its first line has to name the columns "
            f"{wanted}; it names {found}."
        )
    names = [*required, *(name for name in header if name in optional or (others and name not in required))]
    names = [name for name in dict.fromkeys(names) if name]
    for name in names:
        if header.count(name) > 1:
            raise StudyError(f"{path}: there are {header.count(name)} columns {name}. Rename all but one.")
    places = [header.index(name) for name in names]
    for line, cells in rows[1:]:
        if any(cells[len(header) :]):
            raise StudyError(
                f"{path}: line {line} has {len(cells)} columns, and the first line {len(header)}. Put a text that has "
                "commas or semicolons in it between quotation marks."
            )
    full = {line: [_cell(cells, place) for place in places] for line, cells in rows[1:]}
    table = DataFrame.from_dict({line: cells for line, cells in full.items() if any(cells)}, "index", columns=names)
    if table.empty:
        raise StudyError(f"{path}: has no rows below its first line.")
    return table


def with_numbers(table: DataFrame, texts: Sequence[str]) -> DataFrame:
    """Return a list whose columns, but for `texts`, are numbers where all that they have are."""
    return table.assign(**{name: _as_numbers(table[name]) for name in table.columns if name not in texts})


def _as_numbers(column: Series) -> Series:
    """Return a column of texts as numbers, where all that it has are, with decimal points or commas."""
    numbers = to_numeric(column.str.replace(",", ".", regex=False).replace("", None), errors="coerce")
    return column if (numbers.isna() & (column != "")).any() else numbers


def seconds(text: str, where: str) -> float:
    """Return a time in a list in seconds; `where` is for messages.

    Raises:
        StudyError: It is none.

    """
    try:
        return parse_time(text)
    except ValueError as error:
        raise StudyError(f"{where}: {error}") from None


def encoding_note(path: Path) -> list[str]:
    """Return a note on a list whose encoding had to be guessed."""
    if encoding_of(path.read_bytes()) != OLD:
        return []
    return [f"{path.name}: is not UTF-8, and was read as Windows-1252. If letters are wrong, save it as “CSV UTF-8”."]


def shortened(names: Iterable[str]) -> str:
    """Return the first few names as a note has them, and how many more there are."""
    known = list(names)
    more = len(known) - _MAX_NAMED
    return ", ".join(known[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        if data.startswith(_EXCEL):
            raise StudyError(f"{path}: is a spreadsheet's own file. In the spreadsheet, save it as “CSV UTF-8”.")
        return data.decode(encoding_of(data))
    except OSError as error:
        raise StudyError(f"{path}: cannot be read ({error.strerror}). Check its name.") from error
    except UnicodeDecodeError as error:
        raise StudyError(f"{path}: is not text in UTF-8. In a spreadsheet, save it as “CSV UTF-8”.") from error


def _rows(path: Path, text: str, wanted: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not empty, each with the number of the line that it begins in."""
    first, _, rest = text.partition("\n")
    skipped = 0
    separator = max(_SEPARATORS, key=first.count)
    if first.strip().lower().startswith("sep="):  # which Excel reads, and writes for it to be read
        separator, text, skipped = first.strip("\r\n")[4:5] or ",", rest, 1
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1 + skipped
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1 + skipped
    except csv.Error as error:
        raise StudyError(f"{path}: is not a CSV file with the columns {wanted} (line {line}: {error}).") from error


def _cell(cells: Sequence[str], place: int) -> str:
    text = cells[place].strip() if place < len(cells) else ""
    return "" if text.lower() in EMPTY else text
