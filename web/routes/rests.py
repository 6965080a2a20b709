"""A face's rest: set for a face in view, by which it is judged from then on, and taken back."""

from http import HTTPStatus
from typing import Final

from errors import FacialExpressionError
from expressions.resting import RestingFace
from web.documentation import LIVE, described_blueprint, problems
from web.errors import ApiError
from web.schemas import RestBody, RestQuery
from web.services import get_services

blueprint = described_blueprint("rests", __name__)

_NO_FACE: Final = "This face is not in view (any more). Look towards the camera, and try again."


@blueprint.put(
    "/api/live/rest",
    tags=[LIVE],
    description="The mean of what `probabilities` said (`as_seen`, where there was a rest already) while the face was "
    "at rest for about two seconds. It is kept as long as the face has its number: some seconds after it has left.",
    responses={HTTPStatus.NO_CONTENT: None, **problems(HTTPStatus.NOT_FOUND)},
)
def compare(query: RestQuery, body: RestBody) -> tuple[str, HTTPStatus]:
    """Compare a face in view with what it looks like at rest, from now on."""
    return _set(query, to_rest(body))


@blueprint.delete(
    "/api/live/rest", tags=[LIVE], responses={HTTPStatus.NO_CONTENT: None, **problems(HTTPStatus.NOT_FOUND)}
)
def take_back(query: RestQuery) -> tuple[str, HTTPStatus]:
    """Show a face as it is seen again."""
    return _set(query, None)


def to_rest(body: RestBody) -> RestingFace:
    """Return the resting face that came with a request.

    Raises:
        ApiError: It is none.

    """
    try:
        return RestingFace.from_record(body.resting_face.model_dump())
    except FacialExpressionError as error:
        raise ApiError(HTTPStatus.BAD_REQUEST, "bad_rest", str(error)) from None


def _set(query: RestQuery, rest: RestingFace | None) -> tuple[str, HTTPStatus]:
    services = get_services().of(query.camera)
    if query.stream:
        found = services.streams.compare(query.stream, query.face, rest)
    elif services.settings.server.change_source:
        found = services.camera.compare(query.face, rest)
    else:
        raise ApiError(
            HTTPStatus.FORBIDDEN,
            "change_switched_off",
            "All who watch see the same video, and changing it is switched off here. Ask whoever runs the app to allow "
            "it, or use “My camera”.",
        )
    if not found:
        raise ApiError(HTTPStatus.NOT_FOUND, "no_such_face", _NO_FACE)
    return "", HTTPStatus.NO_CONTENT
