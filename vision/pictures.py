"""Still pictures: any file that claims to be one -> upright BGR pixels, or an error that says why not."""

from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
import PIL.Image
from PIL import ImageOps

from entities import Image
from errors import ImageError, ImageSizeError, ImageTypeError

FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP")


def read_picture(file: Path | bytes, max_megapixels: float) -> Image:
    """Decode a JPEG, PNG, WebP or BMP file, told by its content and turned as its EXIF orientation says.

    Args:
        file: A path, or the file's bytes.
        max_megapixels: Largest picture in millions of pixels, checked in the header, before anything is decoded.

    Returns:
        (H, W, 3) uint8, BGR. Transparent parts are white.

    Raises:
        ImageTypeError: Not one of FORMATS.
        ImageSizeError: More pixels than allowed.
        ImageError: Empty, truncated, broken or unreadable.

    """
    try:
        with PIL.Image.open(BytesIO(file) if isinstance(file, bytes) else file, formats=FORMATS) as picture:
            _check_size(picture, max_megapixels)
            return _to_bgr(picture)
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


def _to_bgr(picture: PIL.Image.Image) -> Image:
    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith("I"):  # 16 bits a pixel: Pillow would clip it instead of scaling it
        upright = PIL.Image.fromarray((np.asarray(upright).astype(np.uint32) >> 8).astype(np.uint8))
    if upright.has_transparency_data:
        upright = upright.convert("RGBA")
        white = PIL.Image.new("RGBA", upright.size, "white")
        upright = PIL.Image.alpha_composite(white, upright)
    return np.ascontiguousarray(np.asarray(upright.convert("RGB"))[..., ::-1])
