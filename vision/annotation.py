"""Draws faces with their expressions on frames, makes frames that carry a message, and encodes JPEG.

OpenCV draws lines and blends; Pillow's built-in typeface (Aileron) draws the words, because OpenCV's own letters are
single strokes that are hard to read on video. What was drawn on video is kept, so a frame only pays for a blend.
"""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from entities import Box, Face, Image
from errors import ImageError
from vision.labels import place_labels

Colour = tuple[int, int, int]
"""Red, green, blue; each 0-255."""

COLOURS: Final[dict[str, Colour]] = {
    "Angry": (207, 58, 23),
    "Disgust": (107, 165, 90),
    "Fear": (149, 64, 171),
    "Happy": (242, 181, 15),
    "Sad": (53, 113, 239),
    "Surprise": (207, 124, 192),
    "Neutral": (104, 201, 236),
}
"""One colour an expression, the same as in static/css/colours.css. Any two stay apart (at least 0.09 in Oklab) for
readers with protanopia, deuteranopia or tritanopia, as simulated by Machado et al. (2009)."""

UNCERTAIN: Final[Colour] = (152, 160, 170)
"""Grey: the face was found, its expression was not."""

INK: Final[Colour] = (16, 18, 24)
PAPER: Final[Colour] = (245, 247, 250)
MUTED: Final[Colour] = (160, 168, 180)

MOSAIC_CELLS: Final = 6
"""A hidden face is this many flat tiles wide and high: too few to know anybody by."""
MOSAIC_MARGIN: Final = 0.2
"""A detector's box ends at chin and forehead; this share of it is hidden on every side as well."""
LOST_MARGIN: Final = 0.5
"""The same for a face that is not found any more, and may have moved."""
HEAD: Final = 0.7
"""How far a head that is seen from the side reaches beyond the face at its back, in widths of the face."""

_CORNER_STEP: Final = 1.1
"""Ratio between the sizes of squares that are told apart when their corners are drawn: so few can be kept."""
_ROLL_STEP: Final = 2
"""The same in degrees of their roll: a corner's strokes, a quarter of a side long, end less than a pixel aside."""
_LARGEST_KEPT: Final = 1080
"""Shorter side of the largest picture, in pixels, for which what was drawn is kept: video, but not large photographs,
for which it could come to gigabytes."""
_LABEL_BY_FACE: Final = 0.14
"""Size of a label's letters as a share of its face's side."""
_SMALLEST_LABEL: Final = 0.7
"""The smallest letters, as a share of the largest, which go by the picture's size."""
_LABEL_HEIGHT: Final = 1.65
"""Of a label, in sizes of its letters."""
_LABEL_ENDS: Final = 1.3
"""Room before and behind its words together, in sizes of its letters."""
_SUBPIXEL_BITS: Final = 4
_SUPERSAMPLING: Final = 4


class Sprite(NamedTuple):
    """Something drawn once, to be laid over many pictures."""

    light: Image
    """(h, w, 3) BGR: what it adds to the picture."""
    cover: Image
    """(h, w, 3): how much of the picture it lets through; 255 is all."""


class Corner(NamedTuple):
    """One of the four corners around a face."""

    sprite: Sprite
    x: int
    y: int
    """From the corner itself to the sprite's left top."""


def annotate(
    image: Image,
    faces: Iterable[Face],
    *,
    labels: bool = True,
    numbers: bool | None = None,
    blur: bool = False,
    lost: Iterable[Box] = (),
) -> Image:
    """Return a copy of the picture with corners around every face and a label beside it.

    Args:
        image: (H, W, 3) uint8, BGR. It is not changed.
        faces: boxes in this picture's pixels.
        labels: whether to name expression and confidence; the corners are drawn in any case.
        numbers: whether labels begin with the face's number; by default where there are several faces.
        blur: whether to replace faces by a coarse mosaic from which they cannot be restored.
        lost: where faces were lately that are not found now; with `blur`, these places are hidden as well.
    """
    faces = tuple(faces)
    canvas = hide_faces(image, faces, lost) if blur else image.copy()
    for face in faces:
        _draw_corners(canvas, _outline(face), colour_of(face))
    if labels:
        _draw_labels(canvas, faces, numbers=len(faces) > 1 if numbers is None else numbers)
    return canvas


