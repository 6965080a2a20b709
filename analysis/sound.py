"""Takes a video's sound over into another file, in step with the pictures."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import chain, groupby
from typing import Final, Literal

import av
from av.audio import AudioStream
from av.container import InputContainer, OutputContainer

_RATES: Final = (44_100, 48_000)
_AAC_BITS: Final = 128_000
_PRIMING: Final = 0.1
"""Seconds before the first picture that are kept: AAC's decoder needs a few packets to start."""

_Packet = tuple[float, "av.Packet[AudioStream]"]


class Sound:
    """The sound of `source`, written to `target` as the pictures go.

    AAC is copied as it is; anything else is converted to it. Where sound cannot be read or written, it ends.

    Args:
        source: A video file that was opened for this, with or without sound.
        start: Time in the source's seconds that is 0 in the target.
        target: A container that was opened for writing, before anything was written to it.
        check: Called at every piece of the source; what it raises comes from `copy_until`.

    """

    kept: Literal["copied", "converted", "none"]

    def __init__(
        self, source: InputContainer, start: float, target: OutputContainer, check: Callable[[], None]
    ) -> None:
        self._source = source
        self._start = start
        self._target = target
        self._check = check
        self._waiting: _Packet | None = None
        self._packets = self._choose()

    def copy_until(self, time: float) -> None:
        """Write the sound that begins before `time`, in seconds of the target.

        Raises:
            OSError: It cannot be written; the disk is full, for example.

        """
        while True:
            self._waiting = self._waiting or self._next()
            if self._waiting is None or self._waiting[0] >= time:
                return
            try:
                self._target.mux(self._waiting[1])
            except ValueError:  # its times do not rise, for example
                self._packets = iter(())
            self._waiting = None

    def _next(self) -> _Packet | None:
        try:
            return next(self._packets, None)
        except (av.error.FFmpegError, ValueError):  # it cannot be decoded or converted
            return None

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
        for _, frames in groupby(self._decoded(stream, out.rate), _kind):
            resampler = av.AudioResampler(format="fltp", layout=out.layout, rate=out.rate)
            for frame in chain(frames, [None]):
                for piece in resampler.resample(frame):
                    yield from self._encoded(piece, out)
        yield from self._encoded(None, out)

    def _decoded(self, stream: AudioStream, rate: int) -> Iterator[av.AudioFrame]:
        """Yield frames from the target's time 0 on, their times counted from there in 1/`rate` seconds."""
        for packet in self._demux(stream):
            try:
                frames = stream.codec_context.decode(packet)
            except av.error.InvalidDataError:
                continue
            for frame in frames:
                if frame.pts is None or frame.time is None or frame.time < self._start:
                    continue
                frame.pts, frame.time_base = round((frame.time - self._start) * rate), Fraction(1, rate)
                yield frame

    def _demux(self, stream: AudioStream) -> Iterator["av.Packet[AudioStream]"]:
        try:
            for packet in self._source.demux(stream):
                self._check()
                yield packet
        except av.error.FFmpegError:  # the rest of the file is missing
            return

    @staticmethod
    def _encoded(frame: av.AudioFrame | None, out: AudioStream) -> Iterator[_Packet]:
        for packet in out.encode(frame):
            time = float((packet.pts or 0) * (packet.time_base or Fraction(0)))
            yield time, packet


def _kind(frame: av.AudioFrame) -> tuple[str, str, int]:
    """Return what has to stay the same for one resampler; broadcasts change it between programmes."""
    return frame.format.name, frame.layout.name, frame.sample_rate
