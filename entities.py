"""The data types that every room of the project shares, and the one order of the labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

EXPRESSIONS: Final = ("Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral")
"""FER2013's integer labels 0-6, in order (Goodfellow et al., 2013, arXiv:1307.0414)."""

INPUT_SHAPE: Final = (48, 48, 1)
"""Height, width and channels of the faces that the network takes."""

DISPLAY_ORDER: Final = ("Happy", "Surprise", "Neutral", "Sad", "Fear", "Disgust", "Angry")
"""The same as bars, tables and charts show them: pleasant above, unpleasant below."""

Image = NDArray[np.uint8]
"""A picture: (H, W, 3) BGR, or (H, W) grey; values 0-255."""

Corners = tuple[tuple[float, float], ...]
"""Four points, x and y in pixels; or none."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture from a source."""

    image: Image
    """(H, W, 3) uint8, BGR, upright."""
    index: int
    """0 for the first frame of a source; rises by one a frame that was read."""
    captured_at: float
    """Seconds on the monotonic clock (`time.monotonic`) when the frame was read."""
    time: float | None = None
    """Presentation time in seconds from the start of a video file; None for live sources."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in whole pixels of the full frame, inside the frame."""

    x: int
    y: int
    width: int
    height: int

    def crop(self, image: Image) -> Image:
        """Return the part of the image inside the box, as a view."""
        return image[self.y : self.y + self.height, self.x : self.x + self.width]


@dataclass(frozen=True, slots=True)
class Face:
    """One face in one frame, with what its expression looks like."""

    box: Box
    probabilities: tuple[float, ...]
    """Seven floats in EXPRESSIONS order, 0-1, summing to 1; smoothed over the track's past."""
    track_id: int
    """Stays the same while the same face is followed from frame to frame."""
    min_confidence: float = 0.0
    """Below this confidence (0-1) the expression is shown as uncertain."""
    raw: tuple[float, ...] = ()
    """The classifier's seven probabilities for `box` of this frame alone, before smoothing."""
    held: int | None = None
    """Index of the expression that is shown although another may be a little more probable, so that it keeps still."""
    roll: float | None = None
    """Degrees by which the head is tilted, clockwise as seen, -180 to 180; good to about 3 for a frontal face. None
    where the detector does not tell, as Haar."""
    yaw: float | None = None
    """Degrees by which the head is turned, above 0 to the picture's right, -90 to 90; None as with `roll`. It is rough,
    to about 10 near 0 and 20 near 60: one point, the tip of the nose, says how far, on a head of usual proportions."""
    profile: bool = False
    """Whether the face is seen from the side, beyond what the network knows; it counts as uncertain."""
    corners: Corners = ()
    """Of the turned square that the network saw: at the forehead from left to right, then at the chin from right to
    left; may lie outside the frame. Empty where that was `box`."""

    score: float | None = None
    """How sure the detector is, 0-1; None where it gives no probability, as Haar."""
    uncorrected: tuple[float, ...] = ()
    """Where `probabilities` are compared with the person's resting face, what they would be without; else empty."""

    @property
    def label(self) -> int:
        """Index into EXPRESSIONS of the expression that is shown."""
        return int(np.argmax(self.probabilities)) if self.held is None else self.held

    @property
    def expression(self) -> str:
        """The one of EXPRESSIONS that is shown: the most probable one, or the one that is held."""
        return EXPRESSIONS[self.label]

    @property
    def confidence(self) -> float:
        """The probability (0-1) of `expression`."""
        return self.probabilities[self.label]

    @property
    def uncertain(self) -> bool:
        """Whether no expression is named: the confidence is too low, or the face is seen from the side."""
        return self.profile or self.confidence < self.min_confidence


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class FrameResult:
    """All that viewers see of one frame; equal to itself alone."""

    index: int
    captured_at: float
    """Seconds on the monotonic clock, as in Frame."""
    time: float | None
    width: int
    height: int
    """Size of the picture in pixels; boxes are in the same pixels."""
    faces: tuple[Face, ...]
    jpeg: bytes = b""
    """A JPEG file of a message that is shown in place of a picture; empty where there is an `image`."""
    timings: Mapping[str, float] = field(default_factory=dict)
    """Milliseconds by stage: detect, classify, total."""
    image: Image | None = None
    """(H, W, 3) uint8, BGR: the picture, on which nothing is drawn; None where a message is shown."""
    source: str = ""
    """What is shown, in words, as in SourceStatus."""
    video: int = 0
    """Which of the videos that were opened one after the other this is."""
    lost: tuple[Box, ...] = ()
    """Where faces were a moment ago that are not found in this frame; to be hidden with those that are."""


class SourceState(StrEnum):
    """Where a video source stands; always visible to the user."""

    OPENING = "opening"
    LIVE = "live"
    RECONNECTING = "reconnecting"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """A source's state with the words that explain it."""

    state: SourceState
    source: str
    """What is shown, in words: "Webcam 0", "Demo clip", a file's name, an address without its password."""
    reason: str = ""
    """Why the source is not live, or what the user may do; empty when there is nothing to say."""
    next_try_at: float | None = None
    """Monotonic seconds of the next attempt while reconnecting."""


class Classifier(Protocol):
    """What turns faces into probabilities: FacialExpressionModel, or a stand-in in tests."""

    def predict(self, faces: Sequence[Image] | Image) -> NDArray[np.float32]:
        """Return (n, 7) probabilities in EXPRESSIONS order for n grey crops of any size."""
        ...
