"""Follows faces from frame to frame, so that each keeps its number."""

from dataclasses import dataclass

from config import DetectorSettings
from entities import Box, Image
from vision.detection import FaceDetector


@dataclass(slots=True)
class Track:
    """One face, followed over time."""

    id: int
    box: Box
    seen_at: float
    """Seconds, on the clock of the frames, when the face was last found."""


class FaceTracker:
    """Finds the faces of one video, frame after frame; for one thread."""

    def __init__(self, settings: DetectorSettings) -> None:
        """Load the cascades.

        Raises:
            ModelError: a cascade is missing.
        """
        self._detector = FaceDetector(settings)
        self._tracks: list[Track] = []
        self._next_id = 1

    def reset(self) -> None:
        """Forget all faces: the next frame is the first of another video."""
        self._tracks = []

    def update(self, grey: Image, time: float) -> list[Track]:
        """Return the faces in the next frame, from left to right.

        Args:
            grey: (H, W) uint8; the size may change from frame to frame.
            time: seconds, on any clock, when the frame was taken.
        """
        boxes = self._detector.detect(grey)
        tracks = []
        for box, known in self._match(boxes):
            track = known or self._start(box, time)
            track.box, track.seen_at = box, time
            tracks.append(track)
        self._tracks = tracks
        return sorted(tracks, key=lambda track: track.box.x)

    def _start(self, box: Box, time: float) -> Track:
        track = Track(self._next_id, box, time)
        self._next_id += 1
        return track

    def _match(self, boxes: list[Box]) -> list[tuple[Box, Track | None]]:
        pairs = [(iou(box, track.box), i, j) for i, box in enumerate(boxes) for j, track in enumerate(self._tracks)]
        matched: dict[int, int] = {}
        for overlap, i, j in sorted(pairs, reverse=True):
            if overlap > 0 and i not in matched and j not in matched.values():
                matched[i] = j
        return [(box, self._tracks[matched[i]] if i in matched else None) for i, box in enumerate(boxes)]


def iou(a: Box, b: Box) -> float:
    """Return the intersection of two boxes over their union, 0-1."""
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    shared = max(0, width) * max(0, height)
    return shared / (a.width * a.height + b.width * b.height - shared)
