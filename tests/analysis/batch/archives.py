"""Many small files, and what is compared of the runs over them."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from analysis.batch.dataset import TABLES, Dataset
from analysis.batch.task import Options
from config import Settings
from entities import Image
from tests.helpers.footage import make_video, plain_frames


def make_files(folder: Path, portrait: Image, count: int = 2) -> list[str]:
    """Write so many videos with a face, one without, and a picture; return their paths."""
    small = np.asarray(cv2.resize(portrait, (160, 190)), np.uint8)
    for number in range(count):
        dimmer = (np.asarray(small * (0.6 + 0.04 * index), np.uint8) for index in range(10))
        make_video(folder / f"face-{number}.mp4", dimmer, fps=10)
    make_video(folder / "none.mp4", plain_frames(10))
    cv2.imwrite(str(folder / "portrait.png"), portrait)
    return sorted(str(path) for path in folder.iterdir())


def tables(out: Path) -> dict[str, pd.DataFrame]:
    """Return the tables of a run."""
    return {table: Dataset(out).read(table) for table in TABLES}


def assert_same(first: Path, second: Path) -> None:
    """Two runs have the same tables, row for row."""
    for table, rows in tables(first).items():
        pd.testing.assert_frame_equal(rows, tables(second)[table], check_exact=True)


def options(out: Path) -> Options:
    """Return what a run into this folder does."""
    return Options(out, Settings())


def unheard(*_: object) -> None:
    """Hear nothing of how far a run is."""
