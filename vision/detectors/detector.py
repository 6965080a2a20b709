"""What every face detector gives, and is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from entities import Corners, Image
from vision.geometry import Square

SAME_FACE: Final = 0.5
"""Two detections are one face if this share of the smaller one lies inside the other."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A face found in a picture."""

    face: Square
    score: float
    """How sure the detector is; comparable only with its own others."""
    yaw: float | None = None
    """Degrees by which the head is turned, to the picture's right above 0; None from a detector that tells no angles,
    and for which `face.roll` is 0."""
    profile: bool = False
    """Whether the face is seen from the side, beyond what the network knows."""

    @property
    def roll(self) -> float | None:
        """Degrees by which the head is tilted, clockwise as seen, -180 to 180; None as with `yaw`."""
        return None if self.yaw is None else (self.face.roll + 180) % 360 - 180

    @property
    def probability(self) -> float | None:
        """The score, 0-1; None from a detector whose scores are counts, as Haar's, which tells no angles either."""
        return None if self.yaw is None else min(1.0, max(0.0, self.score))

    @property
    def corners(self) -> Corners:
        """Of the face where it is known how it is turned; else none."""
        return () if self.yaw is None else self.face.corners()

    def scaled(self, factor: float) -> "Detection":
        """Return the same face in a picture `factor` times as large."""
        return replace(self, face=self.face.scaled(factor))


class Detector(Protocol):
    """Finds faces; safe to use from several threads."""

    name: str
    """As `detector.kind` names it."""
    title: str
    """As people name it."""
    min_face: float
    """Smallest face that it is used for where `detector.min_face` is not set, as a share of the shorter side."""

    def find(
        self,
        image: Image,
        smallest: float,
        *,
        thorough: bool,
        known: Sequence[Square] = (),
        settled: Sequence[Detection] = (),
    ) -> list[Detection]:
        """Return the faces in a picture, each once, in any order.

        Args:
            image: (H, W), (H, W, 3) BGR or (H, W, 4) BGRA; 8 or 16 bits a channel.
            smallest: width in pixels of the smallest face that is wanted, framed as in `Square`.
            thorough: whether to take the time that a single picture is worth, or that of one of a video's many.
            known: where faces were a moment ago, which helps to find them again.
            settled: faces that hardly change: whether they are still there is enough, and they may be returned as they
                are.
        """
        ...


def strongest(detections: list[Detection]) -> list[Detection]:
    """Return one detection a face: of those that cover one another, the one with the highest score."""
    kept: list[Detection] = []
    for detection in sorted(detections, key=lambda d: d.score, reverse=True):
        if all(detection.face.overlap(other.face) < SAME_FACE for other in kept):
            kept.append(detection)
    return kept
