"""Our data types as the JSON that the API documents."""

import time
from typing import Any

from config import VERSION
from web.redaction import without_folders
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
        "version": VERSION,
    }
