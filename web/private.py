"""Private mode: what the visitor's own browser needs to find faces and name expressions itself."""

import gzip
import json
from functools import lru_cache
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, url_for

from config import ROOT, ModelSettings, Settings
from vision.detectors.yunet_network import WEIGHTS, of_any_size
from web.errors import ApiError
from web.services import get_services

NETWORK: Final = "private/network.onnx.gz"
DESCRIPTION: Final = ROOT / "static" / "private" / "network.json"
RUNTIME: Final = "vendor/onnxruntime-web/ort-wasm-simd-threaded.wasm.gz"
CASCADES: Final = {
    "frontal": "vendor/opencv/haarcascade_frontalface_default.xml.gz",
    "strict": "vendor/opencv/haarcascade_frontalface_alt2.xml.gz",
}

blueprint = Blueprint("private", __name__)


@blueprint.app_context_processor
def private_mode() -> dict[str, Any]:
    """Tell templates what private mode needs, as JSON; null where this network was not exported for browsers."""
    settings = get_services().settings
    if not exported(settings.model):
        return {"private": "null"}
    detector = {"yunet": url_for("private.yunet")} if _uses_yunet() else _static(CASCADES)
    return {
        "private": json.dumps(
            {
                "files": _static({"runtime": RUNTIME, "network": NETWORK}) | detector,
                "settings": engine_settings(settings),
            }
        )
    }


@blueprint.get("/private/yunet.onnx.gz")
def yunet() -> Response:
    """Send YuNet's network for pictures of any size."""
    if not _uses_yunet():
        raise ApiError(HTTPStatus.NOT_FOUND, "not_found", "YuNet is not in use here.")
    return Response(browser_yunet(WEIGHTS), mimetype="application/octet-stream")


def exported(model: ModelSettings) -> bool:
    """Whether the network in use is the one that was exported for browsers."""
    try:
        description = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
        return bool(description["weights"] == _digest(model.weights))
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


@lru_cache(maxsize=2)
def _digest(weights: Path) -> str:
    return sha256(weights.read_bytes()).hexdigest()


def _uses_yunet() -> bool:
    return get_services().detector.kind == "yunet"


def _static(paths: dict[str, str]) -> dict[str, str]:
    return {name: url_for("static", filename=path) for name, path in paths.items()}
