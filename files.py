"""Files that are written whole, or not at all."""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from itertools import chain, count
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

from errors import ResultsError

MAX_NAME: Final = 200
"""Bytes of a name that leave room for what is added to it; file systems take 255."""


def printable(name: str) -> str:
    """Return a file's name with what is not UTF-8 replaced: names may be any bytes, which no font and no JSON has."""
    return os.fsencode(name).decode("utf-8", "replace")


def plain(text: str) -> str:
    """Return a text as one line, without characters that cannot be printed and without spaces around it."""
    return "".join(letter for letter in text if letter.isprintable()).strip()


def short_name(name: str) -> str:
    """Return a name for a folder that begins like another name, and has at most MAX_NAME bytes."""
    while len(os.fsencode(name)) > MAX_NAME:
        name = name[:-1]
    return name if name.strip(". ") else "results"


def unused(name: str, is_taken: Callable[[str], bool], numbered: str = "{}-{}") -> str:
    """Return a name, with a number behind it, from 2 on, where it is taken."""
    names = chain([name], (numbered.format(name, number) for number in count(2)))
    return next(found for found in names if not is_taken(found))


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, of the same suffixes, which takes the name of `path` once it is whole.

    Raises:
        ResultsError: It cannot be written, or `write` raises ValueError; what was at `path` before is still there.

    """
    partial = path.with_name(f".partial-{token_hex(4)}{''.join(path.suffixes[-2:])}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(partial)
        partial.replace(path)
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path} cannot be written: {error}.") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8.

    Raises:
        ResultsError: It cannot be written.

    """
    write_whole(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def write_json(figures: dict[str, Any], destination: str | None) -> None:
    """Write a command's figures to a file, for "-" to standard output, and for None nowhere.

    Raises:
        ResultsError: The file cannot be written.

    """
    if destination is None:
        return
    text = json.dumps(figures, indent=1, allow_nan=False)
    if destination == "-":
        print(text)
    else:
        write_text(Path(destination), text + "\n")
