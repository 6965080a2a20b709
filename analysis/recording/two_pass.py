"""Frame after frame of a video with the faces in it, compared with their rests where those are wanted."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice, pairwise
from typing import Any, Final, Literal, cast

from analysis.recording.baseline import BaselineSource, known_rests, rest_record
from analysis.recording.limits import limited
from config import UploadSettings
from entities import Face, Frame
from pipeline import ExpressionPipeline, RawFace
from vision.video.video_file import VideoFile

Progress = Callable[[float, float], None]
"""Called with the seconds of the video that are done, and all its seconds."""
_Described = tuple[Frame, tuple[Face, ...]]

_WINDOW: Final = 16
"""Frames whose faces go through the network together."""
_WINDOW_BYTES: Final = 64_000_000


class Reading:
    """Goes through a video, twice where faces are to be compared with rests: those may be seen only later in it."""

    def __init__(
        self,
        pipeline: ExpressionPipeline,
        limits: UploadSettings,
        check: Callable[[], None],
        progress: Progress | None,
    ) -> None:
        self.rest: dict[str, Any] | None = None
        """What the results say of the rests; None where none were wanted."""
        self._pipeline = pipeline
        self._limits = limits
        self._check = check
        self._progress = progress
        self._looked: list[tuple[float, Sequence[RawFace]]] = []

    def look_ahead(self, video: VideoFile, wanted: BaselineSource) -> None:
        """Find the faces and their rests.

        Args:
            video: The same, opened once more.
            wanted: Where the rests come from.

        Raises:
            RestError: In the time that was asked for, no face is seen.

        """
        for window in _windows(self._frames(video)):
            for frame, raw_faces in zip(window, self._pipeline.classify_batch(window), strict=True):
                self._looked.append((frame.time or 0.0, raw_faces))
                self._tell(frame, video, half=1)
        duration = video.end - video.begin
        rests = known_rests(wanted, self._looked, duration)
        for number, known in rests.items():
            self._pipeline.compare(number, known.rest)
        self.rest = rest_record(wanted, rests, duration, len(self._looked) / duration if duration > 0 else 0.0)

    def faces(self, video: VideoFile) -> Iterator[tuple[Frame, float, tuple[Face, ...]]]:
        """Yield each frame with the seconds to the next one, or to the end, and its faces."""
        for now, after in pairwise(chain(self._described(video), [None])):
            frame, faces = cast("_Described", now)
            until = video.end if after is None else after[0].time or 0.0
            yield frame, until - (frame.time or 0.0), faces
            self._tell(frame, video, half=2 if self._looked else None)

    def _described(self, video: VideoFile) -> Iterator[_Described]:
        """Yield each frame with its faces; those that were seen by looking ahead are not looked for again."""
        looked = iter(self._looked)
        for window in _windows(self._frames(video)):
            known = [raw_faces for _, raw_faces in islice(looked, len(window))]
            seen = known + (self._pipeline.classify_batch(window[len(known) :]) if len(known) < len(window) else [])
            for frame, raw_faces in zip(window, seen, strict=True):
                yield frame, self._pipeline.describe(raw_faces, frame.time or 0.0)

    def _frames(self, video: VideoFile) -> Iterator[Frame]:
        for frame in limited(video.frames(), self._limits):
            self._check()
            yield frame

    def _tell(self, frame: Frame, video: VideoFile, half: Literal[1, 2] | None) -> None:
        """Tell how far it is: of the whole way, or of its first or second half."""
        if self._progress:
            total = video.length
            done = min((frame.time or 0.0) - video.begin, total)
            self._progress(done if half is None else (done + (half - 1) * total) / 2, total)


def _windows(frames: Iterable[Frame]) -> Iterator[list[Frame]]:
    """Yield the frames, as many at a time as go through the network together and do not take much memory."""
    window: list[Frame] = []
    for frame in frames:
        window.append(frame)
        if len(window) >= _WINDOW or len(window) * frame.image.nbytes >= _WINDOW_BYTES:
            yield window
            window = []
    if window:
        yield window
