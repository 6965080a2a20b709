"""Pictures that would cost far more time or memory than their files suggest, told before anything is decoded.

A decoder does as a file says: it goes over all pixels once a scan, and makes room for all that is announced. What is
checked here is the files' structure alone, which takes milliseconds; see the JPEG (ITU T.81), PNG (ISO 15948) and BMP
formats.
"""

import re
import zlib
from collections.abc import Iterator
from typing import Final

from errors import ImageError, ImageSizeError

MOST_SCANS: Final = 100
MOST_SCANNED: Final = 750e6
"""Pixels times scans; files as encoders write them have at most 15 scans or so."""
MOST_PARTS: Final = 20_000
"""Segments or chunks in a file; Pillow reads them one by one."""
MOST_RUN_LENGTH: Final = 2_000_000
"""Pixels, and bytes, of a run-length encoded BMP, which Pillow decodes in Python."""
SMALLEST_BLOCK: Final = 1 / 8
"""Bytes that a JPEG's block of 8 x 8 pixels takes at least, however it is compressed."""
BEST_DEFLATE: Final = 1032
"""How much smaller deflate can make data at best."""
INFLATED: Final = 1 << 20
"""Bytes that are inflated at a time."""

_PASSES: Final = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Adam7: first column and row, and the steps between columns and rows, of each pass of an interlaced PNG."""
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""By a PNG's colour type."""
_MARKER: Final = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
"""What ends a JPEG's compressed data; restart markers belong to it."""
_WITH_HUFFMAN: Final = {0xC0, 0xC1, 0xC2}
_SOS: Final = 0xDA
_EOI: Final = 0xD9

_CUT_OFF: Final = "The picture is cut off: there is far less in the file than its size needs. Save it again and retry."
_TOO_MUCH: Final = "Decoding this picture would take far too long. Save it anew, as a plain JPEG or PNG, and retry."


def check_bomb(data: bytes, width: int, height: int) -> None:
    """Refuse a picture that is made to cost time or memory.

    Args:
        data: The whole file; formats other than JPEG, PNG and BMP are passed over.
        width: Its width in pixels, as its header says.
        height: Its height in pixels.

    Raises:
        ImageError: It is cut off, or decoding it would take far longer than its size justifies.
        ImageSizeError: It is too large for the way in which it is compressed.

    """
    if data.startswith(b"\xff\xd8"):
        _check_jpeg(data, width * height)
    elif data.startswith(b"\x89PNG\r\n\x1a\n"):
        _check_png(data, width, height)
    elif data.startswith(b"BM"):
        _check_bmp(data, width * height)


def _check_jpeg(data: bytes, pixels: int) -> None:
    scans = compressed = parts = 0
    huffman = False
    position = 2
    while match := _MARKER.search(data, position):
        between = match.start() - position
        if scans:
            compressed += between
        else:
            parts += between  # padding, which Pillow reads byte by byte
        marker = match[1][0]
        if marker == _EOI:
            break
        parts += 1
        scans += marker == _SOS
        huffman |= marker in _WITH_HUFFMAN
        if parts > MOST_PARTS or scans > MOST_SCANS or scans * pixels > MOST_SCANNED:
            raise ImageError(_TOO_MUCH)
        position = match.end() + int.from_bytes(data[match.end() : match.end() + 2], "big")
    if huffman and compressed < SMALLEST_BLOCK * pixels / 64:
        raise ImageError(_CUT_OFF)


def _check_png(data: bytes, width: int, height: int) -> None:
    parts = list(_compressed_parts(data))
    needed = _inflated_size(width, height, bits=data[24] * _CHANNELS.get(data[25], 1), interlaced=bool(data[28]))
    if sum(map(len, parts)) * BEST_DEFLATE < needed:
        raise ImageError(_CUT_OFF)
    inflater = zlib.decompressobj()
    for part in parts:
        rest: bytes | memoryview = part
        while rest and needed > 0:
            needed -= len(inflater.decompress(rest, INFLATED))
            rest = inflater.unconsumed_tail
    if needed > 0:
        raise ImageError(_CUT_OFF)


def _compressed_parts(data: bytes) -> Iterator[memoryview]:
    """Yield the contents of a PNG's IDAT chunks, as far as they are there."""
    view, position = memoryview(data), 8
    for _ in range(MOST_PARTS):
        kind = data[position + 4 : position + 8]
        if kind in {b"", b"IEND"}:
            return
        length = int.from_bytes(data[position : position + 4], "big")
        if kind == b"IDAT":
            yield view[position + 8 : position + 8 + length]
        position += 12 + length
    raise ImageError(_TOO_MUCH)


def _inflated_size(width: int, height: int, *, bits: int, interlaced: bool) -> int:
    """Return the bytes of all rows of a PNG, each with the byte that names its filter."""
    total = 0
    for left, top, across, down in _PASSES if interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        total += rows * (1 + -(-columns * bits // 8)) if columns > 0 and rows > 0 else 0
    return total


def _check_bmp(data: bytes, pixels: int) -> None:
    run_length = int.from_bytes(data[14:18], "little") >= 40 and int.from_bytes(data[30:34], "little") in {1, 2}
    if run_length and max(pixels, len(data)) > MOST_RUN_LENGTH:
        raise ImageSizeError("Run-length encoded BMP files may have 2 megapixels at most. Save it as PNG, and retry.")
