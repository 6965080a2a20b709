"""How large and long a video may be, by the settings, and how much work that makes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from analysis.recording.times import length
from config import UploadSettings
from entities import Frame
from errors import VideoSizeError
from vision.sampling import EVERY_FRAME, Sampling
from vision.video.timestamps import MAX_FPS
from vision.video.video_file import VideoInfo

FRAME_COST: Final = 200_000
"""Pixels that are decoded, drawn and encoded in the time that finding and classifying a face in a frame takes."""


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
            f"It is longer than {length(limits.max_video_seconds)}, the most that is allowed. Cut it into parts."
        )


def length_in(info: VideoInfo, sampling: Sampling = EVERY_FRAME) -> float:
    """Return how many seconds of a video are looked at, as far as the file tells."""
    return max(0.0, min(sampling.end, info.duration) - sampling.begin)


def work_in(info: VideoInfo, sampling: Sampling = EVERY_FRAME) -> float:
    """Return what an analysis will cost, as far as the file tells.

    In pixels: those that are decoded, and for each frame that is looked at as much as some more.
    """
    seconds = length_in(info, sampling)
    looked_at = seconds * min(sampling.fps or info.fps, info.fps) / sampling.every
    return _pixels_in(info, sampling) + looked_at * FRAME_COST


def check_frames(info: VideoInfo, limits: UploadSettings, sampling: Sampling = EVERY_FRAME) -> None:
    """Raise VideoSizeError if all frames together have too many pixels, as far as the file tells."""
    check_pixels(_pixels_in(info, sampling), limits)


def _pixels_in(info: VideoInfo, sampling: Sampling) -> float:
    return length_in(info, sampling) * info.fps * info.width * info.height


def check_pixels(pixels: float, limits: UploadSettings) -> None:
    """Raise VideoSizeError if all frames together have too many pixels."""
    if pixels > limits.max_video_gigapixels * 1e9:
        raise VideoSizeError(
            f"All its frames together have {pixels / 1e9:.0f} gigapixels; at most {limits.max_video_gigapixels:g} are "
            "allowed. Cut it into parts, or make its pictures smaller."
        )


def limited(frames: Iterator[Frame], limits: UploadSettings) -> Iterator[Frame]:
    """Yield the frames as long as the video keeps within the limits: what its header says may be wrong."""
    pixels = 0
    for frame in frames:
        pixels += frame.image.shape[0] * frame.image.shape[1]
        check_pixels(pixels, limits)
        check_length(frame.time or 0, limits)
        if frame.index > limits.max_video_seconds * MAX_FPS:
            raise VideoSizeError("It has too many frames. Cut it into parts.")
        yield frame
