"""Live frames as some viewers want them: without labels, or with faces hidden."""

import threading

from entities import FrameResult, Image
from vision.annotation import annotate, encode_jpeg, message_frame


class Drawings:
    """The newest frame in each way of drawing, drawn when it is first asked for and once for all who ask."""

    def __init__(self, quality: int) -> None:
        """Take the JPEG quality, 1-100."""
        self._quality = quality
        self._newest: dict[tuple[bool, bool], tuple[FrameResult, bytes]] = {}
        self._lock = threading.Lock()

    def jpeg(self, result: FrameResult, *, labels: bool, blur: bool) -> bytes:
        """Return a frame as a JPEG file.

        With `blur`, a picture in which nobody has looked for faces is not shown at all.
        """
        if result.image is None or (labels and not blur):
            return result.jpeg
        with self._lock:
            drawn, jpeg = self._newest.get((labels, blur), (None, b""))
            if drawn is not result:
                jpeg = encode_jpeg(self._draw(result, result.image, labels=labels, blur=blur), self._quality)
                self._newest[labels, blur] = result, jpeg
            return jpeg

    def _draw(self, result: FrameResult, image: Image, *, labels: bool, blur: bool) -> Image:
        if blur and "detect" not in result.timings:
            return message_frame(
                "Faces cannot be hidden yet",
                "They are looked for when the model is ready.",
                result.width,
                result.height,
            )
        return annotate(image, result.faces, labels=labels, blur=blur, gone=result.gone)
