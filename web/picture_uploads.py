"""Pictures that visitors send: read within limits, analysed, never stored."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from io import BytesIO
from typing import Final, NamedTuple

from flask import Request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from entities import Classifier
from errors import ModelError
from expressions.resting import RestingFace
from pipeline import Upright, analyze_any_way_up, compare_largest
from vision.pictures import read_picture
from web.errors import ApiError
from web.services import Services

BUSY_SECONDS: Final = 10.0
"""How long a picture may wait for its turn, and then for the model."""


class PictureRequest(Request):
    """A request whose files stay in memory, where Werkzeug would write large ones to the disk."""

    def _get_file_stream(self, *_: object, **__: object) -> BytesIO:
        return BytesIO()  # MAX_CONTENT_LENGTH bounds it


class AnalysedUpload(NamedTuple):
    """What was found in a picture."""

    found: Upright
    note: str
    """What was left out of it, or why no face can be found; mostly empty."""
    classifier: Classifier
    """What named the expressions."""


@contextmanager
def analysed_upload(services: Services, file: object, rest: RestingFace | None = None) -> Iterator[AnalysedUpload]:
    """Read a picture that was sent in a form and find its faces; compare the largest with its rest, where given.

    Raises:
        ApiError: It is empty or no file, or too many are being analysed.
        ImageError: It cannot be read, or is too large.
        ModelError: The model is not there (yet).

    """
    with services.analyses.acquire(BUSY_SECONDS):
        classifier = ready_classifier(services, BUSY_SECONDS)
        data = _read(file, services.settings.uploads.max_megabytes)
        picture = read_picture(data, services.settings.uploads.max_megapixels)
        found = analyze_any_way_up(picture.image, services.detector, classifier, services.settings.model.min_confidence)
        if rest:
            found = found._replace(faces=compare_largest(found.faces, rest))
        yield AnalysedUpload(found, picture.note, classifier)


def ready_classifier(services: Services, timeout: float) -> Classifier:
    """Return the model, after so many seconds at most while it loads, or raise ModelError with what is wrong."""
    if classifier := services.camera.wait_for_classifier(timeout):
        return classifier
    raise ModelError(services.camera.model_reason or "The model is still loading. Try again in a few seconds.")


def _read(file: object, max_megabytes: float) -> bytes:
    if not isinstance(file, FileStorage):
        raise ApiError(HTTPStatus.BAD_REQUEST, "image_missing", "The field 'image' must be a file, not text.")
    limit = int(max_megabytes * 1e6)
    data = file.read(limit + 1)
    if not data:
        raise ApiError(HTTPStatus.BAD_REQUEST, "image_empty", "The file is empty. Send a picture.")
    if len(data) > limit:
        raise RequestEntityTooLarge  # which is answered with the limit, as where it is noticed before anything is read
    return data
