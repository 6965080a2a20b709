"""Intervals as an .eaf file for ELAN, the annotation tool of the Max Planck Institute for Psycholinguistics."""

import logging
import mimetypes
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pandas import DataFrame
from pympi.Elan import Eaf

from entities import EXPRESSIONS
from files import plain, unused, write_whole

log = logging.getLogger(__name__)

CODING: Final = "coding"
"""Type of the tiers for coding by hand."""
_CODED: Final = "-coded"
"""Added to the name of a file in which somebody has coded."""
_AUTHOR: Final = "facial-expressions"
_TYPE: Final = "expression"
_VOCABULARY: Final = "expressions"
_LANGUAGE: Final = "eng"
_LANGUAGE_ADDRESS: Final = "http://cdb.iso.org/lg/CDB-00138502-001"
_VIDEO: Final = "video/mp4"


def write_eaf(intervals: DataFrame, path: Path, media: Path, *, faces: Mapping[int, str] | None = None) -> None:
    """Write the intervals of one file for ELAN: a tier a face and expression, since a tier's annotations never overlap.

    Behind them, each face has an empty tier for coding by hand. All tiers take their values from one controlled
    vocabulary, the seven expressions.

    It is version 2.8 of the ELAN Annotation Format (May 2014), which later versions of ELAN read as well.

    Args:
        intervals: As `find_intervals` returns them.
        path: Ends in .eaf; what is there is replaced, but kept beside it if somebody has coded in it.
        media: The video that ELAN shows with them. An absolute path is written as it is, and as it is from the file's
            folder; a relative one is from that folder.
        faces: Names (empty where there is none) by number, of all faces that may be coded; by default, those of the
            intervals.

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
    _add_vocabulary(document)
    for (face, name, expression), rows in intervals.groupby(["face", "name", "expression"]):
        _add_intervals(document, int(face), plain(name), expression, rows)
    known = dict(zip(intervals["face"], intervals["name"], strict=True)) if faces is None else faces
    for face, name in sorted(known.items()):
        _add_tier(document, int(face), plain(name), CODING, CODING)
    keep_codes(path, path.parent)
    write_whole(path, lambda partial: document.to_file(str(partial)))


def keep_codes(path: Path, folder: Path) -> None:
    """Copy an .eaf file in which somebody has coded by hand into a folder, as `intervals-coded.eaf` for example.

    Raises:
        OSError: It cannot be written.

    """
    if not path.is_file() or not _is_coded(path):
        return
    stem = f"{path.stem.partition(_CODED)[0]}{_CODED}"
    target = folder / f"{unused(stem, lambda name: (folder / f'{name}.eaf').exists())}.eaf"
    shutil.copy2(path, target)
    log.warning("%s was coded by hand; the codes are kept in %s.", path, target.name)


def coded_tiers(document: Eaf) -> list[str]:
    """Return the tiers for coding that have annotations."""
    tiers = document.get_tier_ids_for_linguistic_type(CODING)
    return [tier for tier in tiers if document.get_annotation_data_for_tier(tier)]


def _is_coded(path: Path) -> bool:
    """Whether somebody has coded in a file; one that cannot be read is not ours, so perhaps."""
    try:
        return bool(coded_tiers(Eaf(str(path), suppress_version_warning=True)))
    except Exception:  # noqa: BLE001 - pympi raises whatever it stumbles over
        return True


def _add_vocabulary(document: Eaf) -> None:
    """Add the seven expressions, and the types of tiers that take their values from them."""
    document.add_language(_LANGUAGE, lang_def=_LANGUAGE_ADDRESS, lang_label="English (eng)")
    document.add_controlled_vocabulary(_VOCABULARY)
    document.add_cv_description(_VOCABULARY, _LANGUAGE)
    for name in EXPRESSIONS:
        document.add_cv_entry(_VOCABULARY, f"cveid_{name}", [(name, _LANGUAGE, None)])
    for kind in (_TYPE, CODING):
        attributes = {"LINGUISTIC_TYPE_ID": kind, "TIME_ALIGNABLE": "true", "GRAPHIC_REFERENCES": "false"}
        document.add_linguistic_type(kind, param_dict=attributes | {"CONTROLLED_VOCABULARY_REF": _VOCABULARY})


def _add_intervals(document: Eaf, face: int, name: str, expression: str, intervals: DataFrame) -> None:
    """Add one face's intervals of one expression."""
    tier = _add_tier(document, face, name, expression, _TYPE)
    for onset, offset in zip(intervals["onset"], intervals["offset"], strict=True):
        start, end = round(1000 * onset), round(1000 * offset)
        document.add_annotation(tier, start, max(end, start + 1), expression)


def _add_tier(document: Eaf, face: int, name: str, content: str, kind: str) -> str:
    """Add a tier of a face, whose number tells people of one name apart; return what it is called."""
    tier = f"{name} ({face}) {content}" if name else f"Face {face} {content}"
    document.add_tier(tier, ling=kind, part=name or f"Face {face}", ann=None if kind == CODING else _AUTHOR)
    return tier


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
