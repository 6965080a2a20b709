"""Who is who in a video's results: faces get names, are merged, or are split where two were swapped.

What was found is kept as it was in a folder beside the results, with the list of changes; tables, chart, moments and
ZIP are written anew from both, so that every change can be undone. The annotated video keeps the numbers that it has.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from analysis.output.interval_files import add_intervals
from analysis.output.result_folder import revised
from analysis.output.sinks import frame_sinks
from analysis.output.spreadsheet import write_spreadsheet
from analysis.output.tables import read_frames
from analysis.recording.history import FaceHistory, History, shares
from analysis.recording.thumbnails import cut_from_video
from analysis.recording.timeline import timeline_figure, timeline_record
from entities import EXPRESSIONS, Box
from errors import FacesChangeError
from files import write_text

FOLDER: Final = "found"
"""In the folder of results: what the analysis found, before anybody changed it."""
CHANGES: Final = "changes.json"
_FOUND: Final = ("frames.json", "summary.json")
_NOT_SEEN: Final = "Choose a time at which the face has been seen before and is seen after."


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that somebody said about a face."""

    action: Literal["rename", "merge", "split"]
    face: int
    """Its number."""
    name: str = ""
    """Of `rename`; empty takes the name away."""
    into: int = 0
    """Of `merge`: the number of the face that it is as well."""
    at: float = 0.0
    """Of `split`: seconds from which on it is another face."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """What belongs to one face: a track of the analysis, from `start` to before `end` (seconds)."""

    track: int
    start: float
    end: float


class Identities:
    """Which face each track belongs to, after some changes."""

    def __init__(self, tracks: Sequence[int]) -> None:
        self.names: dict[int, str] = {}
        self._pieces = {track: [_Piece(track, 0.0, float("inf"))] for track in tracks}
        self._highest = max(tracks, default=0)

    @property
    def numbers(self) -> set[int]:
        """All faces that there are."""
        return set(self._pieces)

    def apply(self, change: Change) -> None:
        """Make one change.

        Raises:
            FacesChangeError: There is no such face.

        """
        for number in (change.face, *([change.into] if change.action == "merge" else [])):
            if number not in self._pieces:
                raise FacesChangeError(f"There is no face {number} in this video.")
        if change.action == "rename":
            self.names[change.face] = change.name
        elif change.action == "merge":
            self._merge(change.face, change.into)
        else:
            self._split(change.face, change.at)

    def face(self, track: int, time: float) -> int:
        """Return the number of the face that a track shows at a time."""
        return next(
            number
            for number, pieces in self._pieces.items()
            for piece in pieces
            if piece.track == track and piece.start <= time < piece.end
        )

    def track(self, number: int) -> int | None:
        """Return a track that belongs to a face as a whole; None where there is none."""
        whole = (piece.track for piece in self._pieces[number] if piece.start == 0 and piece.end == float("inf"))
        return next(whole, None)

    def _merge(self, number: int, into: int) -> None:
        if number == into:
            raise FacesChangeError("Choose two different faces.")
        self._pieces[into] += self._pieces.pop(number)
        name = self.names.pop(number, "")
        self.names[into] = self.names.get(into, "") or name

    def _split(self, number: int, at: float) -> None:
        before = [replace(piece, end=min(piece.end, at)) for piece in self._pieces[number] if piece.start < at]
        after = [replace(piece, start=max(piece.start, at)) for piece in self._pieces[number] if piece.end > at]
        if not before or not after:
            raise FacesChangeError(_NOT_SEEN)
        self._highest += 1
        self._pieces[number], self._pieces[self._highest] = before, after


def change_faces(folder: Path, change: Change) -> dict[str, Any]:
    """Make a change to a video's results; return the new summary.

    Raises:
        FacesChangeError: The change is not possible.
        ResultsError: The results cannot be written.

    """
    found = folder / FOLDER
    if not found.is_dir():
        _keep(folder, found)
    return _rewrite(folder, [*_changes(found), change])


def undo_change(folder: Path) -> dict[str, Any]:
    """Take the last change back; return the summary as it was before.

    Raises:
        FacesChangeError: There is none.
        ResultsError: The results cannot be written.

    """
    changes = _changes(folder / FOLDER)
    if not changes:
        raise FacesChangeError("There is no change to undo.")
    return _rewrite(folder, changes[:-1])


def _keep(folder: Path, found: Path) -> None:
    partial = found.with_name(f".{FOLDER}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for name in _FOUND:
        shutil.copyfile(folder / name, partial / name)
    partial.rename(found)


def _changes(found: Path) -> list[Change]:
    path = found / CHANGES
    return [Change(**change) for change in json.loads(path.read_text("utf-8"))] if path.is_file() else []


def _rewrite(folder: Path, changes: Sequence[Change]) -> dict[str, Any]:
    """Write everything that says who is who, in a folder of its own first."""
    found = folder / FOLDER
    summary = json.loads((found / "summary.json").read_text("utf-8"))
    identities = Identities([face["id"] for face in summary["faces"]])
    for change in changes:
        identities.apply(change)
    with revised(folder) as new:
        history, places = _write_tables(new, summary, found / "frames.json", identities)
        write_spreadsheet(new / "frames.csv")
        if identities.numbers - places.keys():
            raise FacesChangeError(_NOT_SEEN)
        faces = _faces(folder, summary, identities, history, places)
        span = summary.get("begin", 0.0), summary["duration"]
        summary |= {
            "changes": len(changes),
            "shares": shares(faces),
            "faces": [face.record() for face in faces],
            "moments": [_renamed(moment, identities) for moment in summary["moments"]],
            "timeline": timeline_record(faces, span, summary["frames"]),
        }
        annotated = folder / "annotated.mp4"
        add_intervals(new, summary, Path(annotated.name if annotated.is_file() else summary["name"]))
        write_text(new / "summary.json", json.dumps(summary, indent=1) + "\n")
        figure = timeline_figure(summary["name"], faces, span, summary["frames"])
        figure.savefig(new / "timeline.png")
    write_text(found / CHANGES, json.dumps([asdict(change) for change in changes]) + "\n")
    return dict(summary)


def _write_tables(
    new: Path, summary: dict[str, Any], frames: Path, identities: Identities
) -> tuple[History, dict[int, tuple[float, Box]]]:
    """Write the frames with their faces as they are now; return those, and where each face is largest."""
    history, largest = History(), dict[int, tuple[float, Box]]()
    size, uncorrected = (summary["width"], summary["height"]), bool(summary.get("rest"))
    with frame_sinks(new, summary["name"], *size, uncorrected=uncorrected) as append:
        for record in _renumbered(read_frames(frames), identities):
            append(record)
            history.note(record["time"], [_noted(face) for face in record["faces"]])
            for face in record["faces"]:
                box = Box(*face["box"])
                best = largest.get(face["id"])
                if best is None or box.width > best[1].width:
                    largest[face["id"]] = record["time"], box
    return history, largest


def _renumbered(records: Iterator[dict[str, Any]], identities: Identities) -> Iterator[dict[str, Any]]:
    for record in records:
        time = record["time"]
        faces = [face | {"id": identities.face(face["id"], time)} for face in record["faces"]]
        if len({face["id"] for face in faces}) < len(faces):
            raise FacesChangeError("These faces are in view at the same time, so they cannot be the same person.")
        yield record | {"faces": [face | {"name": identities.names.get(face["id"], "")} for face in faces]}


def _noted(face: dict[str, Any]) -> tuple[int, Sequence[float], int | None]:
    label = None if face["uncertain"] else EXPRESSIONS.index(face["expression"])
    return face["id"], list(face["probabilities"].values()), label


def _faces(
    folder: Path,
    summary: dict[str, Any],
    identities: Identities,
    history: History,
    places: dict[int, tuple[float, Box]],
) -> list[FaceHistory]:
    """Return the faces with their names and pictures; a face that was split off is cut from the annotated video."""
    pictures = {face["id"]: face["thumbnail"] for face in summary["faces"]}

    def picture(number: int) -> str:
        track = identities.track(number)
        return pictures[track] if track in pictures else cut_from_video(folder / "annotated.mp4", *places[number])

    return [
        replace(face, name=identities.names.get(face.id, ""), thumbnail=picture(face.id))
        for face in history.faces(summary["duration"])
    ]


def _renamed(moment: dict[str, Any], identities: Identities) -> dict[str, Any]:
    number = identities.face(moment["face"], moment["time"])
    return moment | {"face": number, "name": identities.names.get(number, "")}
