"""Still pictures: any file that claims to be one -> upright BGR pixels, or an error that says why not."""

from io import BytesIO
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from entities import Image
from errors import ImageError, ImageSizeError, ImageTypeError
from vision.bombs import check_parts, check_pixels

FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP")
LONGEST_SIDE: Final = 65_500
"""Pixels; no JPEG of the result can be larger."""
_STRIP: Final = 1_000_000
"""Pixels that are converted at a time: Pillow makes a copy for each step."""
_ORIENTATION: Final = 0x0112
_TURNS: Final = {3: cv2.ROTATE_180, 6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}
_FLIPS: Final = {2: 1, 4: 0}
"""By EXIF orientation: how the picture is turned, or mirrored, upright. 5 and 7 swap rows and columns."""


def read_picture(file: Path | bytes, max_megapixels: float) -> Image:
    """Decode a JPEG, PNG, WebP or BMP file, told by its content and turned as its EXIF orientation says.

    Args:
        file: A path, or the file's bytes.
        max_megapixels: Largest picture in millions of pixels, checked in the header, before anything is decoded.
            For each million, up to 14 MB of memory are taken for a moment.

    Returns:
        (H, W, 3) uint8, BGR. Transparent parts are white.

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
            orientation = picture.getexif().get(_ORIENTATION)
            pixels = _decode_webp(data) if picture.format == "WEBP" else _to_bgr(picture)
        return _upright(pixels, orientation)
    except ImageError:
        raise
    except PIL.UnidentifiedImageError:
        raise ImageTypeError("This is not a picture that can be read. Send a JPEG, PNG, WebP or BMP file.") from None
    except PIL.Image.DecompressionBombError:
        raise ImageSizeError(
            f"The picture is far too large; at most {max_megapixels:g} megapixels are allowed. Send a smaller one."
        ) from None
    except FileNotFoundError:
        raise ImageError(f"There is no file {file!s}.") from None
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error and more
        raise ImageError("The picture is broken or cut off. Save it again and retry.") from error


def is_picture(path: Path) -> bool:
    """Whether the file's content, not its name, is of one of FORMATS, as far as its header says."""
    try:
        with PIL.Image.open(path, formats=FORMATS):
            return True
    except PIL.Image.DecompressionBombError:
        return True
    except (OSError, SyntaxError, ValueError):  # UnidentifiedImageError, and what broken headers cause
        return False


def _check_size(picture: PIL.Image.Image, max_megapixels: float) -> None:
    if picture.width * picture.height > max_megapixels * 1e6:
        raise ImageSizeError(
            f"The picture has {picture.width} x {picture.height} pixels; at most {max_megapixels:g} megapixels "
            "are allowed. Send a smaller one."
        )
    if max(picture.size) > LONGEST_SIDE:
        raise ImageSizeError(
            f"The picture has {picture.width} x {picture.height} pixels; at most {LONGEST_SIDE:,} are allowed on each "
            "side. Send a part of it."
        )


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
    if picture.mode.startswith("I"):  # 16 bits a pixel: Pillow would clip it instead of scaling it
        picture = PIL.Image.fromarray((np.asarray(picture).astype(np.uint32) >> 8).astype(np.uint8))
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
