"""Still pictures are decoded by content, upright, within limits; everything else is a clear error."""

import zlib
from io import BytesIO
from pathlib import Path
from struct import pack

import cv2
import numpy as np
import PIL.Image
import pytest

from errors import ImageError, ImageSizeError, ImageTypeError
from tests.helpers.recordings import ORIENTATIONS, as_stored, marked
from vision.pictures import is_picture, read_picture


def encode(picture: PIL.Image.Image, kind: str, **options: object) -> bytes:
    """Return the picture as a file of this kind."""
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def half_red(width: int = 40, height: int = 20) -> PIL.Image.Image:
    """Return a picture whose left half is red and whose right half is blue."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2] = (255, 0, 0)
    pixels[:, width // 2 :] = (0, 0, 255)
    return PIL.Image.fromarray(pixels)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "TIFF", "BMP"])
def test_reads_each_format_as_bgr(kind: str) -> None:
    """Red on the left comes out as (0, 0, 255), whatever the file format."""
    image = read_picture(encode(half_red(), kind), 1).image
    assert image.shape == (20, 40, 3)
    assert image.dtype == np.uint8
    assert np.abs(image[10, 5].astype(int) - (0, 0, 255)).max() < 12
    assert np.abs(image[10, 35].astype(int) - (255, 0, 0)).max() < 12


def test_follows_exif_orientation() -> None:
    """A picture tagged "turn by 90 degrees clockwise" is delivered turned."""
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    image = read_picture(encode(half_red(), "JPEG", exif=exif), 1).image
    assert image.shape == (40, 20, 3)
    assert image[5, 10, 2] > 200, "the left side is now the top"


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "HEIF by EXIF alone", "TIFF"])
def test_all_eight_orientations_are_upright(kind: str, orientation: int) -> None:
    """Turned or mirrored, in each format that can say so."""
    upright, exif = marked(), PIL.Image.Exif()
    exif[0x0112] = orientation
    stored = PIL.Image.fromarray(np.ascontiguousarray(as_stored(upright, orientation)[..., ::-1]))
    told = exif.tobytes() if kind == "HEIF" else exif  # which makes its writer turn the picture by a property
    image = read_picture(encode(stored, kind.partition(" ")[0], exif=told), 1).image
    assert image.shape == upright.shape
    assert np.abs(image.astype(int) - upright).mean() < 6


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF", "TIFF", "HEIF"])
def test_of_several_pictures_the_first_is_read_and_that_is_said(kind: str) -> None:
    """An animation is a picture, its first, whatever its format; what is left out is told."""
    first, *others = (PIL.Image.new("RGB", (64, 48), (level, level, level)) for level in (10, 90, 200))
    data = encode(first, kind, save_all=True, append_images=others)
    picture = read_picture(data, 1)
    assert picture.image.mean() == pytest.approx(10, abs=3)
    assert "first" in picture.note
    assert is_picture(data)


def test_one_picture_needs_no_word() -> None:
    """A note is for what is unusual; a phone's JPEG with a second, smaller picture for its depth is usual."""
    assert read_picture(encode(half_red(), "PNG"), 1).note == ""
    both = encode(half_red(), "MPO", save_all=True, append_images=[half_red(20, 10)])
    assert read_picture(both, 1).note == ""
    assert is_picture(both)


@pytest.mark.parametrize("bits", [9, 10, 12, 14, 16])
@pytest.mark.parametrize(("ending", "colour"), [("png", False), ("png", True), ("tiff", True)])
def test_deep_pixels_are_scaled_by_the_range_that_they_use(bits: int, ending: str, colour: bool) -> None:
    """Cameras for industry put 12 or 14 bits into files of 16."""
    pixels = np.random.default_rng(4).integers(0, 256, (24, 32, 3) if colour else (24, 32)).astype(np.uint16)
    pixels[0, 0] = 255
    data = cv2.imencode(f".{ending}", (pixels * 257) >> (16 - bits))[1].tobytes()
    image = read_picture(data, 1).image
    assert np.abs(image - (pixels if colour else pixels[..., None]).astype(int)).max() <= 1


