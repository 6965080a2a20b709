"""Files that are written whole, or not at all."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from errors import ResultsError


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, of the same suffix, which takes the name of `path` once it is whole.

    Raises:
        ResultsError: It cannot be written, or `write` raises ValueError; what was at `path` before is still there.

    """
    partial = path.with_name(f".partial-{path.name}")
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
