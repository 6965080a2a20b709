"""A video that a stranger sent, shown for as long as it is there."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from config import VideoSettings
from errors import SourceError
from vision.sources.base import Frames, Source
from vision.sources.file import FileSource
from vision.video.video_file import OPTIONS


@dataclass(frozen=True, slots=True)
class UploadedVideo:
    """A video file from a stranger, who may take it away at any time."""

    path: Path
    name: str
    """What it is called in the page and in messages."""
    fallback: int | str
    """What is shown from then on, as in the `source` setting."""


class UploadedSource:
    """A video file for as long as it is there, and then something else, with a word on why."""

    def __init__(self, video: UploadedVideo, fallback: Source, settings: VideoSettings) -> None:
        self._path = video.path
        self._video = FileSource(video.path, settings, name=video.name, options=OPTIONS)
        self._fallback = fallback
        self._gone = False

    @property
    def name(self) -> str:
        """The name of what is shown."""
        return self._shown.name

    @property
    def live(self) -> bool:
        """Whether something live is shown instead."""
        return self._shown.live

    @property
    def note(self) -> str:
        """Why something else is shown, where that is so; else what is to be known about the video."""
        words = f"{self._video.name} was deleted, so this is shown again."
        return f"{words} {self._fallback.note}".strip() if self._gone else self._video.note

    def frames(self) -> Frames:
        """Yield the video's frames; an error says when it is gone, and the next call goes on with the other source."""
        self._gone = self._gone or not self._path.exists()
        if self._gone:
            yield from self._fallback.frames()
            return
        try:
            with closing(self._video.frames()) as frames:
                for frame in frames:
                    if not self._path.exists():  # most systems let an open file be read on
                        break
                    yield frame
                else:
                    return
        except SourceError:
            if self._path.exists():
                raise
        raise SourceError("This video was deleted.")

    @property
    def _shown(self) -> Source:
        return self._fallback if self._gone else self._video
