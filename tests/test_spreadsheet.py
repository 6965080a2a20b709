"""Tables open in Excel, whatever its language, with numbers as numbers."""

import csv
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch
from xml.etree import ElementTree as ET

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
    monkeypatch.setattr(spreadsheet, "_MOST_ROWS", 4)
    found = cells(write_spreadsheet(write_table(tmp_path / "a.csv", ["frame"], *[[index] for index in range(9)])))
    assert found["A3"] == ("", "1")
    assert found["A4"] == ("inlineStr", "All other rows are in a.csv.")


def test_any_text_is_a_valid_cell(tmp_path: Path) -> None:
    """Signs of XML, control characters, spaces and what looks like an escape come back as they were."""
    texts = [
        "a < b & c > d",
        "line\nbreak",
        " spaces ",
        "bell\x07",
        "_x0041_",
        "\ufffe",
        "😀",
        "0x10",
        "x" * 40_000,
    ]
    path = write_spreadsheet(write_table(tmp_path / "a.csv", texts))
    with zipfile.ZipFile(path) as book:
        sheet = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314
    found = [cell.text or "" for cell in sheet.iter("{http://schemas.openxmlformats.org/spreadsheetml/2006/main}t")]
    escapes = re.compile("_x([0-9A-F]{4})_")
    read = [escapes.sub(lambda match: chr(int(match[1], 16)), text) for text in found]
    assert read == [*texts[:-1], "x" * 32_767]


def test_columns_beyond_z_have_two_letters(tmp_path: Path) -> None:
    """A table with many columns has all of them, each under its own name."""
    found = cells(write_spreadsheet(write_table(tmp_path / "a.csv", [f"c{index}" for index in range(704)])))
    assert found["Z1"] == ("inlineStr", "c25")
    assert found["AA1"] == ("inlineStr", "c26")
    assert found["ZZ1"] == ("inlineStr", "c701")
    assert found["AAB1"] == ("inlineStr", "c703")


def test_the_same_table_makes_the_same_file(tmp_path: Path) -> None:
    """Neither the hour nor the computer is in it."""
    table = write_table(tmp_path / "a.csv", ["frame"], [1])
    with patch("time.time", return_value=1e9):
        before = write_spreadsheet(table).read_bytes()
    assert write_spreadsheet(table).read_bytes() == before
