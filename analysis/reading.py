"""Frame after frame of a video with the faces in it, compared with their rests where those are wanted."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from analysis.limits import limited
from analysis.rest import RestWanted, known_rests, rest_record
from config import UploadSettings
from entities import Face, Frame
from pipeline import ExpressionPipeline, Sighting
from vision.videos import VideoFile

Progress = Callable[[float, float], None]
"""Called with the seconds of the video that are done, and all its seconds."""


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
        self._looked: list[tuple[float, Sequence[Sighting]]] = []

    def look_ahead(self, path: Path, wanted: RestWanted) -> None:
        """Find the faces and their rests.

        Raises:
            RestError: In the time that was asked for, no face is seen.

        """
        with VideoFile(path, self._limits.max_video_megapixels, self._limits.max_video_seconds) as video:
            for frame in self._frames(video, half=1):
                self._looked.append((frame.time or 0.0, self._pipeline.look(frame)[0]))
            duration = video.end
        rests = known_rests(wanted, self._looked, duration)
        for number, known in rests.items():
            self._pipeline.compare(number, known.rest)
        self.rest = rest_record(wanted, rests, duration)

    def faces(self, video: VideoFile) -> Iterator[tuple[Frame, tuple[Face, ...]]]:
        """Yield each frame with its faces; those that were seen by looking ahead are not looked for again."""
        looked = iter(self._looked)
        for frame in self._frames(video, half=2 if self._looked else None):
            known = next(looked, None)
            sightings = known[1] if known else self._pipeline.look(frame)[0]
            yield frame, self._pipeline.describe(sightings, frame.time or 0.0)

    def _frames(self, video: VideoFile, half: Literal[1, 2] | None) -> Iterator[Frame]:
        """Yield the frames, and tell how far that is: the whole way, or its first or second half."""
        total = video.info.duration
        for frame in limited(video.frames(), self._limits):
            self._check()
            yield frame
            if self._progress:
                done = min(frame.time or 0.0, total)
                self._progress(done if half is None else (done + (half - 1) * total) / 2, total)
