"""Every error in words: JSON for programs, a page for people."""

import re
from http import HTTPStatus
from typing import Final

from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from errors import FacialExpressionError, ImageError, ImageSizeError, ImageTypeError, ModelError, NotExplainedError
from web.access.redaction import without_folders

KNOWN: Final[dict[type[FacialExpressionError], tuple[HTTPStatus, str]]] = {
    ImageTypeError: (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_image"),
    ImageSizeError: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "image_too_large"),
    ImageError: (HTTPStatus.UNPROCESSABLE_ENTITY, "broken_image"),
    NotExplainedError: (HTTPStatus.NOT_IMPLEMENTED, "not_explained"),
    ModelError: (HTTPStatus.SERVICE_UNAVAILABLE, "model_unavailable"),
    FacialExpressionError: (HTTPStatus.BAD_REQUEST, "bad_request"),
}
"""Status and code of our own errors; the first that fits."""
MESSAGES: Final = {
    HTTPStatus.NOT_FOUND: "There is no page at this address.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not support that method.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong on the server. Try again; if that does not help, tell "
    "whoever runs the app.",
}
"""Our words for what Flask answers by itself."""


class ApiError(HTTPException):
    """An error with a code that programs can rely on, and a message for people."""

    def __init__(self, status: HTTPStatus, name: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = status
        self.error_name = name
        self.headers = headers or {}


def register(app: Flask, max_megabytes: float) -> None:
    """Answer all errors of the application in words; a picture may have `max_megabytes`."""

    def too_large(_: RequestEntityTooLarge) -> Response:
        return _own_error(
            ImageSizeError(f"The file is larger than the {max_megabytes:g} MB allowed. Send a smaller one.")
        )

    app.register_error_handler(RequestEntityTooLarge, too_large)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(FacialExpressionError, _own_error)


def _own_error(error: FacialExpressionError) -> Response:
    status, name = next(known for kind, known in KNOWN.items() if isinstance(error, kind))
    return answer(status, name, without_folders(str(error)))


def _http_error(error: HTTPException) -> Response:
    if error.response is not None or error.code is None:  # a redirect, or an answer that is complete
        return make_response(error.get_response())
    if isinstance(error, ApiError):
        response = answer(error.code, error.error_name, error.description or error.name)
        response.headers.update(error.headers)
        return response
    name = re.sub(r"\W+", "_", error.name.lower())
    response = answer(error.code, name, MESSAGES.get(HTTPStatus(error.code), error.description or error.name))
    # Such as Allow, which a 405 has to have.
    response.headers.extend((key, value) for key, value in error.get_headers() if key != "Content-Type")
    return response


def answer(status: int, name: str, message: str) -> Response:
    """Return an error as JSON for programs, as a page for people."""
    if _for_people():
        title = HTTPStatus(status).phrase
        response = make_response(render_template("error.html", status=status, title=title, message=message))
    else:
        response = jsonify(error={"code": name, "message": message})
    response.status_code = status
    return response


def _for_people() -> bool:
    """Browsers ask for text/html by name; programs do not."""
    return "text/html" in request.headers.get("Accept", "") and not request.path.startswith("/api/")
