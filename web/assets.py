"""Static files: sent compressed, and kept by browsers until their content changes."""

import mimetypes
import re
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from flask import Flask, Response, request
from flask_compress import Compress

FOREVER: Final = "public, max-age=31536000, immutable"
_STATIC: Final = {"static", "documentation.static"}
_TAG_LENGTH: Final = 12
_IMPORT: Final = re.compile(r'^import [^"]*"(\.[^"]+)";', re.MULTILINE)
COMPRESSED: Final = [
    "text/html",
    "text/css",
    "text/javascript",
    "text/csv",
    "application/json",
    "image/svg+xml",
]
"""Streams are not among them: each part of one has to leave at once."""


TYPES: Final = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
}
"""Of our own files, whatever the system says: browsers run no script that is called plain text."""


def tagged_path(folder: Path) -> str:
    """Return the address of the static files, which changes with the content of any of them.

    The tag is a part of the path, so that scripts and style sheets find each other by relative addresses.
    """
    content = sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return f"/static/{content.hexdigest()[:_TAG_LENGTH]}"


def tag(content: bytes) -> str:
    """Return a part for the address of this content, which changes with it."""
    return sha256(content).hexdigest()[:_TAG_LENGTH]


@cache
def modules(entry: Path) -> tuple[Path, ...]:
    """Return the JavaScript modules that a module imports, directly or not, so that pages can ask for all at once."""
    found: dict[Path, None] = {}
    waiting = [entry.resolve()]
    while waiting:
        module = waiting.pop()
        for relative in _IMPORT.findall(module.read_text("utf-8")):
            path = (module.parent / relative).resolve()
            if path not in found:
                found[path] = None
                waiting.append(path)
    return tuple(found)


def register(app: Flask) -> None:
    """Compress what the application sends, give it its right type, and let static files be kept for good."""
    for suffix, kind in TYPES.items():
        mimetypes.add_type(kind, suffix)
    folder = Path(str(app.static_folder))
    app.jinja_env.globals["modules"] = lambda entry: [
        path.relative_to(folder).as_posix() for path in modules(folder / entry)
    ]
    app.config["COMPRESS_MIMETYPES"] = COMPRESSED
    Compress(app)

    @app.after_request
    def keep(response: Response) -> Response:
        if request.endpoint in _STATIC and response.status_code in {200, 206, 304}:
            response.headers["Cache-Control"] = FOREVER
            if response.mimetype in COMPRESSED:
                response.direct_passthrough = False
                response.make_sequence()  # as a whole, since the library has no gzip for files that are sent in parts
        return response
