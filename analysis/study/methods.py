"""What results depend on, in the words of a report."""

from collections.abc import Collection
from typing import Final

from config import Settings
from vision.detection import load_detector

_RESTS: Final = {
    None: "Faces are not compared with what they look like at rest.",
    "asked": "Faces are compared with what they look like at rest, in a time of each video that was given.",
    "found": "Faces are compared with what they look like at rest, in times that were found in each video.",
    "loaded": "The face seen longest is compared with a resting face that was saved.",
}
_RESTS_DIFFER: Final = "Whether faces are compared with what they look like at rest differs from file to file."


def methods(settings: Settings, rests: Collection[str | None]) -> dict[str, str]:
    """Return what results depend on, for a report's reader.

    Args:
        settings: Of the analysis.
        rests: The kinds of resting faces that the files' faces are compared with (`RestWanted.kind`); None for none.

    """
    limits, model = settings.intervals, settings.model
    return {
        "Faces": f"Found by {load_detector(settings.detector).title}.",
        "Resting faces": _RESTS[next(iter(rests))] if len(rests) == 1 else _RESTS_DIFFER,
        "Probabilities": f"Averaged over the last {model.smoothing:g} s of each face. Below {model.min_confidence:g}, "
        "a face is uncertain.",
        "Intervals": f"From a probability of {limits.on:g} until it falls below {min(limits.on, limits.off):g}, with "
        f"gaps of {limits.gap:g} s or less bridged, and lasting {limits.shortest:g} s or more. Uncertain and unusable "
        "frames count as frames without the face.",
    }
