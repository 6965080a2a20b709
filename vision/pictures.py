"""Still pictures: any file that claims to be one -> upright BGR pixels, or an error that says why not."""

import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray
from pillow_heif import register_heif_opener

from entities import Image
from errors import ImageError, ImageSizeError, ImageTypeError
from vision.bombs import check_parts, check_pixels

register_heif_opener()

FORMATS: Final = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "TIFF", "BMP")
"""What Pillow reads for us, by its names."""
ONLY_FIRST: Final = "Only the first of its pictures was looked at. Convert it to MP4 to have all analysed."
_HINT: Final = "Save it as JPEG or PNG."
HEAD: Final = 1 << 20
"""Bytes at the beginning of a file that tell what it is."""
_SIGNATURES: Final = {
    "JPEG": rb"\xff\xd8\xff",
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "WebP": rb"RIFF.{4}WEBP",
    "AVIF": rb".{4}ftypavi[fs]",
    "HEIF": rb".{4}ftyp(hei[cxms]|hev[cxms]|mif[12]|msf1)",
    "GIF": rb"GIF8[79]a",
    "TIFF": rb"II\*\0|MM\0\*",
    "BMP": rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0",
    "JPEG 2000": rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51",
    "JPEG XL": rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n",
    "Photoshop": rb"8BPS",
    "SVG": rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?(<!DOCTYPE svg[^>]*>\s*)?<svg",
    "PDF": rb"%PDF-",
    "OpenEXR": rb"\x76\x2f\x31\x01",
    "Radiance HDR": rb"#\?R",
    "icon": rb"\0\0[\1\2]\0[^\0]\0",
    "PNM": rb"P[1-6]\s",
}
"""How files of pictures begin, those too that cannot be read here."""
MAX_SIDE: Final = 65_500
"""Pixels; no JPEG of the result can be larger."""
MIN_SIDE: Final = 16
"""Pixels; in less, no face can be told. Not an error: the picture was looked at."""
_STRIP: Final = 1_000_000
"""Pixels that are converted at a time: Pillow makes a copy for each step."""
_HEIF_HEADER: Final = 1 << 16
_ORIENTATION: Final = 0x0112
_TURNS: Final = {3: cv2.ROTATE_180, 6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}
_FLIPS: Final = {2: 1, 4: 0}
"""By EXIF orientation: how the picture is turned, or mirrored, upright. 5 and 7 swap rows and columns."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What was read of a file."""

    image: Image
    """(H, W, 3) uint8, BGR, upright; transparent parts are white."""
    note: str = ""
    """What was left out, or why no face can be found; mostly empty."""


def read_picture(file: Path | bytes, max_megapixels: float) -> Picture:
    """Decode a picture file of one of FORMATS, told by its content and turned as its EXIF orientation says.

    Of an animated picture, or of several in one file, the first is read. Of pixels with more than 8 bits, the range
    that is used is scaled to 8: many cameras put 12 or 14 bits into a file of 16.

    Args:
        file: A path, or the file's bytes.
        max_megapixels: Largest picture in millions of pixels, checked in the header, before anything is decoded.
            For each million, up to 14 MB of memory are taken for a moment.

    Raises:
        ImageTypeError: Not one of FORMATS.
        ImageSizeError: More pixels than allowed.
        ImageError: Empty, truncated, broken, unreadable, or made to take for ever (see `bombs`).

    """
    try:
        data = file if isinstance(file, bytes) else file.read_bytes()
        check_parts(data)
        with PIL.Image.open(BytesIO(data), formats=FORMATS) as picture:
            _check_size(picture, max_megapixels)
            check_pixels(data, picture.width, picture.height)
            several = picture.format != "MPO" and getattr(picture, "is_animated", False)
            pixels = _pixels(picture, data)
            orientation = _orientation(picture, data)
        image = _upright(pixels, orientation)
        return Picture(image, " ".join(filter(None, (ONLY_FIRST if several else "", _too_small(image)))))
    except ImageError:
        raise
    except PIL.UnidentifiedImageError:
        raise ImageTypeError(_why_not(file)) from None
    except PIL.Image.DecompressionBombError:
        raise ImageSizeError(
            f"The picture is far too large; at most {max_megapixels:g} megapixels are allowed. Send a smaller one."
        ) from None
    except FileNotFoundError:
        raise ImageError(f"There is no file {file!s}.") from None
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error and more
        raise ImageError("The picture is broken or cut off. Save it again and retry.") from error


def pillow_pixels(picture: PIL.Image.Image) -> Image:
    """Return a picture that Pillow holds as (H, W, 3) BGR, turned as its EXIF orientation says, on white."""
    deep = picture.mode.startswith(("I", "F"))
    pixels = _to_bgr(PIL.Image.fromarray(eight_bits(np.asarray(picture))) if deep else picture)
    return _upright(pixels, picture.getexif().get(_ORIENTATION))


def is_picture(file: Path | bytes) -> bool:
    """Whether a file is a picture, and no video, by its first bytes and not by its name.

    Args:
        file: A path, or the file's first bytes: some hundred thousand tell pictures from MJPEG videos, too.

    """
    return picture_type(file) is not None


def picture_type(file: Path | bytes) -> str | None:
    """Return what kind of picture a file is, even one that cannot be read here; None if it is none."""
    head = _head(file)
    kind = next((name for name, begins in _SIGNATURES.items() if re.match(begins, head, re.DOTALL)), None)
    return None if kind == "JPEG" and _is_mjpeg(head) else kind


