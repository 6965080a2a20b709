"""FER2013 as arrays, with its official splits and, where given, FER+'s crowd votes.

FER2013: Goodfellow et al., "Challenges in Representation Learning", 2013, arXiv:1307.0414.
FER+: Barsoum et al., "Training Deep Networks for Facial Expression Recognition with
Crowd-Sourced Label Distribution", 2016, arXiv:1608.01041.
"""

import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from entities import EXPRESSIONS, Image
from errors import DatasetError

FACE_SIZE: Final = 48
USAGES: Final = ("Training", "PublicTest", "PrivateTest")
VOTE_COLUMNS: Final = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
"""FER+'s names for EXPRESSIONS, in EXPRESSIONS order."""
OTHER_VOTES: Final = ("contempt", "unknown", "NF")
RATERS: Final = 10

FOLDERS: Final = {
    **{name.lower(): label for label, name in enumerate(EXPRESSIONS)},
    "anger": 0,
    "fearful": 2,
    "happiness": 3,
    "sadness": 4,
    "surprised": 5,
}
NOT_IMAGES: Final = ("Thumbs.db", "desktop.ini")
"""What Windows puts into folders of images."""
WHERE_TO_GET_IT: Final = (
    "Get FER2013 from Kaggle (challenges-in-representation-learning-facial-expression-recognition-challenge), "
    "unpack fer2013.csv or icml_face_data.csv, and set the notebook's DATA, or --data, to its path; "
    "a folder of images (train/angry/*.jpg, ...) works as well."
)
WHERE_TO_GET_VOTES: Final = "Get fer2013new.csv from the FERPlus repository, and set VOTES, or --votes, to its path."


@dataclass(frozen=True, slots=True)
class FER2013:
    """Rows of FER2013; all arrays have the same length n."""

    images: NDArray[np.uint8]
    """(n, 48, 48) grey, 0-255."""
    labels: NDArray[np.int64]
    """(n,) indices into EXPRESSIONS."""
    usage: NDArray[np.str_]
    """(n,) one of USAGES."""
    votes: NDArray[np.int64] | None = None
    """(n, 10) FER+ votes: EXPRESSIONS, then contempt, unknown, no face; None where not given."""

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, rows: NDArray[np.bool_]) -> "FER2013":
        """Return the rows for which the (n,) mask is true."""
        votes = None if self.votes is None else self.votes[rows]
        return FER2013(self.images[rows], self.labels[rows], self.usage[rows], votes)

    def split(self, usage: str) -> "FER2013":
        """Return one official split; DatasetError if the data has no such rows."""
        rows = self.usage == usage
        if not rows.any():
            there = ", ".join(sorted(set(self.usage.tolist())))
            raise DatasetError(f"The data has no rows with Usage {usage}; it has {there or 'no rows at all'}.")
        return self.select(rows)

    def training(self) -> "FER2013":
        """Return the Training rows that may be learned from.

        Left out are copies of images that also occur in another split, which would be
        learned by heart, and images in which FER+'s raters saw no face.
        """
        held_back = {image.tobytes() for image in self.images[self.usage != "Training"]}
        rows = self.split("Training")
        keep = np.array([image.tobytes() not in held_back for image in rows.images])
        if rows.votes is not None:
            keep &= has_face(rows.votes)
        return rows.select(keep)


