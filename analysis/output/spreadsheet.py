"""The tables as Excel files: Excel opens a CSV file in one column where decimals are written with a comma."""

import csv
import re
from itertools import islice
from pathlib import Path
from typing import Final

import xlsxwriter

_MAX_ROWS: Final = 1 << 20
"""Rows that a sheet can have."""
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?(e-?\d+)?")


def write_spreadsheet(table: Path) -> Path:
    """Write a CSV file, whose first row names the columns, as an Excel file beside it; return its path.

    A sheet has a million rows at most; where there are more, its last one says where they are.

    Raises:
        OSError: It cannot be written.

    """
    path = table.with_suffix(".xlsx")
    with table.open(encoding="utf-8", newline="") as file, xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.freeze_panes(1, 0)
        rows = csv.reader(file)
        for number, row in enumerate(islice(rows, _MAX_ROWS - 1)):
            for column, text in enumerate(row):
                _write(sheet, number, column, text)
        if next(rows, None):
            sheet.write_string(_MAX_ROWS - 1, 0, f"All other rows are in {table.name}.")
    return path


def _write(sheet: xlsxwriter.worksheet.Worksheet, row: int, column: int, text: str) -> None:
    """Write a number or a text: to be told which is faster than to let the library find out."""
    if _NUMBER.fullmatch(text):
        sheet.write_number(row, column, float(text))
    elif text:
        sheet.write_string(row, column, text)
