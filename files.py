"""Files that are written whole, or not at all."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

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
