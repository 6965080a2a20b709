"""The application for programs."""

import time
from base64 import b64encode
from http import HTTPStatus
from typing import Any, Protocol, runtime_checkable

import cv2
import numpy as np
from flask import Response, request
from numpy.typing import NDArray
from prometheus_client import CONTENT_TYPE_LATEST

from analysis.output.tables import describe_face
from entities import Classifier, Face, Image
from errors import NotExplainedError
from vision.annotation import annotate, encode_jpeg
from vision.crops import crop_face, turn_back
from vision.pictures import HEAD, is_picture
from vision.pixels import to_grey
from web.clock import steady
from web.documentation import PICTURE_PROBLEMS, PICTURES, STATE, body, described_blueprint, media, problems
from web.picture_uploads import analysed_upload
from web.representation import describe_status
from web.routes.rests import to_rest
from web.schemas import (
    AnnotateQuery,
    CameraQuery,
    HealthAnswer,
    KindAnswer,
    PictureAnswer,
    PictureForm,
    PredictQuery,
    StatusAnswer,
)
from web.services import get_services

blueprint = described_blueprint("api", __name__)


@runtime_checkable
class Explainer(Protocol):
    """A classifier whose answers can be explained."""

    def explain(self, face: Image) -> NDArray[np.float32]:
        """Return an (h, w) heat map, 0-1, of an (h, w) grey face."""
        ...


@blueprint.get("/api/status", tags=[STATE], responses={200: StatusAnswer, **problems(HTTPStatus.NOT_FOUND)})
def status(query: CameraQuery) -> dict[str, Any]:
    """Say where the source and the model stand."""
    return describe_status(get_services().of(query.camera))


@blueprint.post(
    "/api/predict",
    tags=[PICTURES],
    responses={200: PictureAnswer, **PICTURE_PROBLEMS, **problems(HTTPStatus.NOT_IMPLEMENTED)},
)
def predict(query: PredictQuery, form: PictureForm) -> dict[str, Any]:
    """Find the faces in a picture and name their expressions."""
    with analysed_upload(get_services(), form.image, to_rest(form.rest) if form.rest else None) as (
        found,
        note,
        classifier,
    ):
        height, width = found.image.shape[:2]
        described = [describe_face(face) for face in found.faces]
        if query.explain:
            described = [
                d | {"heat_map": _heat_map(found.image, f, classifier)}
                for d, f in zip(described, found.faces, strict=True)
            ]
    return {"width": width, "height": height, "turned": found.turned, "note": note, "faces": described}


@blueprint.post(
    "/api/kind",
    tags=[PICTURES],
    openapi_extensions=body("application/octet-stream", {"type": "string", "format": "binary"}),
    responses={200: KindAnswer},
)
def kind() -> dict[str, str]:
    """Say whether a file is a picture for /api/predict or a video for /api/jobs; its first bytes are enough."""
    head = request.stream.read(HEAD)
    return {"kind": "picture" if is_picture(head) or not head else "video"}


@blueprint.post(
    "/api/annotate",
    tags=[PICTURES],
    responses={200: media("image/jpeg", "The picture with its faces and expressions drawn in."), **PICTURE_PROBLEMS},
)
def annotated(query: AnnotateQuery, form: PictureForm) -> Response:
    """Draw the faces and their expressions into a picture."""
    with analysed_upload(get_services(), form.image, to_rest(form.rest) if form.rest else None) as (found, _, _):
        faces = found.faces if query.marks or query.blur else ()  # a blurred face may as well be marked
        picture = annotate(found.image, faces, labels=query.labels, blur=query.blur)
        return Response(encode_jpeg(picture, 90), mimetype="image/jpeg")


@blueprint.get("/healthz", tags=[STATE], responses={200: HealthAnswer})
def healthz() -> dict[str, Any]:
    """Say that the server answers; what it shows is in /api/status."""
    return {"status": "ok", "model": get_services().camera.model_state, "time": steady(time.monotonic())}


@blueprint.get("/metrics", tags=[STATE], responses={200: media("text/plain", "Counters for Prometheus.")})
def metrics() -> Response:
    """Return the counters for Prometheus."""
    return Response(get_services().metrics.text(), content_type=CONTENT_TYPE_LATEST)


def _heat_map(image: Image, face: Face, classifier: Classifier) -> str:
    """Return a grey PNG of the face's box, base64-encoded; white is where the model looked most."""
    if not isinstance(classifier, Explainer):
        raise NotExplainedError("This model cannot be explained.")
    heat = np.rint(255 * classifier.explain(crop_face(to_grey(image), face.box, face.corners))).astype(np.uint8)
    return b64encode(cv2.imencode(".png", turn_back(heat, face.box, face.corners))[1].tobytes()).decode()
