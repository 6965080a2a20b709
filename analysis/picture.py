"""One picture -> a folder with the annotated picture and its faces as JSON and CSV."""

import csv
import json
from pathlib import Path
from typing import Any

import cv2

from analysis.results import results_folder
from analysis.spreadsheet import write_spreadsheet
from analysis.tables import AS_SEEN_COLUMNS, FACE_COLUMNS, as_seen_row, face_record, face_row
from config import Settings
from entities import Classifier
from errors import ImageError, ImageSizeError
from expressions.resting import RestingFace
from files import printable
from pipeline import analyze_any_way_up, compare_largest
from vision.annotation import annotate
from vision.detection import FaceDetector
from vision.pictures import read_picture


def analyze_picture(
    path: Path,
    target: Path,
    settings: Settings,
    classifier: Classifier,
    *,
    rest: RestingFace | None = None,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Analyse a picture file; see `analyze_video` for the arguments they share.

    The largest face is compared with `rest`, where that is given.

    Returns:
        What `faces.json` says: `{"name", "width", "height", "turned", "note", "faces": [face_record]}`. `turned` is by
        how many degrees clockwise the picture was turned to find faces, and `note` says what of it was left out.

    Raises:
        ImageError: The picture is missing, broken, of another type (ImageTypeError) or too large (ImageSizeError).
        ResultsError: The results cannot be written.

    """
    limits = settings.uploads
    if path.is_file() and path.stat().st_size > limits.max_megabytes * 1e6:
        raise ImageSizeError(f"The file is larger than the {limits.max_megabytes:g} MB allowed. Choose a smaller one.")
    picture = read_picture(path, limits.max_megapixels)
    detector = FaceDetector(settings.detector)
    image, faces, turned = analyze_any_way_up(picture.image, detector, classifier, settings.model.min_confidence)
    if rest:
        faces = compare_largest(faces, rest)
    encoded, png = cv2.imencode(".png", annotate(image, faces))
    if not encoded:
        raise ImageError("The annotated picture cannot be written as PNG.")
    height, width = image.shape[:2]
    record: dict[str, Any] = {
        "name": printable(path.name),
        "width": width,
        "height": height,
        "turned": turned,
        "note": picture.note,
        "faces": [face_record(face) for face in faces],
    }
    with results_folder(target, overwrite=overwrite) as folder:
        (folder / "annotated.png").write_bytes(png.tobytes())
        (folder / "faces.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        with (folder / "faces.csv").open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow((*FACE_COLUMNS, *AS_SEEN_COLUMNS) if rest else FACE_COLUMNS)
            rows.writerows([*face_row(face), *(as_seen_row(face) if rest else ())] for face in faces)
        write_spreadsheet(folder / "faces.csv")
    return record
