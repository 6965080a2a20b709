"""How large and long a video may be, by the settings."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from config import UploadSettings
from entities import Frame
from errors import VideoSizeError

_MOST_FPS: Final = 240


def check_file_size(path: Path, limits: UploadSettings) -> None:
    """Raise VideoSizeError if the file is too large; a missing one is left to who opens it."""
    megabytes = path.stat().st_size / 1e6 if path.is_file() else 0
    if megabytes > limits.max_video_megabytes:
        raise VideoSizeError(
            f"It has {megabytes:.0f} MB; at most {limits.max_video_megabytes:g} MB are allowed. "
            "Choose a shorter or smaller video."
        )


def check_length(seconds: float, limits: UploadSettings) -> None:
    """Raise VideoSizeError if the video is too long."""
    if seconds > limits.max_video_seconds:
        raise VideoSizeError(
            f"It is longer than {limits.max_video_seconds:g} seconds, the most that is allowed. Cut it into parts."
        )


def limited(frames: Iterator[Frame], limits: UploadSettings) -> Iterator[Frame]:
    """Yield the frames as long as the video keeps within the limits: what its header says may be wrong."""
    for frame in frames:
        check_length(frame.time or 0, limits)
        if frame.index > limits.max_video_seconds * _MOST_FPS:
            raise VideoSizeError("It has too many frames. Cut it into parts.")
        yield frame
