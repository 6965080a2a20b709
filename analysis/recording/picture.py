"""One picture: the faces that it shows, and a folder of results made of them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.output.result_folder import results_folder
from analysis.output.sinks import csv_sink
from analysis.output.spreadsheet import write_spreadsheet
from analysis.output.tables import Record, frame_record, quality_record
from analysis.recording.history import FaceHistory, History, shares
from analysis.recording.thumbnails import cut, data_address
from config import Settings
from entities import Classifier, Face, Image
from errors import ImageError, ImageSizeError
from expressions.resting import RestingFace
from files import printable
from pipeline import analyze_any_way_up, compare_largest
from vision.annotation import annotate
from vision.detection import FaceDetector
from vision.pictures import Picture, read_picture
from vision.pixels import to_colour
from vision.quality import quality_of


@dataclass(frozen=True, slots=True)
class PictureFindings:
    """What a picture shows."""

    name: str
    image: Image
    """(H, W, 3) BGR: the picture, as it was turned to find the faces."""
    faces: tuple[Face, ...]
    turned: int
    """Degrees clockwise by which it was turned."""
    note: str
    """What of it was left out; mostly empty."""
    uncorrected: bool
    """Whether a face was compared with a resting face."""

    @property
    def record(self) -> dict[str, Any]:
        """As `faces.json` says it but for thumbnails, and as `tables.frame_record` has it."""
        height, width = self.image.shape[:2]
        extra = [quality_record(face, quality_of(face, self.image)) for face in self.faces]
        summary = {"name": self.name, "width": width, "height": height, "turned": self.turned, "note": self.note}
        return summary | frame_record(0, 0.0, 0.0, self.faces, extra)

    @property
    def interval_limits(self) -> dict[str, float]:
        """Nothing: a picture lasts for no time."""
        return {}

    @property
    def summaries(self) -> list[dict[str, Any]]:
        """Each face's summary, as that of a video's has it; it is seen for no time."""
        return [face.record() for face in self._history()]

    @property
    def shares(self) -> dict[str, float]:
        """Which part (0-1) of the faces shows each expression, or none with certainty."""
        return shares(self._history())

    def _history(self) -> list[FaceHistory]:
        history = History()
        history.note_faces(0.0, self.faces)
        return sorted(history.faces(0.0), key=lambda face: face.id)

    def plot(self) -> Figure:
        """Return the annotated picture."""
        height, width = self.image.shape[:2]
        figure = Figure(figsize=(8, 8 * height / width), layout="constrained")
        panel = figure.subplots()
        panel.imshow(np.ascontiguousarray(annotate(self.image, self.faces)[..., ::-1]))
        panel.set_axis_off()
        return figure

    def write(self, folder: Path, records: Iterable[Record], *, annotated: bool = False) -> None:
        """Write the faces as CSV, Excel file and JSON, and the annotated picture if wanted, into a folder.

        Args:
            folder: It is there already.
            records: The picture's one.
            annotated: Whether to write the annotated picture.

        Raises:
            ImageError: The annotated picture cannot be written as PNG.
            OSError: A file cannot be written.

        """
        (record,) = records
        faces = [
            {**summary, "thumbnail": data_address(cut(self.image, face.box))}
            for summary, face in zip(record["faces"], self.faces, strict=True)
        ]
        (folder / "faces.json").write_text(json.dumps({**record, "faces": faces}, indent=1) + "\n", encoding="utf-8")
        with csv_sink(folder / "faces.csv", self.name, uncorrected=self.uncorrected) as append:
            append(record)
        write_spreadsheet(folder / "faces.csv")
        if annotated:
            encoded, png = cv2.imencode(".png", annotate(self.image, self.faces))
            if not encoded:
                raise ImageError("The annotated picture cannot be written as PNG.")
            (folder / "annotated.png").write_bytes(png.tobytes())


def look_at_picture(
    file: Path | bytes | Image,
    settings: Settings,
    classifier: Classifier,
    *,
    name: str = "",
    rest: RestingFace | None = None,
) -> PictureFindings:
    """Find the faces in a picture and name their expressions.

    Args:
        file: A path, a file's bytes, or the pixels: (H, W, 3) BGR or (H, W) grey uint8.
        settings: `uploads` limits the picture; `detector` and `model` say how faces are found and judged.
        classifier: Names the expressions.
        name: What the picture is called in the results.
        rest: Compared with the largest face.

    Raises:
        ImageError: It is missing, broken, of another type (ImageTypeError) or too large (ImageSizeError).

    """
    limits = settings.uploads
    if isinstance(file, Path) and file.is_file() and file.stat().st_size > limits.max_megabytes * 1e6:
        raise ImageSizeError(f"The file is larger than the {limits.max_megabytes:g} MB allowed. Choose a smaller one.")
    picture = Picture(_checked(file)) if isinstance(file, np.ndarray) else read_picture(file, limits.max_megapixels)
    detector = FaceDetector(settings.detector)
    image, faces, turned = analyze_any_way_up(picture.image, detector, classifier, settings.model.min_confidence)
    if rest:
        faces = compare_largest(faces, rest)
    return PictureFindings(name, image, faces, turned, picture.note, uncorrected=rest is not None)


def analyze_picture(
    path: Path,
    target: Path,
    settings: Settings,
    classifier: Classifier,
    *,
    name: str = "",
    rest: RestingFace | None = None,
    annotated: bool = True,
    overwrite: bool = False,
) -> PictureFindings:
    """Analyse a picture file into a folder; see `look_at_picture`, and `analyze_video` for the other arguments.

    Raises:
        ImageError: The picture is missing, broken, of another type (ImageTypeError) or too large (ImageSizeError).
        ResultsError: The results cannot be written.

    """
    findings = look_at_picture(path, settings, classifier, name=name or printable(path.name), rest=rest)
    with results_folder(target, overwrite=overwrite) as folder:
        findings.write(folder, [findings.record], annotated=annotated)
    return findings


def _checked(pixels: NDArray[Any]) -> Image:
    """Return the pixels of a picture as (H, W, 3) BGR.

    Raises:
        ImageError: They are no picture, or of a type whose range is not known.

    """
    if not pixels.size or pixels.ndim not in {2, 3} or (pixels.ndim == 3 and pixels.shape[2] not in {1, 3, 4}):
        raise ImageError(f"An array of the shape {pixels.shape} is no picture. Pass (H, W, 3) BGR, or (H, W) grey.")
    if pixels.dtype not in (np.uint8, np.uint16):
        raise ImageError(
            f"Pixels are uint8, 0 to 255, and these are {pixels.dtype}. If they go from 0 to 1, pass "
            "(image * 255).round().astype('uint8'); if from 0 to 255, image.astype('uint8')."
        )
    return to_colour(pixels)
