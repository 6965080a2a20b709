"""Pictures that visitors send: read within limits, analysed, never stored."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

from flask import request

from entities import Classifier, Face, Image
from errors import ImageSizeError, ModelError
from pipeline import analyze_image
from vision.pictures import read_picture
from web.errors import ApiError
from web.services import Services

FIELD: Final = "image"
BUSY_SECONDS: Final = 10.0
"""How long a picture may wait for its turn."""


@contextmanager
def analysed_upload(the: Services) -> Iterator[tuple[Image, tuple[Face, ...], Classifier]]:
    """Read the picture in the current request and find its faces.

    Raises:
        ApiError: No picture was sent, or too many are being analysed.
        ImageError: It cannot be read, or is too large.
        ModelError: The model is not there (yet).

    """
    classifier = ready_classifier(the)
    data = _read_field(the.settings.uploads.max_megabytes)
    if not the.analyses.acquire(timeout=BUSY_SECONDS):
        raise ApiError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "busy",
            "Too many pictures are being analysed. Try again soon.",
            {"Retry-After": "5"},
        )
    try:
        image = read_picture(data, the.settings.uploads.max_megapixels)
        yield image, analyze_image(image, the.detector, classifier, the.settings.model.min_confidence), classifier
    finally:
        the.analyses.release()


def ready_classifier(the: Services) -> Classifier:
    """Return the model, or raise ModelError with the reason why it is not there."""
    the.camera.start_loading()
    if classifier := the.camera.classifier:
        return classifier
    raise ModelError(the.camera.model_reason or "The model is still loading. Try again in some seconds.")


def _read_field(max_megabytes: float) -> bytes:
    if request.mimetype != "multipart/form-data":
        raise ApiError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "multipart_required",
            f"Send multipart/form-data with the picture in the field '{FIELD}': curl -F {FIELD}=@photo.jpg ...",
        )
    file = request.files.get(FIELD)
    if file is None:
        raise ApiError(HTTPStatus.BAD_REQUEST, "image_missing", f"There is no file in the field '{FIELD}'.")
    limit = int(max_megabytes * 1e6)
    data = file.read(limit + 1)
    if not data:
        raise ApiError(HTTPStatus.BAD_REQUEST, "image_empty", f"The file in the field '{FIELD}' is empty.")
    if len(data) > limit:
        raise ImageSizeError(f"The file is larger than the {max_megabytes:g} MB allowed. Send a smaller one.")
    return data
