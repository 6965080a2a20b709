"""What a whole video showed: every face's expressions over time, and the strongest moments."""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from analysis.output.result_folder import moment_name
from analysis.output.tables import face_record
from analysis.recording.thumbnails import Thumbnails
from entities import EXPRESSIONS, Face, Frame, Image

UNCERTAIN: Final = "Uncertain"
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Moment:
    """The frame in which an expression was strongest."""

    frame: int
    time: float
    face: Face
    picture: Image
    """The annotated frame."""

    def record(self) -> dict[str, Any]:
        """Return the moment as JSON writes it."""
        seen = face_record(self.face)
        return {
            "expression": seen["expression"],
            "confidence": seen["confidence"],
            "frame": self.frame,
            "time": round(self.time, 4),
            "face": seen["id"],
            "name": "",
            "box": seen["box"],
            "file": moment_name(self.face.expression),
        }


@dataclass(slots=True)
class _Track:
    """One face's frames (positions in the video) with its probabilities in them, one after the other."""

    frames: "array[int]" = field(default_factory=lambda: array("q"))
    probabilities: "array[float]" = field(default_factory=lambda: array("f"))
    labels: "array[int]" = field(default_factory=lambda: array("b"))


@dataclass(frozen=True, slots=True)
class FaceHistory:
    """One face, from the first to the last frame that shows it; n frames."""

    id: int
    starts: Floats
    """(n,) seconds from which each of its frames is shown, rising."""
    durations: Floats
    """(n,) seconds for which each is shown."""
    probabilities: Floats
    """(n, 7) in EXPRESSIONS order."""
    labels: NDArray[np.int8]
    """(n,) what was shown: an index into EXPRESSIONS, or the one after them where the face was uncertain."""
    name: str = ""
    """What somebody called the face."""
    thumbnail: str = ""
    """A small picture of it, as a data: address; empty where there is none."""

    @property
    def title(self) -> str:
        """The face's name, or its number where it has none."""
        return self.name or f"Face {self.id}"

    @property
    def seconds(self) -> float:
        """For how long the face is seen."""
        return float(self.durations.sum())

    @property
    def mean(self) -> Floats:
        """(7,) mean probabilities over the time in which it is seen."""
        return np.asarray(np.average(self.probabilities, axis=0, weights=self.weights), np.float64)

    @property
    def deviation(self) -> Floats:
        """(7,) standard deviations of the probabilities over that time."""
        squares = np.average((self.probabilities - self.mean) ** 2, axis=0, weights=self.weights)
        return np.asarray(np.sqrt(squares), np.float64)

    @property
    def weights(self) -> Floats:
        """(n,) how much each frame counts: its duration; the same for all where none has one, as in a picture."""
        return self.durations if self.durations.any() else np.ones_like(self.durations)

    def record(self) -> dict[str, Any]:
        """Return the face's summary as JSON writes it; shares are of the time in which it is seen."""
        return {
            "id": self.id,
            "name": self.name,
            "first_seen": round(float(self.starts[0]), 4),
            "last_seen": round(float(self.starts[-1] + self.durations[-1]), 4),
            "seconds": round(self.seconds, 4),
            "frames": len(self.starts),
            "shares": shares([self]),
            "mean_probabilities": _named(self.mean),
            "deviations": _named(self.deviation),
            "thumbnail": self.thumbnail,
        }

    def means(self, edges: Floats) -> Floats:
        """Return (n - 1, 7) mean probabilities between n rising times; NaN where the face is not seen."""
        shown = np.column_stack([np.ones(len(self.starts)), self.probabilities])
        within = integrals(edges, self.starts, self.starts + self.durations, shown)
        seconds = np.where(within[:, :1] > 1e-6, within[:, :1], np.nan)
        return np.asarray(within[:, 1:] / seconds, np.float64)


class History:
    """Gathers frame after frame what a video shows."""

    def __init__(self) -> None:
        self.times: array[float] = array("d")
        self.with_faces = 0
        self.moments: dict[str, Moment] = {}
        self.thumbnails = Thumbnails()
        self._tracks: dict[int, _Track] = {}

    @property
    def several(self) -> bool:
        """Whether there has been more than one face, so that numbers have to tell them apart."""
        return len(self._tracks) > 1

    def append(self, frame: Frame, faces: Sequence[Face], shown: Image, draw: Callable[[], Image]) -> None:
        """Take in one frame with its faces.

        Args:
            frame: Its picture is not kept.
            faces: Found in it.
            shown: The picture from which faces are cut: the frame's, or that with its faces hidden.
            draw: Returns the picture with its marks, which must not be changed afterwards.

        """
        time = frame.time or 0.0
        for face in faces:
            self.thumbnails.offer(face.track_id, face.box, shown)
            best = self.moments.get(face.expression)
            if not face.uncertain and (best is None or face.confidence > best.face.confidence):
                self.moments[face.expression] = Moment(frame.index, time, face, draw())
        self.note_faces(time, faces)

    def note_faces(self, time: float, faces: Sequence[Face]) -> None:
        """Take in the faces of one frame, without pictures."""
        self.note(time, [(face.track_id, face.probabilities, None if face.uncertain else face.label) for face in faces])

    def note(self, time: float, faces: Sequence[tuple[int, Sequence[float], int | None]]) -> None:
        """Take in one frame's faces: number, probabilities and label of each; None where it is uncertain."""
        for number, probabilities, label in faces:
            track = self._tracks.setdefault(number, _Track())
            track.frames.append(len(self.times))
            track.probabilities.extend(probabilities)
            track.labels.append(len(EXPRESSIONS) if label is None else label)
        self.times.append(time)
        self.with_faces += bool(faces)

    def faces(self, duration: float) -> list[FaceHistory]:
        """Return what became of every face in a video of this many seconds, the longest seen first."""
        starts = np.array(self.times)
        durations = np.diff(starts, append=max(duration, starts[-1] if len(starts) else 0))
        found = [
            FaceHistory(
                id=number,
                starts=starts[track.frames],
                durations=durations[track.frames],
                probabilities=np.reshape(track.probabilities, (-1, len(EXPRESSIONS))).astype(np.float64),
                labels=np.array(track.labels, np.int8),
                thumbnail=self.thumbnails.address(number),
            )
            for number, track in self._tracks.items()
        ]
        return sorted(found, key=lambda face: -face.seconds)


def shares(faces: Sequence[FaceHistory]) -> dict[str, float]:
    """Return which part of the time (0-1, over all the faces together) each expression took, or none was certain."""
    totals = np.zeros(len(EXPRESSIONS) + 1)
    for face in faces:
        totals += np.bincount(face.labels, weights=face.weights, minlength=len(totals))
    whole = totals.sum() or 1.0
    return {name: round(float(total / whole), 4) for name, total in zip((*EXPRESSIONS, UNCERTAIN), totals, strict=True)}


def _named(values: Floats) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in zip(EXPRESSIONS, values, strict=True)}


def integrals(edges: Floats, starts: Floats, ends: Floats, values: Floats) -> Floats:
    """Return (m - 1, k) integrals over time, between m rising times, of (n, k) values that n frames have.

    The frames follow each other; where there is none between two of them, nothing is added.
    """
    times = np.column_stack([starts, ends]).ravel()
    weighted = values * (ends - starts)[:, None]
    totals = np.cumsum(np.column_stack([np.zeros_like(weighted), weighted]).reshape(len(times), -1), axis=0)
    return np.asarray(np.diff([np.interp(edges, times, column) for column in totals.T], axis=1).T, np.float64)