def hide_faces(image: Image, faces: Iterable[Face], lost: Iterable[Box] = ()) -> Image:
    """Return a copy of the (H, W, 3) BGR picture in which coarse mosaics hide faces and the places `lost`."""
    canvas = image.copy()
    for box in lost:
        _hide(canvas, box, LOST_MARGIN)
    for face in faces:
        _hide(canvas, _around(_head(face)), MOSAIC_MARGIN)
    return canvas


def message_frame(title: str, detail: str, width: int, height: int) -> Image:
    """Return a (height, width, 3) BGR picture that says in words why there is no video."""
    size = max(12, min(width // 20, height // 12))
    margin = max(4, width // 12)
    picture = PillowImage.new("RGB", (width, height), INK)
    draw = ImageDraw.Draw(picture)
    lines = [(line, size, PAPER, 0.02) for line in _wrap(title, size, width - 2 * margin)]
    small = round(size * 0.62)
    lines += [(line, small, MUTED, 0.0) for line in _wrap(detail, small, width - 2 * margin)]
    y = (height - sum(1.5 * line_size for _, line_size, _, _ in lines)) / 2
    for text, line_size, colour, weight in lines:
        y += 1.5 * line_size
        position = (width / 2, y - 0.45 * line_size)
        draw.text(position, text, colour, _font(line_size), anchor="ms", stroke_width=weight * line_size)
    return cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2BGR)


def encode_jpeg(image: Image, quality: int = 80) -> bytes:
    """Return the (H, W, 3) BGR or (H, W) grey picture as a JPEG file; quality is 1-100.

    Raises:
        ImageError: The picture is empty, or larger than JPEG's 65,500 pixels a side.
    """
    try:
        encoded, data = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, quality))
    except cv2.error as error:
        raise ImageError(f"A picture of shape {image.shape} cannot be written as JPEG.") from error
    if not encoded:
        raise ImageError(f"A picture of shape {image.shape} cannot be written as JPEG.")
    return data.tobytes()


def colour_of(face: Face) -> Colour:
    """Return the colour that stands for what the face shows."""
    return UNCERTAIN if face.uncertain else COLOURS[face.expression]


def hex_colour(expression: str) -> str:
    """Return an expression's colour as plots write it: #rrggbb."""
    red, green, blue = COLOURS[expression]
    return f"#{red:02x}{green:02x}{blue:02x}"


def _outline(face: Face) -> NDArray[np.float64]:
    """Return (4, 2), x and y of the corners around a face, those at the forehead first."""
    box = face.box
    right, bottom = box.x + box.width, box.y + box.height
    return np.array(face.corners or [(box.x, box.y), (right, box.y), (right, bottom), (box.x, bottom)], float)


def _head(face: Face) -> NDArray[np.float64]:
    """Return points, x and y, around all of a head: one that looks to a side goes on at the other."""
    outline = _outline(face)
    right = HEAD * (outline[1] - outline[0])
    either = (-1.0, 1.0) if face.profile else (0.0,)
    sides = either if face.yaw is None else (-math.sin(math.radians(face.yaw)),)
    return np.concatenate([outline, *(outline + side * right for side in sides)])


def _around(points: NDArray[np.float64]) -> Box:
    """Return the smallest box around points; parts of it may lie outside the picture."""
    (left, top), (right, bottom) = np.floor(points.min(axis=0)), np.ceil(points.max(axis=0))
    return Box(int(left), int(top), int(right - left), int(bottom - top))


def _hide(canvas: Image, box: Box, margin: float) -> None:
    """Replace the box, and a margin around it that is a share of its size, by flat tiles, in place."""
    height, width = canvas.shape[:2]
    dx, dy = round(box.width * margin), round(box.height * margin)
    left, top = max(0, box.x - dx), max(0, box.y - dy)
    right, bottom = min(width, box.x + box.width + dx), min(height, box.y + box.height + dy)
    region = canvas[top:bottom, left:right]
    if not region.size:
        return
    tiles = cv2.resize(region, (MOSAIC_CELLS, MOSAIC_CELLS), interpolation=cv2.INTER_AREA)
    canvas[top:bottom, left:right] = cv2.resize(tiles, (right - left, bottom - top), interpolation=cv2.INTER_NEAREST)


