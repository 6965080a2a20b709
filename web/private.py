"""Private mode: what the visitor's own browser needs to find faces and name expressions itself."""

import gzip
import json
from functools import lru_cache
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, url_for

from config import Settings
from vision.detectors.yunet import SHA256, of_any_size
from web.assets import FOREVER, tag
from web.errors import ApiError
from web.services import services

NETWORK: Final = "network.onnx"
"""Beside the weights that it was made of, whose digests it holds."""
RUNTIME: Final = "vendor/onnxruntime-web/ort-wasm-simd-threaded.wasm.gz"

blueprint = Blueprint("private", __name__)


@blueprint.app_context_processor
def private_mode() -> dict[str, Any]:
    """Tell templates what private mode needs, as JSON; null where its networks are not there."""
    settings = services().settings
    found = networks(settings)
    if not found:
        return {"private": "null"}
    files = {name: url_for("private.network", version=tag(content), name=name) for name, content in found.items()} | {
        "runtime": url_for("static", filename=RUNTIME)
    }
    return {"private": json.dumps({"files": files, "settings": engine_settings(settings)})}


@blueprint.get("/private/<version>/<name>.onnx.gz")
def network(version: str, name: str) -> Response:
    """Send a network that private mode runs; its address changes with its content."""
    content = networks(services().settings).get(name)
    if content is None or version != tag(content):
        raise ApiError(HTTPStatus.NOT_FOUND, "not_found", "This version of a network is not here. Load the page again.")
    return Response(content, mimetype="application/octet-stream", headers={"Cache-Control": FOREVER})


def networks(settings: Settings) -> dict[str, bytes]:
    """Return the network in use and YuNet as browsers load them, compressed; none where one is missing or another."""
    model = settings.model
    return _networks(model.architecture, model.weights, settings.detector.weights)


def engine_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings that private mode keeps to as the server does."""
    return settings.detector.model_dump(include={"min_face"}) | (
        settings.model.model_dump(include={"smoothing", "min_confidence"})
    )


@lru_cache(maxsize=1)
def _networks(architecture: Path, weights: Path, yunet: Path) -> dict[str, bytes]:
    try:
        network, detector = weights.with_name(NETWORK).read_bytes(), yunet.read_bytes()
        made_of = [sha256(path.read_bytes()).hexdigest() for path in (architecture, weights)]
    except OSError:
        return {}
    if not all(digest.encode() in network for digest in made_of) or sha256(detector).hexdigest() != SHA256:
        return {}
    return {"network": gzip.compress(network, mtime=0), "yunet": gzip.compress(of_any_size(detector), mtime=0)}
