"""Markers in the server's video, which its frames carry from then on, in everybody's recordings."""

from http import HTTPStatus
from typing import Any

from files import plain
from web.documentation import LIVE, described_blueprint
from web.errors import ApiError
from web.marker_log import Marker
from web.schemas import MarkerAnswer, MarkerBody, MarkersAnswer
from web.services import get_services

blueprint = described_blueprint("markers", __name__, "/api/markers")


@blueprint.post(
    "",
    tags=[LIVE],
    description="Every frame that is captured later carries it as `marker` in /api/events and /api/live, and so do "
    "recordings on the live page, until the next marker; an empty label ends it. Only where server.change_source lets "
    "visitors change what all see.",
    responses={HTTPStatus.CREATED: MarkerAnswer},
)
def create(body: MarkerBody) -> tuple[dict[str, Any], HTTPStatus]:
    """Note that something begins now, such as a task or a film."""
    services = get_services()
    if not services.settings.server.change_source:
        raise ApiError(
            HTTPStatus.FORBIDDEN,
            "change_switched_off",
            "Markers are in everybody's recordings, and setting them is switched off here. "
            "Ask whoever runs the app to allow it.",
        )
    label = plain(body.label)
    return {"marker": _describe(services.markers.add(label))}, HTTPStatus.CREATED


@blueprint.get("", tags=[LIVE], responses={200: MarkersAnswer})
def index() -> dict[str, Any]:
    """List the latest markers, up to a thousand, the oldest first."""
    return {"markers": [_describe(marker) for marker in get_services().markers.all()]}


def _describe(marker: Marker) -> dict[str, Any]:
    return {"label": marker.label, "time": round(marker.time, 3)}
