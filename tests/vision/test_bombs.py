"""Pictures made to take time or memory, and damaged ones: refused soon, in words."""

import io
import random
import struct
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from itertools import count

import numpy as np
import PIL.Image
import pytest

from errors import ImageError, ImageSizeError
from vision.bombs import MAX_PARTS
from vision.pictures import MAX_SIDE, read_picture

MEGAPIXELS = 50
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def jpeg(width: int = 64, height: int = 64, *, scans: int = 0, **options: object) -> bytes:
    """Return a JPEG; one with `scans` is progressive, and has so many more of the last kind than it needs."""
    file = io.BytesIO()
    PIL.Image.new("L", (width, height), 100).save(file, "JPEG", progressive=bool(scans), **options)
    data = file.getvalue()
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * scans + data[-2:]


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, raw: bytes, *, colour: int = 2, bits: int = 8, interlaced: int = 0) -> bytes:
    """Return a PNG with these rows, filters included, or with fewer than its header announces."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced)
    palette = chunk(b"PLTE", bytes(3 << bits)) if colour == 3 else b""
    body = chunk(b"IHDR", header) + palette + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND")
    return b"\x89PNG\r\n\x1a\n" + body


def bmp_run_length(width: int, height: int, data: bytes) -> bytes:
    """Return a BMP of 8 bits, run-length encoded."""
    start = 14 + 40 + 1024
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(data), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + header + bytes(1024) + data


BOMBS = {
    "scans": jpeg(3000, 2000, scans=1000),
    "scans of a large picture": jpeg(7000, 7000, scans=20),
    "segments": b"\xff\xd8" + b"\xff\xe1\x00\x02" * 2_000_000 + jpeg()[2:],
    "padding": b"\xff\xd8" + b"\xff" * 8_000_000 + jpeg()[3:],
    "chunks": png(10, 10, bytes(310)).replace(chunk(b"IEND"), chunk(b"IDAT") * 500_000 + chunk(b"IEND")),
    "run lengths": bmp_run_length(6000, 6000, b"\x01\x00\x00\x00" * 6000),
    "many run lengths": bmp_run_length(2000, 1000, b"\x01\x07" * 2_000_000),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_pictures_that_take_time_are_refused(kind: str) -> None:
    """However long decoding would take, the answer is there at once."""
    began = time.process_time()
    with pytest.raises(ImageError) as caught:
        read_picture(BOMBS[kind], MEGAPIXELS)
    assert time.process_time() - began < 1
    assert "broken" not in str(caught.value)


LIES = {
    "PNG without rows": png(8000, 5000, b""),
    "PNG with one row": png(8000, 5000, bytes(24001)),
    "PNG without its last row": png(2000, 2000, bytes(6001 * 1999)),
    "PNG without its last pixel": png(100, 100, bytes(301 * 100 - 1)),
    "PNG, interlaced, with half": png(2000, 2000, bytes(6_000_000), interlaced=1),
    "JPEG with the pixels of a smaller one": jpeg().replace(struct.pack(">HH", 64, 64), struct.pack(">HH", 5000, 8000)),
    "JPEG, progressive, of a smaller one": jpeg(scans=1).replace(
        struct.pack(">HH", 64, 64), struct.pack(">HH", 5000, 8000)
    ),
    "JPEG without pixels": jpeg(8000, 5000)[:20_000] + b"\xff\xd9",
}


@pytest.mark.parametrize("kind", LIES)
def test_pictures_that_are_cut_off_are_refused(kind: str) -> None:
    """Where far less is there than the header announces, nothing is decoded, and no memory is taken."""
    tracemalloc.start()
    try:
        with pytest.raises(ImageError, match="cut off"):
            read_picture(LIES[kind], MEGAPIXELS)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


def rows(width: int, height: int, bits: int) -> bytes:
    """Return so many empty rows of a PNG."""
    return (b"\0" + bytes(-(-width * bits // 8))) * height if width > 0 else b""


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (5, 7), (8, 8), (33, 17)])
@pytest.mark.parametrize(("colour", "bits"), [(0, 1), (0, 2), (0, 16), (2, 8), (2, 16), (3, 4), (4, 8), (6, 16)])
@pytest.mark.parametrize("interlaced", [0, 1])
def test_whole_pngs_are_read(size: tuple[int, int], colour: int, bits: int, interlaced: int) -> None:
    """What every kind of PNG needs is known exactly: a byte less is refused, and nothing else."""
    width, height = size
    each = bits * CHANNELS[colour]
    passes = PASSES if interlaced else [(0, 0, 1, 1)]
    raw = b"".join(rows(-(-(width - x) // dx), -(-(height - y) // dy), each) for x, y, dx, dy in passes)
    options = {"colour": colour, "bits": bits, "interlaced": interlaced}
    assert read_picture(png(width, height, raw, **options), 1).image.shape == (height, width, 3)
    with pytest.raises(ImageError, match="cut off"):
        read_picture(png(width, height, raw[:-1], **options), 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"quality": 1}),
        ("JPEG", {"quality": 1, "progressive": True, "subsampling": 2, "optimize": True}),
        ("PNG", {"compress_level": 9}),
        ("WEBP", {"lossless": True}),
    ],
)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_pictures_that_compress_well_are_no_bombs(kind: str, options: dict[str, object], mode: str) -> None:
    """The smallest files that a whole large picture can have are read."""
    file = io.BytesIO()
    PIL.Image.new(mode, (4000, 3000)).save(file, kind, **options)
    assert read_picture(file.getvalue(), MEGAPIXELS).image.max() <= 1  # black, as good as that quality is


def test_a_restart_marker_ends_no_scan() -> None:
    """Nor do the stuffed bytes in compressed data."""
    file = io.BytesIO()
    noise = PIL.Image.fromarray(np.random.default_rng(0).integers(0, 255, (600, 800, 3), np.uint8))
    noise.save(file, "JPEG", quality=100, restart_marker_blocks=1)
    assert file.getvalue().count(b"\xff\xd0") > 100
    assert read_picture(file.getvalue(), 1).image.shape == (600, 800, 3)


@pytest.mark.parametrize("size", [(MAX_SIDE + 100, 10), (10, MAX_SIDE + 100)])
def test_sides_that_no_jpeg_can_have_are_refused(size: tuple[int, int], capfd: pytest.CaptureFixture[str]) -> None:
    """In our words, before OpenCV finds its own."""
    with pytest.raises(ImageSizeError, match="65,500"):
        read_picture(png(*size, rows(*size, 24)), MEGAPIXELS)
    assert capfd.readouterr().err == ""


def damaged(data: bytes) -> Iterator[bytes]:
    """Yield a file damaged in thirty ways: cut, overwritten, without a part, with something inserted."""
    rng = random.Random(len(data))  # noqa: S311 - damage need not be secret
    for number in count():
        at, length = rng.randrange(len(data)), rng.choice([1, 4, 50, 1000])
        junk = rng.choice([bytes(length), b"\xff" * length, rng.randbytes(length)])
        yield (
            data[:at],
            data[:at] + junk + data[at + length :],
            data[:at] + data[at + length :],
            data[:at] + junk + data[at:],
            junk + data[length:],
        )[number % 5]
        if number == 29:
            return


def pictures() -> Iterator[tuple[str, bytes]]:
    """Yield pictures of all kinds."""
    noise = np.random.default_rng(0).integers(0, 255, (60, 80, 4), np.uint8)
    for mode, kind, options in (
        ("RGB", "JPEG", {}),
        ("RGB", "JPEG", {"progressive": True}),
        ("L", "JPEG", {"quality": 20}),
        ("CMYK", "JPEG", {}),
        ("RGB", "PNG", {}),
        ("RGBA", "PNG", {}),
        ("P", "PNG", {}),
        ("RGB", "WEBP", {}),
        ("RGBA", "WEBP", {"lossless": True}),
        ("RGB", "BMP", {}),
        ("L", "BMP", {}),
        ("1", "BMP", {}),
    ):
        file = io.BytesIO()
        exif = PIL.Image.Exif()
        exif[0x0112] = 6
        PIL.Image.fromarray(noise).convert(mode).save(
            file, kind, **options, **({} if kind == "BMP" else {"exif": exif})
        )
        yield f"{mode} {kind} {len(options)}", file.getvalue()


PICTURES = dict(pictures())


@pytest.mark.parametrize("kind", PICTURES)
def test_damaged_pictures_are_read_or_refused(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing else happens, and no decoder writes to the log."""
    for data in damaged(PICTURES[kind]):
        try:
            image = read_picture(data, 1).image
        except ImageError as error:
            assert "." in str(error)  # noqa: PT017 - either may come
        else:
            assert image.dtype == np.uint8
            assert image.shape[2] == 3
    assert capfd.readouterr().err == ""


def test_parts_are_counted() -> None:
    """A file with many, but not too many, parts is read."""
    few = MAX_PARTS // 100
    assert read_picture(b"\xff\xd8" + b"\xff\xe1\x00\x02" * few + jpeg()[2:], 1).image.shape == (64, 64, 3)
