"""Folders of people's pictures and videos, a folder a person and in it one an expression, as a network sees them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from config import Settings
from entities import EXPRESSIONS, Classifier
from errors import DatasetError, ImageError, SourceError
from expressions.probabilities import geometric_mean
from pipeline import ExpressionPipeline, analyze_image
from training.data.fer2013 import FOLDERS, NOT_IMAGES
from training.metrics.people import Answers
from vision.detection import FaceDetector
from vision.pictures import is_picture, read_picture
from vision.video.video_file import VideoFile

GROUPS = "people.csv"
LAYOUT = (
    "It needs a folder for each person, and in it one for each expression that the person shows, with pictures or "
    "videos: anna/happy/1.jpg, anna/neutral/1.mp4, ..."
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture or video of a person who shows an expression."""

    path: Path
    person: str
    expression: int
    """Index into EXPRESSIONS."""


def find(folder: Path) -> list[Shown]:
    """Return the files of all people, in order.

    Raises:
        DatasetError: The folder is missing, holds no such files, or a folder's name is no expression.

    """
    if not folder.is_dir():
        raise DatasetError(f"There is no folder {folder}. {LAYOUT}")
    found = [
        Shown(path, person.name, expression)
        for person in _folders(folder)
        for shown, expression in [(shown, _expression(shown)) for shown in _folders(person)]
        for path in sorted(shown.iterdir())
        if path.is_file() and not path.name.startswith(".") and path.name not in NOT_IMAGES
    ]
    if not found:
        raise DatasetError(f"{folder} holds no pictures or videos where they are looked for. {LAYOUT}")
    return found


def read_groups(folder: Path, people: set[str]) -> dict[str, str]:
    """Return the group of each person that people.csv (person, group) names; nothing where there is no such file.

    Raises:
        DatasetError: It cannot be read, has other columns, or names somebody twice or who is not there.

    """
    path = folder / GROUPS
    if not path.is_file():
        return {}
    try:
        table = pd.read_csv(path, dtype=str, skipinitialspace=True).dropna(how="all")
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read as CSV: {error}.") from error
    if not {"person", "group"} <= set(table):
        raise DatasetError(f"{path} needs the columns person and group; it has {', '.join(map(str, table))}.")
    table = table.dropna(subset=["person", "group"])
    names = [name.strip() for name in table["person"]]
    strangers = sorted(set(names) - people)
    if strangers:
        raise DatasetError(f"{path} names {', '.join(strangers)}, of whom there is no folder with files.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DatasetError(f"{path} names {', '.join(twice)} more than once.")
    return dict(zip(names, (group.strip() for group in table["group"]), strict=True))


def answers(
    files: list[Shown], settings: Settings, classifier: Classifier, done: Callable[[], object]
) -> tuple[Answers, dict[Path, str]]:
    """Return what the classifier says of the largest face in each file, and why files were left out.

    Of a video, that is the geometric mean over the frames of the face that is seen longest.

    Args:
        files: From `find`.
        settings: `detector` says how faces are found, `uploads` how large pictures and videos may be.
        classifier: Names the expressions.
        done: Called after each file.

    Raises:
        DatasetError: No face was found in any of them.

    """
    detector = FaceDetector(settings.detector)
    rows: list[tuple[Shown, tuple[float, ...]]] = []
    left_out: dict[Path, str] = {}
    for file in files:
        try:
            seen = (
                _picture(file.path, settings, detector, classifier)
                if is_picture(file.path)
                else _video(file.path, settings, classifier)
            )
            if seen:
                rows.append((file, seen))
            else:
                left_out[file.path] = "no face was found"
        except (ImageError, SourceError) as error:
            left_out[file.path] = str(error)
        done()
    if not rows:
        path, reason = next(iter(left_out.items()))
        raise DatasetError(f"In none of the {len(files)} files was a face found. The first: {path}: {reason}.")
    return (
        Answers(
            np.array([file.person for file, _ in rows]),
            np.array([file.expression for file, _ in rows], np.int64),
            np.array([seen for _, seen in rows], np.float64),
        ),
        left_out,
    )


def _folders(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith("."))


def _expression(folder: Path) -> int:
    label = FOLDERS.get(folder.name.lower())
    if label is None:
        raise DatasetError(f"{folder}: {folder.name} is no expression. Use {', '.join(EXPRESSIONS)}.")
    return label


def _picture(path: Path, settings: Settings, detector: FaceDetector, classifier: Classifier) -> tuple[float, ...]:
    faces = analyze_image(read_picture(path, settings.uploads.max_megapixels).image, detector, classifier)
    largest = max(faces, key=lambda face: face.box.width * face.box.height, default=None)
    return largest.probabilities if largest else ()


def _video(path: Path, settings: Settings, classifier: Classifier) -> tuple[float, ...]:
    pipeline = ExpressionPipeline(settings, classifier)
    tracks: dict[int, list[tuple[float, ...]]] = {}
    with VideoFile(path, settings.uploads.max_video_megapixels) as video:
        for frame in video.frames():
            for face in pipeline.process(frame)[0]:
                tracks.setdefault(face.track_id, []).append(face.raw)
    longest = max(tracks.values(), key=len, default=None)
    return geometric_mean(longest) if longest else ()
