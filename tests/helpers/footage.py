"""Small videos and stand-ins that several tests share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from entities import EXPRESSIONS, Image


class FixedClassifier:
    """Calls every face the same expression, with the same confidence."""

    def __init__(self, expression: str = "Happy", confidence: float = 0.8) -> None:
        rest = (1 - confidence) / (len(EXPRESSIONS) - 1)
        self._row = np.full(len(EXPRESSIONS), rest, np.float32)
        self._row[EXPRESSIONS.index(expression)] = confidence

    def predict(self, faces: Sequence[Image] | Image) -> NDArray[np.float32]:
        """Return one row a face."""
        return np.tile(self._row, (len(faces), 1))


def plain_frames(count: int, width: int = 64, height: int = 48) -> Iterator[Image]:
    """Yield grey frames that get brighter, with a white top left corner that shows which way is up."""
    for index in range(count):
        image = np.full((height, width, 3), 40 + 100 * index // count, np.uint8)
        image[: height // 4, : width // 4] = 255
        yield image


def make_video(
    path: Path,
    frames: Iterator[Image] | None = None,
    *,
    times: Sequence[float] | None = None,
    fps: int = 25,
    sound: str | None = None,
    sound_from: float = 0,
    codec: str = "libx264",
    turn: int = 0,
    title: str = "",
) -> Path:
    """Write a short video.

    Args:
        path: Where; the ending chooses the container.
        frames: BGR pictures; a second of `plain_frames` if not given.
        times: When each is shown, in seconds; every 1/fps if not given.
        fps: Frames a second.
        sound: An audio codec for a tone of 440 Hz as long as the picture; None for silence.
        sound_from: When the tone begins, in seconds.
        codec: A video codec.
        turn: 0, or 90: the player must turn the picture by this many degrees clockwise, as a phone's video says.
        title: What the file says about itself.

    """
    pictures = list(frames or plain_frames(fps))
    shown = times or [index / fps for index in range(len(pictures))]
    with av.open(str(path), "w") as container:
        container.metadata.update({"title": title} if title else {})
        stream = container.add_stream(codec, rate=fps)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000 if codec == "libx264" else fps)
        stream.codec_context.max_b_frames = 0
        audio = container.add_stream(sound, rate=48_000) if sound else None
        for time, picture in zip(shown, pictures, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.time_base = stream.codec_context.time_base
            frame.pts = round(time / frame.time_base)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if isinstance(audio, av.AudioStream):
            container.mux(_tone(audio, shown[0], sound_from, shown[-1] + 1 / fps))
    if turn:
        _say_turned(path)
    return path


def _tone(stream: av.AudioStream, first: float, begin: float, end: float) -> list[av.Packet[av.AudioStream]]:
    """Return sound from the time `first` to `end`, with the tone from `begin` on."""
    moments = np.arange(int(48_000 * first), int(48_000 * end)) / 48_000
    wave = 0.5 * np.sin(2 * np.pi * 440 * moments) * (moments >= begin)
    packets: list[av.Packet[av.AudioStream]] = []
    for start in range(0, len(wave), 1024):
        block = (wave[start : start + 1024] * 32767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, int(48_000 * first) + start, Fraction(1, 48_000)
        packets += stream.encode(frame)
    return packets + stream.encode(None)


def _say_turned(path: Path) -> None:
    """Write a quarter turn clockwise into the track header's matrix (ISO/IEC 14496-12, 8.3.2)."""
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    one, zero, whole = 0x10000, 0, 0x40000000
    for index, value in enumerate((zero, one, zero, -one, zero, zero, zero, zero, whole)):
        data[matrix + 4 * index : matrix + 4 * index + 4] = value.to_bytes(4, "big", signed=True)
    path.write_bytes(data)
