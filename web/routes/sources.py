"""Which video is shown: what there is to choose from, and the change, which all viewers see."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from analysis.queue.job import JobState
from errors import ResultsError
from vision.sources import DEMO_NAME, SourceSpec, UploadedVideo, open_source, webcams, without_secrets
from web.access.addresses import ANY_PATH, for_any_path, permitted
from web.access.visitors import visitor_id
from web.documentation import LIVE, described_blueprint, problems
from web.errors import ApiError
from web.representation import describe_status
from web.schemas import CameraQuery, SourceBody, SourceKind, SourcesAnswer, StatusAnswer
from web.services import Services, get_services

log = logging.getLogger(__name__)
blueprint = described_blueprint("sources", __name__)

CONFIGURED: Final = "configured"


@dataclass(frozen=True, slots=True)
class Choice:
    """A video that this visitor may choose."""

    id: str
    kind: SourceKind
    name: str
    spec: SourceSpec
    """Never told: it may hold a path or a password."""


@blueprint.get("/api/sources", tags=[LIVE], responses={200: SourcesAnswer, **problems(HTTPStatus.NOT_FOUND)})
def index(query: CameraQuery) -> dict[str, Any]:
    """List the videos that you may choose to be shown."""
    services = get_services().of(query.camera)
    server = services.settings.server
    choices = _choices(services) if server.change_source else []
    return {
        "current": {"id": _current_id(services, choices), "name": services.camera.status.source},
        "changeable": server.change_source,
        "choices": [{"id": choice.id, "kind": choice.kind, "name": choice.name} for choice in choices],
        "hosts": for_any_path(server.allowed_addresses) if server.change_source else [],
    }


@blueprint.post("/api/source", tags=[LIVE], responses={200: StatusAnswer, **problems(HTTPStatus.NOT_FOUND)})
def change(query: CameraQuery, body: SourceBody) -> dict[str, Any]:
    """Change the video for everyone watching: by an `id` from /api/sources, or by a camera's `address`."""
    services = get_services().of(query.camera)
    if not services.settings.server.change_source:
        raise ApiError(
            HTTPStatus.FORBIDDEN,
            "change_switched_off",
            "The video cannot be changed here. Ask whoever runs the app to allow it.",
        )
    services.camera.use(_wanted(services, body))
    log.info("A visitor changed the video to %s", services.camera.status.source)
    return describe_status(services)


def _wanted(services: Services, body: SourceBody) -> SourceSpec:
    """Return what the visitor wants to see, if that is allowed."""
    if (body.id is None) == (body.address is None):
        raise ApiError(HTTPStatus.BAD_REQUEST, "bad_parameter", "Send either an id from /api/sources, or an address.")
    if body.address is not None:
        spec = permitted(body.address, services.settings.server.allowed_addresses)
        if spec is None:
            raise ApiError(
                HTTPStatus.FORBIDDEN,
                "address_not_allowed",
                "This address is not allowed here. Enter one that is, without user name and password, or ask "
                "whoever runs the app to allow it.",
            )
        return spec
    for choice in _choices(services):
        if choice.id == body.id:
            return choice.spec
    raise ApiError(HTTPStatus.NOT_FOUND, "no_such_source", "This video is no longer available. Choose another one.")


def _choices(services: Services) -> list[Choice]:
    """Return what the visitor may choose, each once."""
    by_spec: dict[SourceSpec, Choice] = {}
    for choice in _all_choices(services):
        by_spec.setdefault(choice.spec, choice)
    return list(by_spec.values())


def _all_choices(services: Services) -> Iterator[Choice]:
    configured = services.settings.source
    yield Choice(CONFIGURED, CONFIGURED, open_source(configured, services.settings.video).name, configured)
    for number, name in webcams().items():
        yield Choice(f"camera-{number}", "camera", name, number)
    yield Choice("demo", "demo", DEMO_NAME, "demo")
    store = services.jobs.store
    with suppress(ResultsError):  # the disk's fault, which need not keep anyone from the rest
        for job in store.jobs(visitor_id()):
            if job.state is not JobState.FAILED:
                video = UploadedVideo(store.files.original(job.id), job.name, fallback=configured)
                yield Choice(f"video-{job.id}", "video", job.name, video)
    for number, address in enumerate(services.settings.server.allowed_addresses):
        if not address.endswith(ANY_PATH):
            yield Choice(f"address-{number}", "address", without_secrets(address), address)


def _current_id(services: Services, choices: list[Choice]) -> str | None:
    """Return the id of what is shown; None where it is another visitor's, or was chosen by its address."""
    chosen = services.camera.chosen
    if isinstance(chosen, UploadedVideo) and not chosen.path.exists():
        chosen = chosen.fallback
    return next((choice.id for choice in choices if choice.spec == chosen), None)
