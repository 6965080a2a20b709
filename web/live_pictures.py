"""Live frames as some viewers want them: without labels, with faces hidden, or smaller for slow networks."""

import logging
import threading
from collections.abc import Callable
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

from entities import FrameResult
from vision.annotation import annotate, encode_jpeg, hide_faces, message_frame
from vision.pixels import shrunk

log = logging.getLogger(__name__)

_NOT_DRAWN: Final = ("This picture cannot be shown", "The next one may be all right.")
_NOT_HIDDEN_YET: Final = ("Faces cannot be blurred yet", "They are found as soon as the model is ready.")


class Size(NamedTuple):
    """How large a picture may be."""

    width: int
    """Pixels at most."""
    quality: int
    """Of the JPEG, 1-100."""


SIZES: Final = (
    (6000, Size(1280, 75)),
    (3000, Size(960, 70)),
    (1500, Size(640, 65)),
    (800, Size(480, 60)),
    (400, Size(400, 50)),
    (0, Size(320, 45)),
)
"""Sizes by the least kbit/s that they need to come several times a second."""


class Drawings:
    """Frames in each way of drawing, drawn when it is first asked for and once for all who ask.

    What is drawn is kept for as long as anybody has the frame: many viewers may be one frame behind the newest.
    """

    def __init__(self, quality: int) -> None:
        """Take the JPEG quality, 1-100."""
        self._quality = quality
        self._drawn = WeakKeyDictionary[FrameResult, dict[tuple[object, ...], bytes]]()
        """By the way of drawing."""
        self._lock = threading.Lock()

    def jpeg(self, result: FrameResult, *, labels: bool, blur: bool) -> bytes:
        """Return a frame with its faces marked as a JPEG file.

        With `blur`, a picture in which nobody has looked for faces is not shown at all.
        """
        image = result.image
        if image is None:
            return result.jpeg

        def draw() -> bytes:
            marked = annotate(image, result.faces, labels=labels, blur=blur, lost=result.lost)
            return encode_jpeg(marked, self._quality)

        return self._once(result, ("marked", labels, blur), _if_hidden(result, draw, blur=blur))

    def picture(self, result: FrameResult, *, blur: bool, rate: int | None) -> bytes:
        """Return a frame without marks as a JPEG file, of a size that `rate` kbit/s can carry; None is no limit."""
        image = result.image
        if image is None:
            return result.jpeg
        size = None if rate is None else next(size for least, size in SIZES if rate >= least)

        def draw() -> bytes:
            shown = hide_faces(image, result.faces, result.lost) if blur else image
            if size is None:
                return encode_jpeg(shown, self._quality)
            return encode_jpeg(shrunk(shown, size.width, result.height), size.quality)

        return self._once(result, ("picture", blur, size), _if_hidden(result, draw, blur=blur))

    def _once(self, result: FrameResult, way: tuple[object, ...], draw: Callable[[], bytes]) -> bytes:
        with self._lock:
            kept = self._drawn.setdefault(result, {})
            if way not in kept:
                kept[way] = _or_message(result, draw)
            return kept[way]


def _or_message(result: FrameResult, draw: Callable[[], bytes]) -> bytes:
    """Return what is drawn; where that fails, a message: one bad picture must not end a stream."""
    try:
        return draw()
    except Exception:
        log.exception("Frame %d cannot be drawn.", result.index)
        return encode_jpeg(message_frame(*_NOT_DRAWN, result.width, result.height))


def _if_hidden(result: FrameResult, draw: Callable[[], bytes], *, blur: bool) -> Callable[[], bytes]:
    """Return what draws the frame, or a message where faces should be hidden and nobody has looked for them."""
    if not blur or "detect" in result.timings:
        return draw
    return lambda: encode_jpeg(message_frame(*_NOT_HIDDEN_YET, result.width, result.height))
