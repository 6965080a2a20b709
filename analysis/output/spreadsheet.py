"""The tables as Excel files: Excel opens a CSV file in one column where decimals are written with a comma."""

import csv
import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Final
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

_MOST_ROWS: Final = 1 << 20
"""Rows that a sheet can have."""
_LONGEST_TEXT: Final = 32_767
"""Characters that a cell can have."""
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?(e-?\d+)?")
_UNWRITABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
"""Characters that XML cannot have, and what would be read as one of them."""

_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_TYPES: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS: Final = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPES}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
    '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
}
"""A workbook of one sheet, but for this: what Office Open XML (ECMA-376, part 1) wants at least."""
_SHEET: Final = "xl/worksheets/sheet1.xml"
_HEAD: Final = (
    f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>'
)
_TAIL: Final = "</sheetData></worksheet>"


def write_spreadsheet(table: Path) -> Path:
    """Write a CSV file, whose first row names the columns, as an Excel file beside it; return its path.

    A sheet has a million rows at most; where there are more, its last one says where they are. The same table makes the
    same file.

    Raises:
        OSError: It cannot be written.

    """
    path = table.with_suffix(".xlsx")
    with table.open(encoding="utf-8", newline="") as file, ZipFile(path, "w") as book:
        for name, content in _PARTS.items():
            book.writestr(_entry(name), _XML + content)
        with book.open(_entry(_SHEET), "w") as sheet:
            _write_sheet(sheet, file, table.name)
    return path


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name)
    entry.compress_type = ZIP_DEFLATED
    return entry


def _write_sheet(sheet: IO[bytes], file: IO[str], name: str) -> None:
    sheet.write(_HEAD.encode())
    rows = csv.reader(file)
    columns: list[str] = []
    for number, row in enumerate(islice(rows, _MOST_ROWS - 1), start=1):
        columns = columns or [_letters(index) for index in range(len(row))]
        sheet.write(_row(number, columns, row).encode())
    if next(rows, None):
        sheet.write(_row(_MOST_ROWS, columns, [f"All other rows are in {name}."]).encode())
    sheet.write(_TAIL.encode())


def _row(number: int, columns: Sequence[str], texts: Sequence[str]) -> str:
    cells = "".join(_cell(f"{column}{number}", text) for column, text in zip(columns, texts, strict=False) if text)
    return f'<row r="{number}">{cells}</row>'


def _cell(place: str, text: str) -> str:
    """Return a cell with a number or a text."""
    if _NUMBER.fullmatch(text):
        return f'<c r="{place}"><v>{text}</v></c>'
    written = escape(_UNWRITABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", text[:_LONGEST_TEXT]))
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{written}</t></is></c>'


def _letters(index: int) -> str:
    """Return what a column is called: A to Z, AA, AB and so on, counted from 0."""
    return (_letters(index // 26 - 1) if index >= 26 else "") + chr(ord("A") + index % 26)
