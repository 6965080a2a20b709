"""Private mode: what the visitor's own browser needs to find faces and name expressions itself."""

import gzip
import json
from functools import lru_cache
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, url_for

from config import ROOT, Settings
from vision.detectors.yunet import SHA256, of_any_size
from web.assets import FOREVER, tag
from web.errors import ApiError
from web.services import services

NETWORK: Final = "private/network.onnx.gz"
DESCRIPTION: Final = ROOT / "static" / "private" / "network.json"
RUNTIME: Final = "vendor/onnxruntime-web/ort-wasm-simd-threaded.wasm.gz"

blueprint = Blueprint("private", __name__)


@blueprint.app_context_processor
def private_mode() -> dict[str, Any]:
    """Tell templates what private mode needs, as JSON; null where this network was not exported for browsers."""
    settings = services().settings
    if not exported(settings):
        return {"private": "null"}
    files = {name: url_for("static", filename=path) for name, path in {"runtime": RUNTIME, "network": NETWORK}.items()}
    files["yunet"] = url_for("private.yunet", version=tag(browser_yunet(settings.detector.weights)))
    return {"private": json.dumps({"files": files, "settings": engine_settings(settings)})}


@blueprint.get("/private/<version>/yunet.onnx.gz")
def yunet(version: str) -> Response:
    """Send YuNet's network for pictures of any size; its address changes with its content."""
    settings = services().settings
    content = browser_yunet(settings.detector.weights) if exported(settings) else None
    if content is None or version != tag(content):
        raise ApiError(HTTPStatus.NOT_FOUND, "not_found", "This version of YuNet is not here. Load the page again.")
    return Response(content, mimetype="application/octet-stream", headers={"Cache-Control": FOREVER})


def exported(settings: Settings) -> bool:
    """Whether browsers can do what this application does: its network is the one that was exported, YuNet is there."""
    try:
        description = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
        exported_from = description["weights"] == _digest(settings.model.weights)
        return bool(exported_from and _digest(settings.detector.weights) == SHA256)
    except (OSError, ValueError, KeyError):
        return False


def engine_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings that private mode keeps to as the server does."""
    return settings.detector.model_dump(include={"min_face"}) | (
        settings.model.model_dump(include={"smoothing", "min_confidence"})
    )


@lru_cache(maxsize=1)
def browser_yunet(weights: Path) -> bytes:
    """Return YuNet's file for inputs of any size, compressed."""
    return gzip.compress(of_any_size(weights.read_bytes()), mtime=0)


@lru_cache(maxsize=4)
def _digest(weights: Path) -> str:
    return sha256(weights.read_bytes()).hexdigest()
