"""Private mode: what the visitor's own browser needs to find faces and name expressions itself."""

import gzip
import json
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, url_for

from config import Settings
from errors import ModelError
from network.network_file import NETWORK, belongs_to
from vision.detectors.yunet_network import WEIGHTS, check, of_any_size
from web.assets import FOREVER, tag
from web.errors import ApiError
from web.services import get_services

RUNTIME: Final = "vendor/onnxruntime-web/ort-wasm-simd-threaded.wasm.gz"

blueprint = Blueprint("private", __name__)


@blueprint.app_context_processor
def private_mode() -> dict[str, Any]:
    """Tell templates what private mode needs, as JSON; null where its networks are not there."""
    settings = get_services().settings
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
    content = networks(get_services().settings).get(name)
    if content is None or version != tag(content):
        raise ApiError(HTTPStatus.NOT_FOUND, "not_found", "This version of a network is not here. Load the page again.")
    return Response(compressed(content), mimetype="application/octet-stream", headers={"Cache-Control": FOREVER})


def networks(settings: Settings) -> dict[str, bytes]:
    """Return the network in use and YuNet as browsers run them; none where one is missing or another."""
    return _networks(settings.model.architecture, settings.model.weights)


def engine_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings that private mode keeps to as the server does."""
    return settings.detector.model_dump(include={"min_face"}) | (
        settings.model.model_dump(include={"smoothing", "min_confidence"})
    )


@lru_cache(maxsize=1)
def _networks(architecture: Path, weights: Path) -> dict[str, bytes]:
    try:
        content = weights.with_name(NETWORK).read_bytes()
        check(WEIGHTS)
        if not belongs_to(content, architecture, weights):
            return {}
    except (OSError, ModelError):
        return {}
    return {"network": content, "yunet": of_any_size(WEIGHTS.read_bytes())}


@lru_cache(maxsize=2)
def compressed(content: bytes) -> bytes:
    """Return a network as browsers load it; that takes a moment, for which no page waits."""
    return gzip.compress(content, mtime=0)
