"""Takes a video's sound over into another file, in step with the pictures."""

from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

import av
from av.audio import AudioStream
from av.container import InputContainer, OutputContainer

from vision.videos import OPTIONS

_RATES: Final = (44_100, 48_000)
_AAC_BITS: Final = 128_000
_PRIMING: Final = 0.1
"""Seconds before the first picture that are kept: AAC's decoder needs a few packets to start."""

_Packet = tuple[float, "av.Packet[AudioStream]"]


class Sound:
    """The sound of `original`, written to `target` as the pictures go.

    AAC is copied as it is; anything else is converted to it. Sound that cannot be read is left out, from where
    it is damaged. Use it as a context manager.

    Args:
        original: A video file, with or without sound.
        start: Time in the original's seconds that is 0 in the target.
        target: A container that was opened for writing, before anything was written to it.

    """

    kept: Literal["copied", "converted", "none"]

    def __init__(self, original: Path, start: float, target: OutputContainer) -> None:
        self._start = start
        self._target = target
        self._waiting: _Packet | None = None
        with ExitStack() as stack:
            self._source: InputContainer = stack.enter_context(av.open(f"file:{original}", options=OPTIONS))
            self._packets = self._choose()
            self._stack = stack.pop_all()

    def copy_until(self, time: float) -> None:
        """Write the sound up to `time`, in seconds of the target."""
        while True:
            self._waiting = self._waiting or next(self._packets, None)
            if self._waiting is None or self._waiting[0] > time:
                return
            self._target.mux(self._waiting[1])
            self._waiting = None

    def close(self) -> None:
        """Close the original."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _choose(self) -> Iterator[_Packet]:
        stream = next(iter(self._source.streams.audio), None)
        if stream is None or stream.codec_context is None:
            self.kept = "none"
            return iter(())
        if stream.codec_context.name == "aac" and stream.codec_context.extradata:
            self.kept = "copied"
            return self._copied(stream, self._target.add_stream_from_template(stream))
        self.kept = "converted"
        rate = stream.rate if stream.rate in _RATES else _RATES[-1]
        out = self._target.add_stream("aac", rate=rate)
        out.layout = "mono" if stream.channels == 1 else "stereo"
        out.bit_rate = _AAC_BITS
        return self._converted(stream, out)

    def _copied(self, stream: AudioStream, out: AudioStream) -> Iterator[_Packet]:
        for packet in self._demux(stream):
            if packet.pts is None or packet.dts is None or packet.time_base is None:
                continue
            time = float(packet.pts * packet.time_base) - self._start
            if time < -_PRIMING:
                continue
            shift = round(self._start / packet.time_base)
            packet.pts -= shift
            packet.dts -= shift
            packet.stream = out
            yield time, packet

    def _converted(self, stream: AudioStream, out: AudioStream) -> Iterator[_Packet]:
        resampler = av.AudioResampler(format="fltp", layout=out.layout, rate=out.rate)
        for frame in self._decoded(stream):
            for piece in resampler.resample(frame):
                yield from self._encoded(piece, out)
        for piece in resampler.resample(None):
            yield from self._encoded(piece, out)
        yield from self._encoded(None, out)

    def _decoded(self, stream: AudioStream) -> Iterator[av.AudioFrame]:
        """Yield frames from the target's time 0 on, their times counted from there."""
        for packet in self._demux(stream):
            try:
                frames = stream.codec_context.decode(packet)
            except av.error.InvalidDataError:
                continue
            for frame in frames:
                if frame.pts is None or frame.time is None or frame.time < self._start:
                    continue
                frame.pts -= round(self._start / (frame.time_base or 1))
                yield frame

    def _demux(self, stream: AudioStream) -> Iterator["av.Packet[AudioStream]"]:
        try:
            yield from self._source.demux(stream)
        except av.error.FFmpegError:  # the rest of the file is missing
            return

    @staticmethod
    def _encoded(frame: av.AudioFrame | None, out: AudioStream) -> Iterator[_Packet]:
        for packet in out.encode(frame):
            time = float((packet.pts or 0) * (packet.time_base or Fraction(0)))
            yield time, packet