def _draw_corners(canvas: Image, outline: NDArray[np.float64], colour: Colour) -> None:
    """Blend in four rounded corners with a dark shadow, so that they show on light and on dark pictures.

    Args:
        canvas: The picture, changed in place.
        outline: (4, 2), as `_outline` returns it.
        colour: Of the corners.
    """
    thickness = max(2, round(_unit(canvas) * 2.5))
    edges = np.roll(outline, -1, axis=0) - outline
    lengths = np.hypot(*edges.T)
    along = edges / np.maximum(lengths, 1e-6)[:, None]
    pixels = np.rint(outline + (along - np.roll(along, 1, axis=0) - 1) / 2).astype(int)  # those inside, at the corners
    side = round(_CORNER_STEP ** round(math.log(max(lengths.min(), 1.0), _CORNER_STEP)))
    roll = _ROLL_STEP * round(math.degrees(math.atan2(along[0, 1], along[0, 0])) / _ROLL_STEP)
    draw = _corners if _is_kept(canvas) else _corners.__wrapped__
    for (x, y), corner in zip(pixels.tolist(), draw(side, roll % 360, thickness, colour), strict=True):
        _blend(canvas, corner.sprite, x + corner.x, y + corner.y)


def _corner_path(side: float) -> NDArray[np.float64]:
    """Return (n, 2), in pixels from a corner along its two sides: stroke, quarter circle, stroke."""
    radius, arm = side * 0.1, side * 0.24
    angles = np.linspace(0, np.pi / 2, 12)
    curve = radius * (1 - np.stack([np.sin(angles), np.cos(angles)], axis=1))
    return np.concatenate([[(arm, 0)], curve, [(0, arm)]])


@lru_cache(maxsize=128)
def _corners(side: int, roll: float, thickness: int, colour: Colour) -> list[Corner]:
    """Return the corners, in the order of `_outline`, of a square `side` pixels wide, turned by `roll` degrees."""
    along, across = math.cos(math.radians(roll)), math.sin(math.radians(roll))
    path = _corner_path(side) @ np.array([[along, across], [-across, along]])
    start = np.floor(path.min(axis=0)).astype(int) - thickness  # Half of the stroke and of its shadow lie outside.
    width, height = np.ceil(path.max(axis=0)).astype(int) + thickness + 1 - start
    points = np.rint((path - start) * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    shadow, stroke = (np.zeros((height, width), np.uint8) for _ in range(2))
    for mask, wide in ((shadow, thickness + 2), (stroke, thickness)):
        cv2.polylines(mask, [points], False, 255, wide, cv2.LINE_AA, _SUBPIXEL_BITS)
        if roll == 0:  # OpenCV's smooth lines are not quite alike across and down
            np.maximum(mask, mask.T, out=mask)
    colour_alpha, ink_alpha = stroke[..., None] / 255, shadow[..., None] / 255
    light = colour_alpha * colour + (1 - colour_alpha) * ink_alpha * INK
    corners = [Corner(_sprite(light, 1 - (1 - colour_alpha) * (1 - ink_alpha)), int(start[0]), int(start[1]))]
    while len(corners) < 4:
        corners.append(_quarter_turn(corners[-1]))
    return corners


def _quarter_turn(corner: Corner) -> Corner:
    """Return a corner turned by 90 degrees, clockwise as seen."""
    light, cover = (np.ascontiguousarray(np.rot90(part, -1)) for part in corner.sprite)
    return Corner(Sprite(light, cover), 1 - len(corner.sprite.light) - corner.y, corner.x)


def _draw_labels(canvas: Image, faces: Sequence[Face], *, numbers: bool) -> None:
    """Blend the faces' labels in, where they cover neither faces nor each other."""
    height, width = canvas.shape[:2]
    variants = [_label_variants(canvas, face, number=numbers) for face in faces]
    sizes = [[label.size for label in labels] for labels in variants]
    places = place_labels([_around(_outline(face)) for face in faces], sizes, width, height)
    for face, labels, place in zip(faces, variants, places, strict=True):
        _blend(canvas, _draw_label(labels[place.variant], colour_of(face), kept=_is_kept(canvas)), place.x, place.y)


class Label(NamedTuple):
    """What a label says, and how large."""

    words: str
    figure: str
    """What follows the words and changes from frame to frame; may be empty."""
    letters: int
    """Size of the letters in pixels."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        parts = [self.words, self.figure] if self.figure else [self.words]
        ends = _LABEL_ENDS * self.letters
        widths = [round(_text_width(text, self.letters) + ends / len(parts)) for text in parts]
        return sum(widths), round(_LABEL_HEIGHT * self.letters)


def _label_variants(canvas: Image, face: Face, *, number: bool) -> list[Label]:
    """Return the face's label in full, smaller, and as short as it can be."""
    name = "Uncertain" if face.uncertain else face.expression
    figure = "" if face.uncertain else f"{face.confidence:.0%}"
    words = f"{face.track_id}  {name}" if number else name
    full, short = f"{words}  " if figure else words, str(face.track_id) if number else name
    base = max(11.0, 16 * _unit(canvas))
    smallest = _even(_SMALLEST_LABEL * base)
    size = max(smallest, _even(min(_LABEL_BY_FACE * min(face.box.width, face.box.height), base)))
    return [Label(full, figure, size), Label(full, figure, smallest), Label(short, "", smallest)]


def _draw_label(label: Label, colour: Colour, *, kept: bool) -> Sprite:
    """Return the words on a pill of their colour; they and the figure are kept apart, so that few have to be drawn."""
    draw = _label_part if kept else _label_part.__wrapped__
    if not label.figure:
        return draw(label.words, colour, label.letters, left=True, right=True)
    words = draw(label.words, colour, label.letters, left=True, right=False)
    figure = draw(label.figure, colour, label.letters, left=False, right=True)
    return Sprite(np.hstack([words.light, figure.light]), np.hstack([words.cover, figure.cover]))


def _even(size: float) -> int:
    """Return the nearest even number: few sizes of letters have to be kept."""
    return 2 * round(size / 2)


def _blend(canvas: Image, sprite: Sprite, x: int, y: int) -> None:
    """Lay a sprite over the picture with its top left corner at x and y, as far as it is inside."""
    height, width = sprite.light.shape[:2]
    region = canvas[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)]
    top, left = max(-y, 0), max(-x, 0)
    inside = np.s_[top : top + region.shape[0], left : left + region.shape[1]]
    if region.size:
        below = cv2.multiply(region, sprite.cover[inside], scale=1 / 255)
        cv2.add(below, sprite.light[inside], dst=region)


