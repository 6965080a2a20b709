"""What visitors are not told of the server: where its files are."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from config import ROOT


def _private_folders() -> Iterator[Path]:
    yield ROOT
    with suppress(RuntimeError):  # a user without an account has no home
        yield Path.home()


_FOLDERS: Final = tuple(str(folder) for folder in _private_folders() if folder.parent != folder)
"""They may have spaces in their names, at which no pattern could tell where they end."""
_ABSOLUTE: Final = re.compile(r"(?<![\w:/\\.~])(?:[A-Za-z]:)?[/\\](?:[^\s/\\'\":;,()]+[/\\])*(?=[^\s/\\])")


def without_folders(text: str) -> str:
    """Return a message in which files are called by their names, without the folders that they are in."""
    for folder in _FOLDERS:
        text = text.replace(folder + os.sep, os.sep)
    return _ABSOLUTE.sub("", text)
