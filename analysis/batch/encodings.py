"""Text as editors and spreadsheets of all countries save it: UTF-8, UTF-16, or Windows-1252."""

import codecs
from typing import Final

OLD: Final = "cp1252"
"""What spreadsheets in Western Europe and America write where they are not asked for UTF-8."""
_MARKS: Final = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def encoding_of(data: bytes) -> str:
    """Return the encoding of a text, by its mark (BOM), its zeros, or whether it can be UTF-8; else it is OLD."""
    marked = next((name for mark, name in _MARKS.items() if data.startswith(mark)), None)
    if marked:
        return marked
    if b"\0" in data:  # which no other text has
        return "utf-16-le" if data[1::2].count(0) > data[::2].count(0) else "utf-16-be"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return OLD
    return "utf-8"
