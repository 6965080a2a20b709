"""Our data types as the JSON that the API documents."""

import time
from typing import Any

from config import VERSION
from outputs.output import OutputStatus
from web.access.redaction import without_folders
from web.services import Services


def describe_status(services: Services) -> dict[str, Any]:
    """Return where the source and the model stand, and how fast frames pass."""
    camera = services.camera
    status, latest = camera.status, camera.latest()
    wait = None if status.next_try_at is None else round(max(0.0, status.next_try_at - time.monotonic()), 1)
    return {
        "state": status.state,
        "source": status.source,
        "reason": without_folders(status.reason),
        "next_try_in": wait,
        "model": camera.model_state,
        "model_reason": without_folders(camera.model_reason),
        "fps": round(camera.fps, 1),
        "latency_ms": round(camera.latency_ms, 1),
        "viewers": services.videos.taken,
        "frame": {"width": latest.width, "height": latest.height} if latest else None,
        "detector": services.detector.kind,
        "demo": camera.demo,
        "cameras": [_describe_camera(each) for each in services.by_camera.values()] if services.several else [],
        "outputs": [_describe_output(output.status) for output in services.outputs],
        "version": VERSION,
    }


def _describe_output(status: OutputStatus) -> dict[str, str]:
    return {"name": status.name, "state": status.state, "reason": without_folders(status.reason)}


def _describe_camera(services: Services) -> dict[str, Any]:
    camera, status = services.camera, services.camera.status
    return {
        "name": services.name,
        "state": status.state,
        "source": status.source,
        "reason": without_folders(status.reason),
        "fps": round(camera.fps, 1),
        "source_fps": round(camera.source_fps, 1),
        "latency_ms": round(camera.latency_ms, 1),
    }
