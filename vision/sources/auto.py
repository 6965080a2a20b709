"""The webcam that a person would choose, or the demo clip where there is none."""

import logging
import re
from collections.abc import Callable
from contextlib import closing
from typing import Final

import cv2
import numpy as np

from config import VideoSettings
from entities import Frame, Image
from errors import SourceError
from vision.sources.base import Frames, Source
from vision.sources.file import demo_source
from vision.sources.webcam import WebcamSource, webcam_name, webcam_numbers

log = logging.getLogger(__name__)

AUTO_TIMEOUT: Final = 5.0
"""Seconds that a webcam may take to open and give its first picture, where others may be better."""
LOOKED_AT: Final = 1.5
"""Seconds of pictures before a webcam counts as dark or colourless: many begin in black."""
HOW_TO_CHOOSE: Final = "Choose “Change video” to see something else."
_SECOND_CHOICE: Final = re.compile(r"virtual|\bobs\b|loopback|dummy|infrared|\bir\b", re.IGNORECASE)
"""Names of cameras that show no room, or show it without colours."""
_CONTENT: Final = 6.0
"""Standard deviation of the grey levels (0-255) of a picture that shows something."""
_COLOUR: Final = 3.0
"""Mean difference between the strongest and the weakest of red, green and blue in a picture with colours."""


class AutoSource:
    """The first webcam whose pictures show something in colour; else the best one there is; else the demo clip."""

    def __init__(self, settings: VideoSettings, *, webcams: Callable[[], list[int]] | None = None) -> None:
        self._settings = settings
        self._webcams = webcams or webcam_numbers
        self._chosen: Source | None = None

    @property
    def name(self) -> str:
        """The chosen source's name."""
        return self._chosen.name if self._chosen else "Automatic"

    @property
    def live(self) -> bool:
        """Whether a webcam was chosen."""
        return self._chosen is None or self._chosen.live

    @property
    def note(self) -> str:
        """What is being done, or why the demo clip is shown."""
        return self._chosen.note if self._chosen else "Looking for a webcam."

    def frames(self) -> Frames:
        """Yield frames of the chosen source; a webcam that was chosen once is waited for, not replaced."""
        if self._chosen:
            yield from self._chosen.frames()
            return
        others: list[tuple[int, WebcamSource]] = []
        for number in sorted(self._webcams(), key=lambda number: bool(_SECOND_CHOICE.search(webcam_name(number)))):
            webcam = WebcamSource(number, self._settings, timeout=AUTO_TIMEOUT)
            with closing(webcam.frames()) as frames:
                best, frame = rate_webcam(frames, webcam.name)
                if best < GOOD or frame is None:
                    others += [(best, webcam)] if frame else []
                    continue
                self._chosen = webcam
                yield frame
                yield from frames
        note = f"No webcam gave a picture, so this is a demo. {HOW_TO_CHOOSE}"
        self._chosen = max(others, key=lambda other: other[0])[1] if others else demo_source(self._settings, note=note)
        yield from self._chosen.frames()


GOOD: Final = 2
"""`quality` of a picture that shows something in colour."""


def quality(image: Image) -> int:
    """Return 2 for a BGR picture that shows something in colour, 1 for one without colours, 0 for an empty one."""
    small = cv2.resize(image, (64, 48), interpolation=cv2.INTER_AREA).astype(np.float32)
    if small.mean(axis=2).std() < _CONTENT:
        return 0
    return GOOD if np.ptp(small, axis=2).mean() > _COLOUR else 1


def rate_webcam(frames: Frames, name: str) -> tuple[int, Frame | None]:
    """Return the quality of a webcam's pictures, and the first that is good; else the latest, None if none came."""
    best, latest, until = 0, None, 0.0
    try:
        for frame in frames:
            latest, until = frame, until or frame.captured_at + LOOKED_AT
            best = max(best, quality(frame.image))
            if best == GOOD or frame.captured_at >= until:
                break
    except SourceError as error:
        log.info("%s: %s", name, error)
    return best, latest
