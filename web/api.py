"""The application for programs."""

from base64 import b64encode
from http import HTTPStatus
from typing import Any, Protocol, runtime_checkable

import cv2
import numpy as np
from flask import Blueprint, Response, request
from numpy.typing import NDArray
from prometheus_client import CONTENT_TYPE_LATEST

from entities import Classifier, Face, Image
from vision.annotation import annotate, encode_jpeg
from vision.detection import to_grey
from web.errors import ApiError
from web.representation import describe_face, describe_status
from web.services import services
from web.uploads import analysed_upload

blueprint = Blueprint("api", __name__)


@runtime_checkable
class Explainer(Protocol):
    """A classifier that can say where it looked."""

    def explain(self, face: Image) -> NDArray[np.float32]:
        """Return an (h, w) heat map, 0-1, of an (h, w) grey face."""
        ...


@blueprint.get("/api/status")
def status() -> dict[str, Any]:
    """Say where the source and the model stand."""
    return describe_status(services())


@blueprint.post("/api/predict")
def predict() -> dict[str, Any]:
    """Find the faces in a picture and what they express; with ?explain=1 also where the model looked."""
    explained = _flag("explain", default=False)
    with analysed_upload(services()) as (image, faces, classifier):
        height, width = image.shape[:2]
        described = [describe_face(face) for face in faces]
        if explained:
            described = [
                d | {"heat_map": _heat_map(image, f, classifier)} for d, f in zip(described, faces, strict=True)
            ]
    return {"width": width, "height": height, "faces": described}


@blueprint.post("/api/annotate")
def annotated() -> Response:
    """Return a picture with its faces and expressions drawn in; ?labels=0 and ?blur=1 hide them."""
    labels, blur = _flag("labels", default=True), _flag("blur", default=False)
    with analysed_upload(services()) as (image, faces, _):
        return Response(encode_jpeg(annotate(image, faces, labels=labels, blur=blur), 90), mimetype="image/jpeg")


@blueprint.get("/healthz")
def healthz() -> dict[str, str]:
    """Say that the server answers; what it shows is in /api/status."""
    return {"status": "ok", "model": services().camera.model_state}


@blueprint.get("/metrics")
def metrics() -> Response:
    """Return the counters for Prometheus."""
    return Response(services().metrics.text(), content_type=CONTENT_TYPE_LATEST)


def _heat_map(image: Image, face: Face, classifier: Classifier) -> str:
    """Return a grey PNG of the face's box, base64-encoded; white is where the model looked most."""
    if not isinstance(classifier, Explainer):
        raise ApiError(HTTPStatus.NOT_IMPLEMENTED, "not_explained", "This model cannot say where it looked.")
    heat = np.rint(255 * classifier.explain(to_grey(face.box.crop(image)))).astype(np.uint8)
    return b64encode(cv2.imencode(".png", heat)[1].tobytes()).decode()


def _flag(name: str, *, default: bool) -> bool:
    value = request.args.get(name)
    if value is None:
        return default
    if value.lower() not in {"0", "1", "false", "true"}:
        raise ApiError(HTTPStatus.BAD_REQUEST, "bad_parameter", f"{name} has to be 0 or 1, not {value[:20]!r}.")
    return value.lower() in {"1", "true"}
