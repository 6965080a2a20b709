"""The visitor's own camera: one frame comes, its faces go back; what stays is only where this visitor's faces are."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, request

from errors import ImageSizeError
from pipeline import ExpressionPipeline
from vision.pictures import read_picture
from web.errors import ApiError
from web.representation import describe_face
from web.services import Services, services
from web.uploads import ready_classifier

MAX_MEGAPIXELS: Final = 4.0
MAX_BYTES: Final = 4_000_000
BUSY_SECONDS: Final = 5.0
"""How long a frame may wait for its turn; one that waited longer is no longer live."""
STREAM_ID: Final = re.compile(r"[A-Za-z0-9_-]{16,64}")

blueprint = Blueprint("frames", __name__)


@blueprint.post("/api/live/frame")
def analyse() -> dict[str, Any]:
    """Find and follow the faces in the next frame (a picture as the request's body) of the stream ?stream=ID.

    The ID is 16 to 64 letters, digits, - or _, made up by the client; faces are followed and their probabilities
    smoothed over the frames with the same one.
    """
    the, stream_id = services(), request.args.get("stream", "")
    if not STREAM_ID.fullmatch(stream_id):
        raise ApiError(
            HTTPStatus.BAD_REQUEST,
            "bad_parameter",
            "stream has to be 16 to 64 random letters, digits, - or _, the same for all frames of a video.",
        )
    classifier = ready_classifier(the)
    image = read_picture(_body(), MAX_MEGAPIXELS)
    with _turn(the), the.streams.taken(stream_id, lambda: ExpressionPipeline(the.settings, classifier)) as stream:
        faces, timings = stream.process(image)
    height, width = image.shape[:2]
    return {
        "width": width,
        "height": height,
        "faces": [{"id": face.track_id, **describe_face(face)} for face in faces],
        "timings": {stage: round(milliseconds, 2) for stage, milliseconds in timings.items()},
    }


@contextmanager
def _turn(the: Services) -> Iterator[None]:
    """Wait until a processor is free for one more picture."""
    if not the.analyses.acquire(timeout=BUSY_SECONDS):
        raise ApiError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "busy",
            "Too many pictures are being analysed. Try again soon.",
            {"Retry-After": "1"},
        )
    try:
        yield
    finally:
        the.analyses.release()


def _body() -> bytes:
    """Return the picture that is the request's body."""
    data = request.stream.read(MAX_BYTES + 1)
    if not data:
        raise ApiError(HTTPStatus.BAD_REQUEST, "image_empty", "The request's body has to be a picture.")
    if len(data) > MAX_BYTES:
        raise ImageSizeError(f"A frame may have at most {MAX_BYTES / 1e6:g} MB. Send a smaller picture.")
    return data
