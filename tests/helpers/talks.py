"""Conversations as an analysis has them, for tests of pairs; and their synchrony in plain loops."""

from math import isnan, sqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame
from scipy.ndimage import gaussian_filter1d

from analysis.batch.dataset import Dataset, file_row
from analysis.pairs.synchrony import Steps, Windows
from tests.helpers.tables import course

Curves = NDArray[np.float64]

WINDOWS = Windows(4, 1)
LAG = 0.5
"""Seconds by which Ben follows Ann."""
LATE = 2.5
TALKS = 4


def written(folder: Path, text: str) -> Path:
    """Return a list with this text."""
    path = folder / "list.csv"
    path.write_text(text, encoding="utf-8")
    return path


def add(dataset: Dataset, name: str, frames: DataFrame, **values: object) -> None:
    """Write what an analysis writes of one video."""
    fps = 1 / frames["duration"].median()
    told = {"kind": "video", "begin": frames["time"].min(), "seconds": len(frames) / fps, "fps": fps}
    told |= {"frames": len(frames), "frames_with_faces": len(frames), "faces": 1}
    row = {"file": name, "state": "done", "folder": name.removesuffix(".mp4"), "path": f"/videos/{name}"}
    dataset.write("frames", str(row["folder"]), frames)
    dataset.write("files", str(row["folder"]), file_row(row | told | values))


def smiles(seed: int, *, after: float = 0.0, fps: float, seconds: float = 24) -> NDArray[np.float64]:
    """Return a curve of smiles that goes on in time; `after` seconds later than another of the same number."""
    rng = np.random.default_rng(seed)
    known = gaussian_filter1d(rng.normal(size=4000), 60)
    known = 0.05 + 0.9 * (known - known.min()) / np.ptp(known)
    return np.interp(np.arange(round(seconds * fps)) / fps - after + 5, np.arange(4000) / 100, known)


def names(out: Path) -> list[str]:
    """Return what the run calls its files."""
    return list(Dataset(out).read("files")["file"])


def make_talks(out: Path) -> Path:
    """Write what an analysis writes of conversations in which Ben follows Ann, and began to record LATE s before her.

    Ann has 25 frames a second, Ben 30. Return the list of pairs.
    """
    dataset, lines = Dataset(out), ["pair;file;person;late"]
    for number in range(TALKS):
        ann = smiles(number, fps=25)
        ben = smiles(number, after=LATE + LAG, fps=30)
        for name, values, fps in ((f"ann{number}.mp4", ann, 25), (f"ben{number}.mp4", ben, 30)):
            unusable = range(200, 320) if name == "ann1.mp4" else ()
            add(dataset, name, course("Happy", values.tolist(), file=name, fps=fps, unusable=unusable))
        lines += [f"talk {number};ann{number}.mp4;Ann <{number}>;", f"talk {number};ben{number}.mp4;;0:02,5"]
    return written(out, "\n".join(lines))


def by_hand(first: Curves, second: Curves, steps: Steps) -> list[list[float]]:
    """Return the correlations by window and lag, number by number."""
    rows = []
    begin = 0
    while begin + steps.width + steps.max_lag <= len(first):
        row = []
        for lag in range(-steps.max_lag, steps.max_lag + 1):
            x, y = [], []
            for step in range(steps.width):
                a, b = first[begin + step + max(0, -lag)], second[begin + step + max(0, lag)]
                if not isnan(a) and not isnan(b):
                    x.append(a)
                    y.append(b)
            row.append(pearson(x, y) if 2 * len(x) >= steps.width else float("nan"))
        rows.append(row)
        begin += steps.increment
    return rows


def pearson(x: list[float], y: list[float]) -> float:
    """Return the correlation of two lists; NaN where one does not vary."""
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    squares_x, squares_y = sum((a - mean_x) ** 2 for a in x), sum((b - mean_y) ** 2 for b in y)
    if min(squares_x, squares_y) / len(x) <= 1e-12:
        return float("nan")
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / sqrt(squares_x * squares_y)
