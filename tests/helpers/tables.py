"""Tables of frames as an analysis makes them, for tests of what is made of those."""

from collections.abc import Sequence

import numpy as np
from pandas import DataFrame, concat

from entities import EXPRESSIONS


def course(
    expression: str,
    values: Sequence[float],
    *,
    file: str = "a.mp4",
    face: int = 1,
    name: str = "",
    fps: float = 10.0,
    start: float = 0.0,
    uncertain: Sequence[int] = (),
    unusable: Sequence[int] = (),
) -> DataFrame:
    """Return the frames of one face whose probability of one expression takes these values; the others share the rest.

    Args:
        expression: One of EXPRESSIONS.
        values: 0-1, one a frame.
        file: Name of the file.
        face: Number of the face.
        name: Its name.
        fps: Frames a second.
        start: Seconds of the first frame.
        uncertain: Positions of frames in which the face is uncertain.
        unusable: Positions of frames whose quality is too poor.

    """
    count = len(values)
    probabilities = np.repeat((1 - np.asarray(values, float))[:, None] / 6, len(EXPRESSIONS), axis=1)
    probabilities[:, EXPRESSIONS.index(expression)] = values
    frames = DataFrame(probabilities, columns=list(EXPRESSIONS))
    positions = np.arange(count)
    frames["file"], frames["name"], frames["marker"] = file, name, ""
    frames["frame"] = positions + round(start * fps)
    frames["time"] = start + positions / fps
    frames["duration"] = 1 / fps
    frames["face"] = np.full(count, face)
    frames["face"] = frames["face"].astype("Int32")
    frames["expression"] = [EXPRESSIONS[top] for top in probabilities.argmax(axis=1)]
    frames["confidence"] = probabilities.max(axis=1)
    frames["uncertain"] = np.isin(positions, uncertain)
    frames["usable"] = ~np.isin(positions, unusable)
    frames = frames.astype({"uncertain": "boolean", "usable": "boolean"})
    negative = frames[["Angry", "Disgust", "Fear", "Sad"]].max(axis=1)
    frames["valence"] = frames["Happy"] - negative
    return frames


def nobody(times: Sequence[float], *, file: str = "a.mp4", fps: float = 10.0) -> DataFrame:
    """Return frames without a face."""
    frames = course("Neutral", [np.nan] * len(times), file=file, fps=fps, unusable=range(len(times)))
    frames["time"], frames["expression"], frames["confidence"] = times, "", np.nan
    return frames.assign(
        **{name: frames[name].mask(frames["face"].notna()) for name in ("face", "uncertain", "usable")}
    )


def together(*tables: DataFrame) -> DataFrame:
    """Return the frames of several faces or files, by file and time."""
    return concat(tables).sort_values(["file", "time"], kind="stable", ignore_index=True)
