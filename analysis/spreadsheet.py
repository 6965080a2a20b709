"""The tables as Excel files: Excel opens a CSV file in one column where decimals are written with a comma."""

import csv
from itertools import islice
from pathlib import Path
from typing import Final

import xlsxwriter

_MOST_ROWS: Final = 1 << 20
"""Rows that a sheet can have."""
_OPTIONS: Final = {
    "constant_memory": True,
    "strings_to_numbers": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
}


def write_spreadsheet(table: Path) -> Path:
    """Write a CSV file, whose first row names the columns, as an Excel file beside it; return its path.

    A sheet has a million rows at most; where there are more, its last one says where they are.

    Raises:
        OSError: It cannot be written.

    """
    path = table.with_suffix(".xlsx")
    with table.open(encoding="utf-8", newline="") as file, xlsxwriter.Workbook(path, _OPTIONS) as book:
        sheet = book.add_worksheet()
        sheet.freeze_panes(1, 0)
        rows = csv.reader(file)
        for number, row in enumerate(islice(rows, _MOST_ROWS - 1)):
            sheet.write_row(number, 0, row)
        if next(rows, None):
            sheet.write_string(_MOST_ROWS - 1, 0, f"All other rows are in {table.name}.")
    return path