def has_face(votes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return an (n,) mask of the rows in which raters saw a face with one of EXPRESSIONS."""
    seven = votes[:, : len(EXPRESSIONS)].sum(axis=1)
    return (seven > 0) & (seven > votes[:, -1])


def vote_shares(votes: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return (n, 7) shares of the votes for EXPRESSIONS, each row summing to 1 (or all 0 without votes)."""
    seven = votes[:, : len(EXPRESSIONS)].astype(np.float32)
    return seven / np.maximum(seven.sum(axis=1, keepdims=True), 1)


def majority(votes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return (n,) the expression that more than half of all ten votes name, or -1 where there is none."""
    seven = votes[:, : len(EXPRESSIONS)]
    return np.where(2 * seven.max(axis=1) > votes.sum(axis=1), seven.argmax(axis=1), -1)


def load(data: str | Path, votes: str | Path | None = None) -> FER2013:
    """Read Kaggle's CSV or a folder of images, and FER+'s votes for the same rows.

    `data` is fer2013.csv, icml_face_data.csv, or a folder with train/<expression>/*; `votes` is
    FER+'s fer2013new.csv. Raises DatasetError, with what to do, where one is missing or malformed.
    """
    path = Path(data).expanduser()
    if not path.exists():
        raise DatasetError(f"There is no dataset at {path}. {WHERE_TO_GET_IT}")
    rows = _load_folder(path) if path.is_dir() else _load_csv(path)
    return rows if votes is None else replace(rows, votes=_load_votes(Path(votes).expanduser(), rows))


def _read_table(path: Path, columns: tuple[str, ...], advice: str) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pd.errors.ParserWarning)  # of cells beyond the header's columns
            table = pd.read_csv(path, index_col=False)  # else rows that end in commas would shift the columns
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read as a CSV file: {str(error).strip()}. {advice}") from error
    table.columns = table.columns.str.strip()
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise DatasetError(f"{path} has no column {', '.join(missing)}; it has {', '.join(table.columns)}. {advice}")
    table["Usage"] = table["Usage"].fillna("").astype(str).str.strip()
    other = sorted(set(table["Usage"]) - set(USAGES))
    if other:
        found = ", ".join(name or "(empty)" for name in other)
        raise DatasetError(f"{path} has rows with Usage {found}; it must be {', '.join(USAGES)}.")
    return table


def _integers(path: Path, table: pd.DataFrame, columns: list[str], highest: int) -> NDArray[np.int64]:
    """Return (rows, columns); DatasetError where a value is no whole number from 0 to `highest`."""
    values = table[columns].apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    wrong = np.argwhere(~((values >= 0) & (values <= highest) & (values == np.floor(values))))
    if len(wrong):
        row, column = wrong[0]
        name = columns[column]
        raise DatasetError(f"{path}, data row {row + 1}: {name} must be a whole number from 0 to {highest}.")
    return values.astype(np.int64)


def _load_csv(path: Path) -> FER2013:
    table = _read_table(path, ("emotion", "pixels", "Usage"), WHERE_TO_GET_IT)
    images = np.empty((len(table), FACE_SIZE, FACE_SIZE), np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # NumPy only warns where a text ends in what is no number.
        for row, text in enumerate(table["pixels"]):
            try:
                images[row] = _face(str(text))
            except (OverflowError, ValueError, DeprecationWarning) as error:
                words = f"pixels must be {FACE_SIZE * FACE_SIZE} numbers from 0 to 255"
                raise DatasetError(f"{path}, data row {row + 1}: {words}.") from error
    labels = _integers(path, table, ["emotion"], len(EXPRESSIONS) - 1)[:, 0]
    return FER2013(images, labels, table["Usage"].to_numpy(np.str_))


def _face(text: str) -> Image:
    """Return the picture that numbers describe; OverflowError or ValueError where they are too many, few or large."""
    values = np.fromstring(text, np.int64, sep=" ")
    if values.min(initial=0) < 0 or values.max(initial=0) > 255:
        raise ValueError(text)
    return values.astype(np.uint8).reshape(FACE_SIZE, FACE_SIZE)


def _load_folder(root: Path) -> FER2013:
    folders = {child.name.lower(): child for child in root.iterdir() if child.is_dir()}
    validation = next((folders[name] for name in ("validation", "val", "publictest") if name in folders), None)
    test = next((folders[name] for name in ("privatetest", "test") if name in folders), None)
    splits = {"Training": folders.get("train", folders.get("training"))}
    # Without a validation folder, the test folder is what there is to choose on.
    splits |= {"PublicTest": validation, "PrivateTest": test} if validation else {"PublicTest": test}
    parts = [_load_split(folder, usage) for usage, folder in splits.items() if folder]
    if not parts or parts[0].usage[0] != "Training":
        raise DatasetError(f"{root} has no folder train/ with one folder for each expression. {WHERE_TO_GET_IT}")
    return FER2013(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.usage for part in parts]),
    )


def _load_split(folder: Path, usage: str) -> FER2013:
    images, labels = [], []
    for child in sorted(folder.iterdir()):
        label = FOLDERS.get(child.name.lower())
        if label is None:
            if child.is_dir():
                raise DatasetError(f"{child} is not named after an expression: {', '.join(EXPRESSIONS)}.")
            continue
        for file in sorted(child.iterdir()):
            if file.name.startswith(".") or file.name in NOT_IMAGES:
                continue
            # Not cv2.imread, which opens no path with letters outside of ASCII on Windows.
            data = np.fromfile(file, np.uint8)
            image = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if data.size else None
            if image is None:
                raise DatasetError(f"{file} cannot be read as an image; mend or remove it.")
            images.append(cv2.resize(image, (FACE_SIZE, FACE_SIZE), interpolation=cv2.INTER_AREA))
            labels.append(label)
    if not images:
        raise DatasetError(f"{folder} holds no images. {WHERE_TO_GET_IT}")
    return FER2013(np.stack(images).astype(np.uint8), np.array(labels), np.full(len(labels), usage))


def _load_votes(path: Path, rows: FER2013) -> NDArray[np.int64]:
    if not path.exists():
        raise DatasetError(f"There are no FER+ votes at {path}. {WHERE_TO_GET_VOTES}")
    table = _read_table(path, ("Usage", *VOTE_COLUMNS, *OTHER_VOTES), WHERE_TO_GET_VOTES)
    if len(table) != len(rows) or (table["Usage"].to_numpy(np.str_) != rows.usage).any():
        raise DatasetError(
            f"{path} has {len(table)} rows that do not match the data's {len(rows)}: "
            "the votes must be for the same rows in the same order."
        )
    # FER+ numbers its rows by these names, in FER2013's order.
    if "Image name" in table and not table["Image name"].dropna().astype(str).is_monotonic_increasing:
        raise DatasetError(f"{path} is not in the order of its image names, which is that of FER2013's rows: sort it.")
    return _integers(path, table, [*VOTE_COLUMNS, *OTHER_VOTES], RATERS)
