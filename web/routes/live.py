"""Live streams: the annotated video, what is seen in it, and for the page both together."""

import json
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from flask import Response, request

from analysis.output.tables import face_record
from entities import FrameResult
from web.clock import as_set, steady
from web.documentation import LIVE, described_blueprint, media, problems
from web.errors import ApiError
from web.representation import describe_status
from web.schemas import AnnotateQuery, CameraQuery, FeedQuery, LiveQuery
from web.services import Services, get_services
from web.serving.slots import Slots

HEARTBEAT_SECONDS: Final = 5.0
"""A stream says something at least this often, so that both ends learn of a connection that is gone."""
BOUNDARY: Final = b"--frame\r\n"
_BURST_SECONDS: Final = 0.05
"""A frame may come this much before its turn: frames do not come evenly."""

FULL: Final = problems(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)
VIDEO_PROBLEMS: Final = problems(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)

blueprint = described_blueprint("live", __name__)


@blueprint.get(
    "/video_feed",
    tags=[LIVE],
    responses={200: media("multipart/x-mixed-replace", "JPEG after JPEG, as fast as you read."), **VIDEO_PROBLEMS},
)
def video_feed(query: FeedQuery) -> Response:
    """Stream the annotated video as MJPEG."""
    parts = _parts(get_services().of(query.camera), query)
    return _stream(parts, "multipart/x-mixed-replace; boundary=frame", get_services().videos)


@blueprint.get(
    "/api/events",
    tags=[LIVE],
    description="A frame's data: index, time (seconds since 1970 by a clock that never jumps), clock (the same as the "
    "system's clock is set), source (what is shown), video (its number; with another one, faces have other numbers), "
    "width, height, faces (as from /api/live/frame), timings (milliseconds by stage), fps, latency_ms, marker (the one "
    "in force, see /api/markers), and with the first one marked_at (when it began, by the clock of time; frames may "
    "have left before it arrived). Of several cameras also camera, and source_fps, the frames a second that it gives. "
    "Events named `status` carry what /api/status answers.",
    responses={200: media("text/event-stream", "Server-sent events."), **FULL},
)
def events(query: CameraQuery) -> Response:
    """Stream one server-sent event a frame, and one whenever the status changes."""
    return _stream(_events(get_services().of(query.camera)), "text/event-stream", get_services().events)


@blueprint.get(
    "/api/live",
    tags=[LIVE],
    description="Parts of `multipart/mixed`, each with its Content-Length: JSON with a `status` (as from /api/status), "
    "or JSON with a `frame` (as from /api/events, with `sent`, the time at which it left, and `blurred`) and after it "
    "that frame as a JPEG without marks. `frame.width` and "
    "`frame.height` are what boxes refer to; the picture may be smaller.",
    responses={200: media("multipart/mixed", "Frames with their faces, as fast as `rate` allows."), **VIDEO_PROBLEMS},
)
def live(query: LiveQuery) -> Response:
    """Stream pictures together with what is seen in them."""
    parts = _pictures_and_faces(get_services().of(query.camera), query)
    return _stream(parts, "multipart/mixed; boundary=frame", get_services().videos)


def _stream(chunks: Iterator[bytes], content_type: str, slots: Slots) -> Response:
    headers = {"X-Accel-Buffering": "no"}
    if request.method == "HEAD":  # for which no place is taken: cheroot may never close it
        return Response(content_type=content_type, headers=headers)
    if not slots.take():
        raise ApiError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "too_many_viewers",
            f"The limit of {slots.limit} viewers has been reached. Try again later.",
            {"Retry-After": "10"},
        )
    response = Response(chunks, content_type=content_type, headers=headers)
    response.call_on_close(slots.release)  # also where the stream is closed before its first chunk
    return response


def _parts(services: Services, query: AnnotateQuery) -> Iterator[bytes]:
    """Yield each picture with the boundary that follows it: browsers show a picture when they see its end."""
    yield BOUNDARY
    for result in services.camera.results(HEARTBEAT_SECONDS):
        jpeg = services.drawings.jpeg(result, labels=query.labels, blur=query.blur)
        header = b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
        yield b"".join((header, jpeg, b"\r\n", BOUNDARY))


def _pictures_and_faces(services: Services, query: LiveQuery) -> Iterator[bytes]:
    """Yield status and frames, with pauses where `rate` does not allow more."""
    status_sent = _status_key(services)
    yield _part("application/json", _json({"status": describe_status(services)}))
    seen: FrameResult | None = None
    free_at = 0.0
    for result in services.camera.results(HEARTBEAT_SECONDS):
        if status_sent != (status_sent := _status_key(services)) or result is seen:
            yield _part("application/json", _json({"status": describe_status(services)}))
        if result is not seen:
            picture = services.drawings.picture(result, blur=query.blur, rate=query.rate)
            frame = _describe_frame(result, services) | {"blurred": query.blur, "sent": steady(time.monotonic())}
            part = _part("application/json", _json({"frame": frame})) + _part("image/jpeg", picture)
            yield part
            if query.single:
                return
            seen = result
            if query.rate:
                free_at = max(free_at, time.monotonic() - _BURST_SECONDS) + 0.008 * len(part) / query.rate
                time.sleep(min(max(0.0, free_at - time.monotonic()), HEARTBEAT_SECONDS))


def _part(kind: str, content: bytes) -> bytes:
    header = f"Content-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n"
    return b"".join((BOUNDARY, header.encode(), content, b"\r\n"))


def _json(data: dict[str, Any]) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode()


def _events(services: Services) -> Iterator[bytes]:
    status_sent = _status_key(services)
    yield b"retry: 1000\n" + _event("status", describe_status(services))
    seen: FrameResult | None = None
    for result in services.camera.results(HEARTBEAT_SECONDS):
        if status_sent != (status_sent := _status_key(services)):
            yield _event("status", describe_status(services))
        yield b": nothing new\n\n" if result is seen else _event("frame", _describe_frame(result, services))
        seen = result


def _status_key(services: Services) -> tuple[object, ...]:
    """Return what makes a status worth telling; rates change all the time."""
    camera = services.camera
    latest = camera.latest()
    size = (latest.width, latest.height) if latest else None  # by which pages give the video its place
    outputs = tuple(output.status for output in services.outputs)
    others = tuple(each.camera.status for each in services.by_camera.values())
    return camera.status, camera.model_state, camera.model_reason, size, outputs, others


def _event(kind: str, data: dict[str, Any]) -> bytes:
    name = f"event: {kind}\n" if kind != "frame" else ""
    return b"%sdata: %s\n\n" % (name.encode(), _json(data))


def _describe_frame(result: FrameResult, services: Services) -> dict[str, Any]:
    marker = services.markers.last(result.captured_at)
    described = {
        "index": result.index,
        "time": steady(result.captured_at),
        "clock": as_set(result.captured_at),
        "source": result.source,
        "video": result.video,
        "width": result.width,
        "height": result.height,
        "faces": [face_record(face) for face in result.faces],
        "timings": {stage: round(ms, 2) for stage, ms in result.timings.items()},
        "fps": round(services.camera.fps, 1),
        "latency_ms": round(services.camera.latency_ms, 1),
        "marker": marker.label if marker else "",
    }
    described |= {"marked_at": steady(marker.moment)} if marker else {}
    source_fps = round(services.camera.source_fps, 1)
    return described | ({"camera": services.name, "source_fps": source_fps} if services.name else {})