def used_bits(pixels: NDArray[Any]) -> int:
    """Return how many bits the pixels, integers, use of those that their type has; at least 8."""
    return max(8, int(pixels.max()).bit_length())


def eight_bits(pixels: NDArray[Any], bits: int | None = None) -> Image:
    """Return pixels of any number type as uint8; 255 is the highest value of `bits`, of those in use, or of floats."""
    if pixels.dtype == np.uint8:
        return pixels
    if np.issubdtype(pixels.dtype, np.floating):
        known = np.nan_to_num(pixels, nan=0, posinf=0, neginf=0).clip(0)
        return (known * (255 / (float(known.max()) or 1))).astype(np.uint8)
    return (pixels.clip(0) >> ((bits or used_bits(pixels)) - 8)).astype(np.uint8)


def _head(file: Path | bytes) -> bytes:
    if isinstance(file, bytes):
        return file[:HEAD]
    if not file.is_file():  # what is read of a pipe would be lost
        return b""
    try:
        with file.open("rb") as opened:
            return opened.read(HEAD)
    except OSError:
        return b""


def _is_mjpeg(head: bytes) -> bool:
    """Whether a JPEG picture is the first of a video: the next follows, and there is no list of them as in an MPO."""
    end = head.find(b"\xff\xd9\xff\xd8\xff")
    return end >= 0 and b"MPF\0" not in head[:end]


def _why_not(file: Path | bytes) -> str:
    kind = picture_type(file)
    if kind:
        return f"This is a picture of a kind that cannot be read here ({kind}). {_HINT}"
    return f"This is not a picture that can be read. {_HINT}"


def _check_size(picture: PIL.Image.Image, max_megapixels: float) -> None:
    if picture.width * picture.height > max_megapixels * 1e6:
        raise ImageSizeError(
            f"The picture has {picture.width} x {picture.height} pixels; at most {max_megapixels:g} megapixels "
            "are allowed. Send a smaller one."
        )
    if max(picture.size) > MAX_SIDE:
        raise ImageSizeError(
            f"The picture has {picture.width} x {picture.height} pixels; at most {MAX_SIDE:,} are allowed on each "
            "side. Send a part of it."
        )


def _too_small(image: Image) -> str:
    height, width = image.shape[:2]
    return (
        f"The picture has only {width} x {height} pixels, too few for a face." if min(width, height) < MIN_SIDE else ""
    )


def _orientation(picture: PIL.Image.Image, data: bytes) -> int | None:
    """Return the EXIF orientation of a picture that was decoded, as far as decoding did not follow it already."""
    if picture.format == "HEIF" and not re.search(rb"irot|imir", data[:_HEIF_HEADER]):
        orientation: int | None = picture.info.get("original_orientation")  # some programs write it in EXIF only
        return orientation
    return picture.getexif().get(_ORIENTATION)


def _pixels(picture: PIL.Image.Image, data: bytes) -> Image:
    """Return a picture's pixels as BGR on white, not turned yet."""
    if picture.mode.startswith(("I", "F")):
        return _to_bgr(PIL.Image.fromarray(eight_bits(np.asarray(picture))))
    if any(";16" in str(tile.args) for tile in getattr(picture, "tile", ())):  # of these, Pillow keeps the highest 8
        deep = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
        if deep is not None and deep.ndim == 3:
            return _on_white(eight_bits(deep)) if deep.shape[2] == 4 else eight_bits(deep)
    return _decode_webp(data) if picture.format == "WEBP" else _to_bgr(picture)


def _to_bgr(picture: PIL.Image.Image) -> Image:
    """Return a picture's pixels, strip by strip: whole copies of a large one would take as much memory again each."""
    width, height = picture.size
    pixels = np.empty((height, width, 3), np.uint8)
    rows = max(1, _STRIP // width)
    for top in range(0, height, rows):
        strip = picture.crop((0, top, width, min(top + rows, height)))
        pixels[top : top + rows] = np.asarray(_opaque(strip))[..., ::-1]
    return pixels


def _opaque(picture: PIL.Image.Image) -> PIL.Image.Image:
    """Return the picture in RGB, on white."""
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = PIL.Image.alpha_composite(PIL.Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert("RGB")


def _decode_webp(data: bytes) -> Image:
    """Return a WebP file's pixels: Pillow would make room for five copies of them."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ImageError("The picture is broken or cut off. Save it again and retry.")
    return _on_white(pixels) if pixels.shape[2] == 4 else pixels


def _on_white(pixels: NDArray[np.uint8]) -> Image:
    """Return BGRA pixels as BGR, strip by strip."""
    opaque = np.empty((*pixels.shape[:2], 3), np.uint8)
    rows = max(1, _STRIP // pixels.shape[1])
    for top in range(0, len(pixels), rows):
        strip = PIL.Image.fromarray(pixels[top : top + rows])  # in an order of channels that does not matter here
        opaque[top : top + rows] = np.asarray(_opaque(strip))
    return opaque


def _upright(pixels: Image, orientation: int | None) -> Image:
    """Return pixels turned and mirrored as an EXIF orientation says."""
    if orientation in {5, 7}:
        pixels = cv2.rotate(cv2.flip(pixels, 1), _TURNS[8 if orientation == 5 else 6])
    elif orientation in _TURNS:
        pixels = cv2.rotate(pixels, _TURNS[orientation])
    elif orientation in _FLIPS:
        pixels = cv2.flip(pixels, _FLIPS[orientation])
    return pixels