def test_floats_are_scaled_to_their_maximum() -> None:
    """A TIFF of floats from 0 to 1 is no black picture."""
    data = encode(PIL.Image.fromarray(np.linspace(0, 1, 64 * 48, dtype=np.float32).reshape(48, 64)), "TIFF")
    assert read_picture(data, 1).image.mean() == pytest.approx(127, abs=2)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\xff\x0a" + bytes(40), "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "JPEG XL"),
        (b"8BPS" + bytes(40), "Photoshop"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"%PDF-1.4", "PDF"),
        (encode(half_red(), "JPEG2000"), "JPEG 2000"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_pictures_that_cannot_be_read_are_named(data: bytes, name: str) -> None:
    """They are pictures, though; and what to do is said."""
    assert is_picture(data)
    with pytest.raises(ImageTypeError, match=rf"{name}.*Save it as JPEG or PNG"):
        read_picture(data, 1)


def test_mjpeg_is_no_picture() -> None:
    """A JPEG after the other is a video, and is told by that."""
    frames = encode(half_red(), "JPEG") * 3
    assert not is_picture(frames)
    assert is_picture(encode(half_red(), "JPEG"))


def test_reads_a_path(tmp_path: Path) -> None:
    """A path works as its bytes do, and its name says nothing."""
    path = tmp_path / "wrong.txt"
    path.write_bytes(encode(half_red(), "PNG"))
    assert read_picture(path, 1).image.shape == (20, 40, 3)


def test_transparent_parts_are_white() -> None:
    """What is see-through becomes white, not black."""
    image = read_picture(encode(PIL.Image.new("RGBA", (8, 8), (0, 0, 0, 0)), "PNG"), 1).image
    assert (image == 255).all()


def test_sixteen_bits_are_scaled() -> None:
    """A 16-bit grey picture keeps its brightness."""
    grey = PIL.Image.fromarray(np.full((8, 8), 0x8000, np.uint16))
    assert (read_picture(encode(grey, "PNG"), 1).image == 0x80).all()


def test_too_many_pixels_are_refused_from_the_header() -> None:
    """A 20,000 x 20,000 picture in a tiny file is refused without decoding it."""
    header = b"IHDR" + pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + pack(">I", 13) + header + pack(">I", zlib.crc32(header))
    bomb += encode(half_red(), "PNG")[33:]
    with pytest.raises(ImageSizeError, match="megapixels"):
        read_picture(bomb, 50)


def test_limit_is_exact() -> None:
    """A picture at the limit is read; one above it is not."""
    data = encode(half_red(40, 20), "PNG")
    assert read_picture(data, 800e-6).image.size
    with pytest.raises(ImageSizeError, match="40 x 20"):
        read_picture(data, 799e-6)


@pytest.mark.parametrize("data", [b"", b"hello", b"\xff\x0a" + bytes(40), b"%PDF-1.4"])
def test_other_types_are_refused(data: bytes) -> None:
    """What is no picture of a known kind says which kinds are."""
    with pytest.raises(ImageTypeError, match="JPEG or PNG"):
        read_picture(data, 1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "TIFF", "BMP"])
def test_truncated_files_are_refused(kind: str) -> None:
    """Half a file is an error, not half a picture."""
    noise = PIL.Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    data = encode(noise, kind)
    with pytest.raises(ImageError):
        read_picture(data[: len(data) // 2], 1)


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A path that leads nowhere is an error with the path in it."""
    with pytest.raises(ImageError, match=r"nowhere\.png"):
        read_picture(tmp_path / "nowhere.png", 1)


@pytest.mark.parametrize(("data", "told"), [(encode(half_red(), "PNG"), True), (b"\x00\x00\x00\x18ftypmp42", False)])
def test_pictures_are_told_by_content(tmp_path: Path, data: bytes, told: bool) -> None:
    """A picture called .mp4 is a picture, and a video called .png is none."""
    path = tmp_path / ("picture.mp4" if told else "video.png")
    path.write_bytes(data)
    assert is_picture(path) is told


def test_what_is_not_there_is_no_picture(tmp_path: Path) -> None:
    """Neither a missing file nor a folder is a picture."""
    assert not is_picture(tmp_path / "nowhere.png")
    assert not is_picture(tmp_path)
