"""The table of faces: a row a person in a video or picture."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from analysis.recording.history import UNCERTAIN
from entities import EXPRESSIONS

SHARES: Final = tuple(f"share_{name}" for name in (*EXPRESSIONS, UNCERTAIN))
"""Columns of how much of the time with faces each expression takes, 0-1."""
_FACE_TYPES: Final = {
    "file": "str",
    "face": "int32",
    "name": "str",
    **dict.fromkeys(("first_seen", "last_seen", "seconds"), "float64"),
    "frames": "int64",
    **{f"{kind}_{name}": "float64" for kind in ("mean", "sd") for name in EXPRESSIONS},
    **dict.fromkeys(SHARES, "float64"),
}


def face_rows(file: str, summaries: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return a row a face of one file.

    Columns: file, face (its number), name, first_seen, last_seen and seconds (for which it is seen), frames, the mean
    and standard deviation over that time of each probability (mean_Happy, sd_Happy ...), and the share (0-1) of it
    that each expression takes (share_Happy ..., share_Uncertain).

    Args:
        file: Its name in the run.
        summaries: What `FaceHistory.record` returned.

    """
    rows = [
        {name: face[name] for name in ("name", "first_seen", "last_seen", "seconds", "frames")}
        | {"file": file, "face": face["id"]}
        | {f"mean_{name}": value for name, value in face["mean_probabilities"].items()}
        | {f"sd_{name}": value for name, value in face["deviations"].items()}
        | share_columns(face["shares"])
        for face in summaries
    ]
    return pd.DataFrame(rows, columns=list(_FACE_TYPES)).astype(_FACE_TYPES)


def share_columns(shares: Mapping[str, float]) -> dict[str, float]:
    """Return the shares of a summary by column."""
    return {f"share_{name}": share for name, share in shares.items()}
