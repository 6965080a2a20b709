"""What results depend on, in the words of a report: as the table of files says, not as a run was asked."""

from typing import Final

from pandas import DataFrame

from analysis.study.study_tables import shortened
from config import Settings
from vision.detection import load_detector

_RESTS: Final = {
    "": "Faces are not compared with what they look like at rest.",
    "asked": "Faces are compared with what they look like at rest, in a time of each video that was given.",
    "found": "Faces are compared with what they look like at rest, in times that were found in each video.",
    "loaded": "The face seen longest is compared with a resting face that was saved.",
}
_SETTINGS: Final = {
    "detector": "detector",
    "weights": "weights",
    "precision": "precision of the network",
    "rest": "resting faces",
    "sampling": "choice of frames",
}
"""Columns of the table of files that should be alike in all, and words for them."""


def methods(settings: Settings, files: DataFrame) -> dict[str, str]:
    """Return what results depend on, for a report's reader.

    Args:
        settings: Of the analysis; its intervals are those of all files.
        files: The run's table of files, as `dataset.file_row` describes it.

    """
    done, limits, model = files[files["state"] == "done"], settings.intervals, settings.model
    detectors = [name for name in done["detector"].unique() if name] or [load_detector(settings.detector).title]
    weights = [name for name in done["weights"].unique() if name]
    rates = done.loc[done["fps"] > 0, "fps"]
    found = {"Faces": f"Found by {' and by '.join(detectors)}."}
    if len(rates):
        low, high = f"{rates.min():.3g}", f"{rates.max():.3g}"
        found["Frames"] = f"Of videos, {low if low == high else f'{low} to {high}'} frames a second were looked at."
    if weights:
        found["Network"] = f"Its files have the SHA-256 {' and '.join(weights)}."
    return found | {
        "Resting faces": " ".join(_rest_words(kind, rows) for kind, rows in done.groupby("rest")) or _RESTS[""],
        "Probabilities": f"Averaged over the last {model.smoothing:g} s of each face. Below {model.min_confidence:g}, "
        "a face is uncertain.",
        "Intervals": f"From a probability of {limits.on:g} until it falls below {min(limits.on, limits.off):g}, with "
        f"gaps of {limits.gap:g} s or less bridged, and lasting {limits.shortest:g} s or more. Uncertain and unusable "
        "frames count as frames without the face.",
    }


def mixed_settings(files: DataFrame) -> list[str]:
    """Return a note that names the files that were analysed otherwise than most, if there are any."""
    done = files[files["state"] == "done"]
    counts = done["fingerprint"].value_counts()
    if len(counts) < 2:
        return []
    usual = done[done["fingerprint"] == counts.index[0]].iloc[0]
    others = done[done["fingerprint"] != counts.index[0]]
    words = [word for name, word in _SETTINGS.items() if (others[name] != usual[name]).any()] or ["settings"]
    which = f"Analysed with other settings ({', '.join(words)}) than the rest: {shortened(others['file'])}."
    return [f"{which} Name all files in one run, and all are analysed alike."]


def _rest_words(kind: str, files: DataFrame) -> str:
    """Return how files were compared with resting faces, and which were not although that was asked for."""
    none = files.loc[~(files["compared"] > 0).fillna(value=False).to_numpy(bool), "file"]
    left = f" In {len(none)} of {len(files)} files no face was compared: {shortened(none)}."
    return _RESTS[kind] + (left if kind and len(none) else "")
