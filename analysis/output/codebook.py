"""The codebook of a run: what each column of each table means, as JSON and as a page.

`codebook.csv` beside this module has it. A column with {expression} stands for seven, one with {marker} for one each.
"""

import csv
import json
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from config import ROOT, VERSION
from entities import EXPRESSIONS
from files import write_text

NAME: Final = "codebook"
FIELDS: Final = ("meaning", "unit", "range", "empty", "over")
"""Of a column: what it says, its unit, which values it has, when it is empty, and over which frames it is taken."""
_SOURCE: Final = Path(__file__).with_name("codebook.csv")

Codebook = dict[str, dict[str, dict[str, str]]]
"""By table and column: FIELDS."""


@cache
def codebook() -> Codebook:
    """Return the codebook of all tables."""
    book: Codebook = {}
    with _SOURCE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for name in EXPRESSIONS if "{expression}" in row["column"] else ("",):
                column = row["column"].replace("{expression}", name)
                book.setdefault(row["table"], {})[column] = {field: row[field] for field in FIELDS}
    return book


def write_codebook(out: Path) -> None:
    """Write codebook.json and codebook.html into a run's folder.

    Raises:
        ResultsError: They cannot be written.

    """
    content = {"version": VERSION, "expressions": EXPRESSIONS, "tables": codebook()}
    write_text(out / f"{NAME}.json", json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    write_text(out / f"{NAME}.html", _page())


def _page() -> str:
    environment = Environment(loader=FileSystemLoader(ROOT / "templates"), autoescape=True, undefined=StrictUndefined)
    with _SOURCE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    tables = {row["table"]: [other for other in rows if other["table"] == row["table"]] for row in rows}
    page: str = environment.get_template("codebook.html").render(tables=tables, version=VERSION)
    return page
