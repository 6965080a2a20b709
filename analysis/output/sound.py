"""Takes a video's sound over into another file, in step with the pictures."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import chain, groupby
from typing import Final, Literal

import av
from av.audio import AudioStream
from av.container import InputContainer, OutputContainer

from vision.video.decoding import decodable
from vision.video.timestamps import SoundClock, Timing

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
        timing: How the times of its pictures run; the sound keeps in step with them.
        target: A container that was opened for writing, before anything was written to it.
        check: Called at every piece of the source; what it raises comes from `copy_until`.

    """

    kept: Literal["copied", "converted", "none"]

    def __init__(
        self, source: InputContainer, timing: Timing, target: OutputContainer, check: Callable[[], None]
    ) -> None:
        self._source = source
        self._clock = SoundClock(timing)
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
        stream = next(iter(decodable(self._source.streams.audio)), None)
        if stream is None:
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
        end = -_PRIMING
        for packet in self._demux(stream):
            if packet.pts is None or packet.dts is None or packet.time_base is None:
                continue
            time, duration = (float(ticks * packet.time_base) for ticks in (packet.pts, packet.duration or 0))
            if time + duration / 2 < end:  # before the pictures, or over the sound of the part before
                continue
            if packet.is_discard and time >= 0:  # cut away by an edit list
                continue
            end = time + duration
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
        end = 0.0
        for packet in self._demux(stream):
            try:
                frames = stream.codec_context.decode(packet)
            except av.error.InvalidDataError:
                continue
            for frame in frames:
                if frame.time is None or frame.time + frame.samples / frame.sample_rate / 2 < end:
                    continue
                time = max(frame.time, end)
                end = time + frame.samples / frame.sample_rate
                frame.pts, frame.time_base = round(time * rate), Fraction(1, rate)
                yield frame

    def _demux(self, stream: AudioStream) -> Iterator["av.Packet[AudioStream]"]:
        """Yield the track's packets, their times counted from the first picture."""
        try:
            for packet in self._source.demux(stream):
                self._check()
                if packet.pts is not None and packet.time_base:
                    raw, lasts = (float(ticks * packet.time_base) for ticks in (packet.pts, packet.duration or 0))
                    shift = round((self._clock.at(raw, lasts, packet.pos or 0) - raw) / packet.time_base)
                    packet.pts += shift
                    packet.dts = None if packet.dts is None else packet.dts + shift
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
