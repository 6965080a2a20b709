"""The OpenAPI document, made from the routes and their types, and a page to try the API."""

from http import HTTPStatus
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NoReturn, cast

from flask import Blueprint, current_app, render_template, request
from flask_openapi3 import APIBlueprint, Info, OpenAPI, Tag
from flask_openapi3.types import ResponseDict
from pydantic import ValidationError

from config import ROOT, VERSION
from web.assets import tagged_path
from web.errors import ApiError
from web.schemas import PictureForm, ProblemAnswer

INFO: Final = Info(
    title="Facial expressions",
    version=VERSION,
    description=(
        "Finds faces in pictures and live video, and names their expressions.\n\n"
        "Where the application asks for an access token, send it as `Authorization: Bearer TOKEN`. "
        "Errors are JSON: a `code` for programs and a `message` for people."
    ),
)
SECURITY_SCHEMES: Final[dict[str, Any]] = {"token": {"type": "http", "scheme": "bearer"}}
EVERYWHERE: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)

LIVE: Final = Tag(name="Live", description="The server's video as a stream, and a video of your own, frame by frame.")
PICTURES: Final = Tag(name="Pictures", description="Faces in a picture that you send.")
VIDEOS: Final = Tag(
    name="Videos",
    description=(
        "Videos that you send, analysed one after the other. They are for you alone: sending one sets a cookie, by "
        "which later requests are known to be yours (`curl -c cookies -b cookies`, `requests.Session()`)."
    ),
)
STATE: Final = Tag(name="State", description="How the application is doing.")

blueprint = Blueprint(
    "documentation",
    __name__,
    static_folder=Path(str(files("flask_openapi3_swagger"))) / "templates" / "swagger",
    static_url_path=f"/static/swagger-{version('flask-openapi3-swagger')}",
)
"""With Swagger UI, of which only script and style sheet are used: the package's own page has inline scripts."""


def described_app(import_name: str) -> OpenAPI:
    """Return an application that describes the routes registered with `register_api`."""
    return OpenAPI(
        import_name,
        static_url_path=tagged_path(ROOT / "static"),
        info=INFO,
        security_schemes=SECURITY_SCHEMES,
        validation_error_status=HTTPStatus.BAD_REQUEST.value,
        validation_error_model=ProblemAnswer,
        validation_error_callback=refuse,
        doc_ui=False,  # the page below is as the content policy demands
    )


@blueprint.get("/api/openapi.json")
def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    return cast("OpenAPI", current_app).api_doc | {"servers": [{"url": request.script_root or "/"}]}


@blueprint.get("/api/docs")
def page() -> str:
    """Show a page to read about the API and to try it."""
    return render_template("api.html")


def described_blueprint(name: str, import_name: str, url_prefix: str | None = None) -> APIBlueprint:
    """Return a blueprint whose routes are described."""
    return APIBlueprint(
        name,
        import_name,
        url_prefix=url_prefix,
        abp_responses=problems(),
        abp_security=[{}, {"token": []}],  # without a token, where none is asked for
        operation_id_callback=lambda *, bp_name, name, **_: f"{bp_name}_{name}",
    )


def problems(*statuses: HTTPStatus) -> ResponseDict:
    """Describe error answers of a route, besides those that any route may give."""
    return dict.fromkeys((*EVERYWHERE, *statuses), ProblemAnswer)


def body(kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Describe a request's body that its route reads by itself."""
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema}}}}


def media(kind: str, description: str) -> dict[str, Any]:
    """Describe an answer that is not JSON."""
    return {"description": description, "content": {kind: {"schema": {"type": "string", "format": "binary"}}}}


PICTURE_PROBLEMS: Final = problems(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


def refuse(error: ValidationError) -> NoReturn:
    """Answer a request that does not fit its description.

    Raises:
        ApiError: Always.

    """
    first = error.errors()[0]
    name = ".".join(map(str, first["loc"]))
    if error.title == PictureForm.__name__ and name == "image":
        raise missing_file(name)
    if not name:
        raise ApiError(
            HTTPStatus.BAD_REQUEST, "bad_body", "The request's body must be a JSON object, as /api/docs shows."
        )
    given = "is missing" if first["type"] == "missing" else f"is {str(first['input'])[:40]!r}"
    raise ApiError(HTTPStatus.BAD_REQUEST, "bad_parameter", f"The parameter {name} {given}. {first['msg']}.")


def missing_file(field: str) -> ApiError:
    """Return the error of a form without its file."""
    if request.mimetype == "multipart/form-data":
        return ApiError(HTTPStatus.BAD_REQUEST, f"{field}_missing", f"There is no file in the field '{field}'.")
    message = f"Send multipart/form-data with a file in the field '{field}': curl -F {field}=@FILE ..."
    return ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "multipart_required", message)
