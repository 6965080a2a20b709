"""Intervals as an .eaf file for ELAN, the annotation tool of the Max Planck Institute for Psycholinguistics."""

import mimetypes
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pandas import DataFrame
from pympi.Elan import Eaf

from files import plain, write_whole

_AUTHOR: Final = "facial-expressions"
_TYPE: Final = "expression"
_VIDEO: Final = "video/mp4"


def write_eaf(intervals: DataFrame, path: Path, media: Path) -> None:
    """Write the intervals of one file for ELAN: a tier a face and expression, since a tier's annotations never overlap.

    It is version 2.8 of the ELAN Annotation Format (May 2014), which later versions of ELAN read as well.

    Args:
        intervals: As `find_intervals` returns them.
        path: Ends in .eaf; what is there is replaced.
        media: The video that ELAN shows with them. An absolute path is written as it is, and as it is from the file's
            folder; a relative one is from that folder.

    Raises:
        ResultsError: It cannot be written.

    """
    document = Eaf(author=_AUTHOR)
    document.adocument["DATE"] = datetime.now(UTC).isoformat(timespec="seconds")
    document.header |= {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"}
    kind = mimetypes.guess_type(media.name)[0] or ""
    kind = kind if kind.startswith("video/") else _VIDEO  # .ts is a text to some systems
    relative = _relative(media, path.parent)
    address = f"file:///{media.as_posix().lstrip('/')}" if media.is_absolute() else relative
    document.add_linked_file(address, relpath=relative, mimetype=kind)
    document.linguistic_types.clear()  # pympi begins with a type and a tier
    document.tiers.clear()
    document.add_linguistic_type(_TYPE)
    for (face, name, expression), rows in intervals.groupby(["face", "name", "expression"]):
        _add_tier(document, int(face), plain(name), expression, rows)
    write_whole(path, lambda partial: document.to_file(str(partial)))


def _add_tier(document: Eaf, face: int, name: str, expression: str, intervals: DataFrame) -> None:
    """Add one face's intervals of one expression; its number tells people of one name apart."""
    tier = f"{name} ({face}) {expression}" if name else f"Face {face} {expression}"
    document.add_tier(tier, ling=_TYPE, part=name or f"Face {face}", ann=_AUTHOR)
    for onset, offset in zip(intervals["onset"], intervals["offset"], strict=True):
        start, end = round(1000 * onset), round(1000 * offset)
        document.add_annotation(tier, start, max(end, start + 1), expression)


def _relative(media: Path, folder: Path) -> str:
    """Return the path of a file from a folder, as ELAN looks for it when both have been moved together.

    ELAN reads and writes paths as plain text, behind file: too; a %20 in one is three letters to it.
    """
    path = media
    if media.is_absolute():
        path = Path(media.name)
        with suppress(ValueError):  # Windows: it is on another drive
            path = Path(os.path.relpath(media, folder.absolute()))
    address = path.as_posix()
    return address if address.startswith("..") else f"./{address}"
