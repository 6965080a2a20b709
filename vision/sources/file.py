"""A video file, or a still picture, at this computer."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import av

from config import DEMO_CLIP, VideoSettings
from entities import Frame, Image
from errors import ImageError, SourceError
from vision.pictures import is_picture, read_picture
from vision.pixels import shrunk
from vision.sources.base import Frames, held
from vision.video.conversion import PictureConverter, deinterlaced
from vision.video.decoding import MAX_PIXELS, FrameCap, decoded, opened, reason
from vision.video.timestamps import SteadyClock, timed, usual_step

log = logging.getLogger(__name__)

DEMO_NAME: Final = "Demo clip"


class FileSource:
    """A video file, played once or again and again. A still picture is shown on and on."""

    live = False

    def __init__(
        self,
        path: Path,
        settings: VideoSettings,
        *,
        name: str = "",
        note: str = "",
        options: dict[str, str] | None = None,
    ) -> None:
        self.name = name or path.name
        self.note = note
        self.path = path
        self._options = options
        self._settings = settings
        self._breaks_off = False

    def frames(self) -> Frames:
        """Yield frames with `time` from the start of the file, which begins again with each round."""
        play = self._show if is_picture(self.path) else self._play
        index = 0
        while True:
            first = index
            for image, seconds in play():
                frame = Frame(image, index, time.monotonic(), seconds)
                yield frame
                index += 1
            if index == first:
                raise SourceError("No picture in it can be read. It is damaged, or cut off.")
            if not self._settings.loop:
                return
            if index == first + 1:
                yield from held(frame)

    def _show(self) -> Iterator[tuple[Image, float]]:
        try:
            picture = read_picture(self.path, MAX_PIXELS / 1e6)
        except ImageError as error:
            raise SourceError(str(error)) from None
        self.note = picture.note
        yield shrunk(picture.image, self._settings.max_width, self._settings.max_height), 0.0

    def _play(self) -> Iterator[tuple[Image, float]]:
        if self.path.is_file() and not self.path.stat().st_size:
            raise SourceError("The file is empty. Choose another.")
        cap = FrameCap(self._settings.max_fps)
        seconds = -1.0
        with opened(f"file:{self.path}", options=self._options) as (container, track):
            track.thread_type = "AUTO"
            converter = PictureConverter(track, self._settings.max_width, self._settings.max_height)
            frames = timed(decoded(container, track), SteadyClock(usual_step(track)))
            try:
                for frame, seconds in deinterlaced(frames):
                    if cap.accepts(seconds):
                        yield converter.convert(frame), seconds
            except av.error.FFmpegError as error:
                if seconds < 0:
                    raise
                if not self._breaks_off:  # it will in each round
                    log.warning("%s breaks off after %.1f s: %s", self.name, seconds, reason(error))
                self._breaks_off = True


def demo_source(settings: VideoSettings, *, note: str = "") -> FileSource:
    """Return the bundled clip, which always plays again."""
    return FileSource(DEMO_CLIP, settings.model_copy(update={"loop": True}), name=DEMO_NAME, note=note)
