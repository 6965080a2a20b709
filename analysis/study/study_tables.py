"""The lists that a researcher gives as CSV: read, checked, and matched with the files of a run."""

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from pandas import DataFrame, read_csv
from pandas.errors import EmptyDataError, ParserError

from errors import StudyError

_MOST_NAMED: Final = 5
"""Names that a note lists at most."""


def read_list(path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> DataFrame:
    """Return the named columns of a CSV file as texts without spaces around them; indices are numbers of lines.

    Commas, semicolons and tabs separate columns, as spreadsheets of different countries write them.

    Raises:
        StudyError: It cannot be read, or lacks a column or all rows.

    """
    wanted = ", ".join(required)
    try:
        text = path.read_text("utf-8-sig")
        header = text.partition("\n")[0]
        separator = max(",;\t", key=header.count)
        table = read_csv(path, sep=separator, dtype=str, keep_default_na=False, index_col=False, encoding="utf-8-sig")
    except OSError as error:
        raise StudyError(f"{path}: cannot be read ({error.strerror}). Check its name.") from error
    except UnicodeDecodeError as error:
        raise StudyError(f"{path}: is not UTF-8. In a spreadsheet, save it as “CSV UTF-8”.") from error
    except (EmptyDataError, ParserError) as error:
        raise StudyError(f"{path}: is not a CSV file with the columns {wanted} ({error}).") from error
    table.columns = table.columns.str.strip().str.lower()
    missing = [name for name in required if name not in table.columns]
    if missing:
        found = ", ".join(table.columns)
        raise StudyError(
            f"{path}: there is no column {' and no column '.join(missing)}. Its first line has to name the columns "
            f"{wanted}; it names {found}."
        )
    columns = [*required, *(name for name in optional if name in table.columns)]
    table = table[columns].apply(lambda column: column.str.strip())
    table.index += 2
    table = table[(table != "").any(axis=1)]
    if table.empty:
        raise StudyError(f"{path}: has no rows below its first line.")
    return table


def run_names(path: Path, names: Iterable[str], files: Sequence[str]) -> dict[str, str]:
    """Return which file of a run each name means: a whole name, the end of a path, or that without its suffix.

    Args:
        path: The list, for messages.
        names: As the list has them.
        files: As the run names them.

    Returns:
        The names that mean a file, with that file; the others are left out.

    Raises:
        StudyError: A name means several files, two names mean one, or none of the names means any.

    """
    wanted = list(dict.fromkeys(names))
    found: dict[str, str] = {}
    for name in wanted:
        meant = _meant(name.replace("\\", "/"), files)
        if len(meant) > 1:
            listed = ", ".join(meant[:3])
            raise StudyError(f"{path}: {name} means several files: {listed}. Write more of their paths.")
        if meant and meant[0] in found.values():
            other = next(earlier for earlier, file in found.items() if file == meant[0])
            raise StudyError(f"{path}: {other} and {name} are one file. Write its name in one way.")
        if meant:
            found[name] = meant[0]
    if not found:
        raise StudyError(
            f"{path}: none of its files is among those that are analysed. It names {wanted[0]}, for example, and "
            f"analysed is {files[0] if files else 'none'}."
        )
    return found


def shortened(names: Iterable[str]) -> str:
    """Return the first few names as a note has them, and how many more there are."""
    known = list(names)
    more = len(known) - _MOST_NAMED
    return ", ".join(known[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _meant(name: str, files: Sequence[str]) -> list[str]:
    """Return the files that a name fits, by the strictest rule that any fits by."""
    rules = (
        lambda file: file == name,
        lambda file: f"/{file}".endswith(f"/{name.lstrip('./')}"),
        lambda file: f"/{PurePosixPath(file).with_suffix('')}".endswith(f"/{name.lstrip('./')}"),
    )
    return next((fitting for rule in rules if (fitting := [file for file in files if rule(file)])), [])
