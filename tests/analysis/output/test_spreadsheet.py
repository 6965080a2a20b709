"""Tables open in Excel, whatever its language, with numbers as numbers."""

import csv
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from analysis.output import spreadsheet
from analysis.output.spreadsheet import write_spreadsheet


def write_table(path: Path, *rows: Sequence[object]) -> Path:
    """Write a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def cells(path: Path) -> dict[str, tuple[str, str]]:
    """Return the cells of the only sheet by their names, with their types and contents."""
    with zipfile.ZipFile(path) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    found = re.findall(r'<c r="([A-Z]+[0-9]+)"(?: s="[0-9]+")?(?: t="(\w+)")?>(.*?)</c>', sheet)
    return {name: (kind, re.sub(r"<[^>]+>", "", content)) for name, kind, content in found}


def test_numbers_are_numbers_and_words_are_words(tmp_path: Path) -> None:
    """A time of 0.04 s is a number even where decimals have a comma, and nothing is a formula or a link."""
    rows: list[list[object]] = [["frame", "time", "shows"], [1, 0.04, "Happy"], [2, 0.08, "=1+1"], [3, "", "http://a"]]
    path = write_spreadsheet(write_table(tmp_path / "frames.csv", *rows))
    assert path == tmp_path / "frames.xlsx"
    found = cells(path)
    assert found["A1"] == ("inlineStr", "frame")
    assert found["B2"] == ("", "0.04")
    assert found["C2"] == ("inlineStr", "Happy")
    assert found["C3"] == ("inlineStr", "=1+1")
    assert found["C4"] == ("inlineStr", "http://a")
    assert "B4" not in found


def test_more_rows_than_a_sheet_has_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last row says where the others are; nothing is left out without a word."""
    monkeypatch.setattr(spreadsheet, "_MAX_ROWS", 4)
    found = cells(write_spreadsheet(write_table(tmp_path / "a.csv", ["frame"], *[[index] for index in range(9)])))
    assert found["A3"] == ("", "1")
    assert found["A4"] == ("inlineStr", "All other rows are in a.csv.")
