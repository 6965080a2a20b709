"""Which packets of a video need not be decoded, where only some of its frames are looked at.

A frame that is looked at needs those before it, back to a picture at which decoding can begin anew. What comes between
it and the next such picture is not given to the decoder at all; what comes before it is decoded unless no other
picture is made from it (FFmpeg's skip_frame). Both leave the frames that are looked at as they are, bit for bit.
"""

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from av.packet import Packet

Verdict = Literal["DEFAULT", "NONREF"]
"""FFmpeg's skip_frame: all pictures are decoded, or those that others are made from."""


class DecodingPlan:
    """Says of each packet whether it is decoded.

    Args:
        wanted: Index and seconds from the first of each frame that is looked at, by its time in the file's own seconds.
        restarts: Times, rising, of the pictures that `begins_anew` is true of.

    """

    def __init__(self, wanted: Mapping[float, tuple[int, float]], restarts: "array[float]") -> None:
        self.wanted: Final = wanted
        self._restarts = restarts
        self._missing = Counter(self._stretch(time) for time in wanted)

    @property
    def is_done(self) -> bool:
        """Whether the packets of all frames that are looked at have come."""
        return not self._missing

    def verdict(self, time: float) -> Verdict | None:
        """Return how the next packet, of the picture at `time`, is decoded; None where it is not."""
        stretch = self._stretch(time)
        if stretch not in self._missing:
            return None
        if time not in self.wanted:
            return "NONREF"
        self._missing -= Counter([stretch])
        return "DEFAULT"

    def _stretch(self, time: float) -> int:
        return bisect_right(self._restarts, time)


@dataclass(frozen=True, slots=True)
class _Units:
    """How the units are told from each other that a packet consists of."""

    shift: int
    mask: int
    """What has to be done to a unit's first byte to have its kind."""
    slices: range
    """Kinds that are pictures."""
    restart: int
    """The kind of a picture that no later one, in the file's order, is shown before or made from what was before."""
    length_at: int
    """Which byte of the codec's extradata says, in its last two bits, how long the units' lengths are."""


_UNITS: Final = {
    "h264": _Units(shift=0, mask=0x1F, slices=range(1, 6), restart=5, length_at=4),  # IDR (ITU-T H.264, table 7-1)
    "hevc": _Units(shift=1, mask=0x3F, slices=range(32), restart=20, length_at=21),  # IDR_N_LP (H.265, table 7-1)
}
_WITH_LENGTHS: Final = b"\x01"
_START: Final = b"\x00\x00\x01"


def begins_anew(packet: "Packet[Any]") -> bool:
    """Whether a picture, and all that follow it in the file, are decoded without what comes before it.

    A key frame alone does not mean that: pictures that follow may still be made from earlier ones. Where the codec is
    not known here, the answer is no.
    """
    codec = packet.stream.codec_context
    if not packet.is_keyframe or codec.codec.intra_only or codec.name == "vp9":
        return packet.is_keyframe
    units = _UNITS.get(codec.name)
    if units is None:
        return False
    kinds = (header >> units.shift & units.mask for header in _headers(bytes(packet), codec.extradata or b"", units))
    return next((kind for kind in kinds if kind in units.slices), None) == units.restart


def _headers(data: bytes, extradata: bytes, units: _Units) -> Iterator[int]:
    """Yield the first byte of each unit: with its length in front (ISO/IEC 14496-15), or after 00 00 01 (Annex B)."""
    if extradata.startswith(_WITH_LENGTHS):
        size = (extradata[units.length_at] & 3) + 1
        begin = 0
        while begin + size < len(data):
            yield data[begin + size]
            begin += size + int.from_bytes(data[begin : begin + size], "big")
        return
    begin = data.find(_START)
    while 0 <= begin < len(data) - len(_START):
        yield data[begin + len(_START)]
        begin = data.find(_START, begin + len(_START))