def _sprite(light: NDArray[np.float64], alpha: NDArray[np.float64]) -> Sprite:
    """Return a sprite of light (h, w, 3), red first, that is `alpha` (h, w, 1) opaque."""
    cover = np.repeat(255 * (1 - alpha), 3, axis=2)
    return Sprite(np.rint(light[..., ::-1]).astype(np.uint8), np.rint(cover).astype(np.uint8))


@lru_cache(maxsize=2048)
def _label_part(text: str, colour: Colour, letters: int, *, left: bool, right: bool) -> Sprite:
    """Return a text on a pill of its colour, which ends round on the sides that are asked for."""
    ends = _LABEL_ENDS * letters / 2
    width, height = round(_text_width(text, letters) + ends * (left + right)), round(_LABEL_HEIGHT * letters)
    pill = PillowImage.new("L", (width * _SUPERSAMPLING, height * _SUPERSAMPLING))
    ImageDraw.Draw(pill).rounded_rectangle(
        (0, 0, pill.width - 1, pill.height - 1),
        radius=0.45 * letters * _SUPERSAMPLING,
        fill=255,
        corners=(left, right, right, left),
    )
    alpha = np.asarray(pill.resize((width, height), PillowImage.Resampling.BOX))[..., None] / 255.0
    picture = PillowImage.new("RGB", (width, height), colour)
    position = (ends if left else 0.0, height / 2 + 0.36 * letters)
    font, ink = _font(letters), _text_on(colour)
    ImageDraw.Draw(picture).text(position, text, ink, font, anchor="ls", stroke_width=0.02 * letters)
    return _sprite(np.asarray(picture) * alpha, alpha)


@lru_cache(maxsize=2048)
def _text_width(text: str, letters: int) -> float:
    return _font(letters).getlength(text)


def _text_on(colour: Colour) -> Colour:
    """Return ink or paper, whichever has more contrast with the colour (WCAG 2.2's relative luminance)."""
    channels = np.asarray(colour) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ (0.2126, 0.7152, 0.0722))
    return INK if (luminance + 0.05) ** 2 > 1.05 * 0.055 else PAPER


def _wrap(text: str, size: int, width: int) -> list[str]:
    """Break the text into lines of at most `width` pixels, between words."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _font(size).getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _is_kept(canvas: Image) -> bool:
    """Whether what is drawn on this picture is kept for the next."""
    return min(canvas.shape[:2]) <= _LARGEST_KEPT


def _unit(canvas: Image) -> float:
    """Return what one pixel of a 480-line picture is in this one."""
    return min(canvas.shape[:2]) / 480
