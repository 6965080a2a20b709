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

MAX_SCANS: Final = 100
MAX_SCANNED: Final = 750e6
"""Pixels times scans; files as encoders write them have at most 15 scans or so."""
MAX_PARTS: Final = 20_000
"""Segments or chunks in a file; Pillow reads them one by one."""
MAX_RUN_LENGTH: Final = 2_000_000
"""Pixels, and bytes, of a run-length encoded BMP, which Pillow decodes in Python."""
SMALLEST_BLOCK: Final = 1 / 8
"""Bytes that a JPEG's block of 8 x 8 pixels takes at least, however it is compressed."""
BEST_DEFLATE: Final = 1032
"""How much smaller deflate can make data at best."""
INFLATED: Final = 1 << 20
"""Bytes that are inflated at a time."""

JPEG: Final = b"\xff\xd8"
PNG: Final = b"\x89PNG\r\n\x1a\n"
BMP: Final = b"BM"
"""How these files begin."""

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


def check_parts(data: bytes) -> None:
    """Refuse a file of so many parts that reading its header would take long.

    Raises:
        ImageError: It has more than any encoder writes.

    """
    if data.startswith(JPEG):
        _check_padding(data)
    elif data.startswith(PNG):
        list(_compressed_parts(data))


def check_pixels(data: bytes, width: int, height: int) -> None:
    """Refuse a picture whose pixels would cost more than their number justifies.

    Args:
        data: The whole file; formats other than JPEG, PNG and BMP are passed over.
        width: Its width in pixels, as its header says.
        height: Its height in pixels.

    Raises:
        ImageError: It is cut off, or decoding it would take far longer than its size justifies.
        ImageSizeError: It is too large for the way in which it is compressed.

    """
    if data.startswith(JPEG):
        _check_jpeg(data, width * height)
    elif data.startswith(PNG):
        _check_png(data, width, height)
    elif data.startswith(BMP):
        _check_bmp(data, width * height)


def _check_padding(data: bytes) -> None:
    """Refuse a JPEG with so many bytes between its segments that Pillow, byte by byte, takes long to read them."""
    padding = 0
    for marker, before in _markers(data):
        padding += before
        if padding > MAX_PARTS:
            raise ImageError(_TOO_MUCH)
        if marker == _SOS:
            return


def _check_jpeg(data: bytes, pixels: int) -> None:
    markers = list(_markers(data))
    kinds = [kind for kind, _ in markers]
    scans = kinds.count(_SOS)
    if scans > MAX_SCANS or scans * pixels > MAX_SCANNED:
        raise ImageError(_TOO_MUCH)
    compressed = sum(before for _, before in markers[kinds.index(_SOS) :]) if scans else 0
    if _WITH_HUFFMAN.intersection(kinds) and compressed < SMALLEST_BLOCK * pixels / 64:
        raise ImageError(_CUT_OFF)


def _markers(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield each marker of a JPEG that begins a segment, with the number of bytes since the segment before; EOI last.

    Raises:
        ImageError: There are too many.

    """
    position = len(JPEG)
    for _ in range(MAX_PARTS):
        match = _MARKER.search(data, position)
        if match is None or match[1][0] == _EOI:
            yield _EOI, (match.start() if match else len(data)) - position
            return
        yield match[1][0], match.start() - position
        position = match.end() + int.from_bytes(data[match.end() : match.end() + 2], "big")
    raise ImageError(_TOO_MUCH)


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
    view, position = memoryview(data), len(PNG)
    for _ in range(MAX_PARTS):
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
    if run_length and max(pixels, len(data)) > MAX_RUN_LENGTH:
        raise ImageSizeError("Run-length encoded BMP files may have 2 megapixels at most. Save it as PNG, and retry.")
