"""The visitor's own camera: one frame comes, its faces go back; what stays is only where this visitor's faces are."""

from http import HTTPStatus
from typing import Any, Final

from flask import request

from analysis.output.tables import face_record
from errors import ImageSizeError
from pipeline import ExpressionPipeline
from vision.pictures import read_picture
from web.documentation import LIVE, PICTURE_PROBLEMS, body, described_blueprint
from web.errors import ApiError
from web.picture_uploads import ready_classifier
from web.schemas import FrameAnswer, FrameQuery
from web.services import get_services

MAX_MEGAPIXELS: Final = 4.0
MAX_BYTES: Final = 4_000_000
BUSY_SECONDS: Final = 5.0
"""How long a frame may wait for the model, and for its turn; one that waited longer is no longer live."""

blueprint = described_blueprint("frames", __name__)


@blueprint.post(
    "/api/live/frame",
    tags=[LIVE],
    description="The body is a picture. Probabilities are smoothed over the frames with the same `stream`.",
    openapi_extensions=body("image/*", {"type": "string", "format": "binary"}),
    responses={200: FrameAnswer, **PICTURE_PROBLEMS},
)
def analyse(query: FrameQuery) -> dict[str, Any]:
    """Find and follow the faces in the next frame of a video."""
    services, stream_id = get_services(), query.stream
    classifier = ready_classifier(services, BUSY_SECONDS)
    data = _body()
    stream = services.streams.get(stream_id, lambda: ExpressionPipeline(services.settings, classifier, live=True))
    with services.analyses.acquire(BUSY_SECONDS, lock=stream.lock):
        image = read_picture(data, MAX_MEGAPIXELS).image
        faces, timings = stream.process(image)
    height, width = image.shape[:2]
    return {
        "width": width,
        "height": height,
        "faces": [face_record(face) for face in faces],
        "timings": {stage: round(milliseconds, 2) for stage, milliseconds in timings.items()},
    }


def _body() -> bytes:
    """Return the picture that is the request's body."""
    data = request.stream.read(MAX_BYTES + 1)
    if not data:
        raise ApiError(HTTPStatus.BAD_REQUEST, "image_empty", "The request body must be a picture.")
    if len(data) > MAX_BYTES:
        raise ImageSizeError(f"A frame may have at most {MAX_BYTES / 1e6:g} MB. Send a smaller picture.")
    return data
