"""Who may come in, and what browsers are told to refuse."""

import hmac
import ipaddress
import secrets
from http import HTTPStatus
from posixpath import normpath
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from config import Settings
from web.errors import ApiError

COOKIE: Final = "fer_token"
LOOKS: Final = ("css/", "icons/", "js/page/theme.js")
"""Static files that are served without a token, so that the page that asks for it is one to look at."""
SAFE_METHODS: Final = {"GET", "HEAD", "OPTIONS"}
CONTENT_POLICY: Final = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
WORKERS: Final = ("js/private/", "vendor/onnxruntime-web/")
"""Static files that run in workers of their own, and alone may compile WebAssembly."""
WORKER_POLICY: Final = f"{CONTENT_POLICY}; script-src 'self' 'wasm-unsafe-eval'"
HEADERS: Final = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Cross-Origin-Embedder-Policy": "require-corp",  # with the next, pages are isolated, and workers may have threads
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), fullscreen=(self), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",  # "no-referrer" would also hide the Origin that is checked below
    "X-Content-Type-Options": "nosniff",
}


def is_loopback(host: str) -> bool:
    """Whether a host's name or address can only mean this computer."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def with_token(settings: Settings) -> Settings:
    """Return the settings with an access token, made up where one is required and none set."""
    server = settings.server
    if server.token or (is_loopback(server.host) and not server.proxies):
        return settings
    return settings.model_copy(update={"server": server.model_copy(update={"token": secrets.token_urlsafe(24)})})


def register(app: Flask, token: str | None) -> None:
    """Check every request of the application, static files but LOOKS included, and set headers on every answer."""

    @app.before_request
    def check() -> AnyResponse | None:
        _check_origin()
        if token is None:
            _check_host()
        elif not _is_static(LOOKS):
            return _check_token(token)
        return None

    @app.after_request
    def set_headers(response: Response) -> Response:
        response.headers.update(HEADERS)
        if _is_static(WORKERS):
            response.headers["Content-Security-Policy"] = WORKER_POLICY
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
        return response


def _is_static(folders: tuple[str, ...]) -> bool:
    return request.endpoint == "static" and normpath((request.view_args or {})["filename"]).startswith(folders)


def _check_host() -> None:
    """Without a token only loopback is safe; other names reach it through DNS rebinding."""
    if not is_loopback(urlsplit(f"//{request.host}").hostname or ""):
        raise ApiError(
            HTTPStatus.FORBIDDEN,
            "host_not_allowed",
            "Without an access token this application answers to localhost and 127.0.0.1 only. "
            "Set server.token in config.toml to reach it by another name.",
        )


def _check_origin() -> None:
    """Refuse what another site's page sends, or embeds; links to our pages may come from anywhere.

    This is a resource isolation policy (https://web.dev/articles/fetch-metadata). Browsers send Sec-Fetch-Site to
    HTTPS and localhost only, hence the check of Origin besides. Programs send neither.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is None:
        allowed = request.method in SAFE_METHODS or request.origin in {None, request.host_url.rstrip("/")}
    else:
        link = request.method == "GET" and request.headers.get("Sec-Fetch-Dest") == "document"
        allowed = site in {"same-origin", "none"} or link
    if not allowed:
        raise ApiError(HTTPStatus.FORBIDDEN, "cross_origin", "Requests from other sites are not allowed.")


def _check_token(token: str) -> AnyResponse | None:
    """Let in who has the token: in a header, in the cookie, or in the address, which sets the cookie."""

    def matches(given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())

    if matches(request.args.get("token", "")):
        return _into_cookie(token) if "text/html" in request.headers.get("Accept", "") else None
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    if (scheme.lower() == "bearer" and any(map(matches, _readings(bearer.strip(" \t"))))) or matches(
        request.cookies.get(COOKIE, "")
    ):
        return None
    raise ApiError(
        HTTPStatus.UNAUTHORIZED,
        "token_required",
        "An access token is required. Open the address that the application printed when it started, "
        "or send the header Authorization: Bearer TOKEN.",
        {"WWW-Authenticate": "Bearer"},
    )


def _readings(header: str) -> list[str]:
    """Return what a header's bytes may mean, which WSGI takes for Latin-1: programs write other letters in UTF-8."""
    try:
        return [header, header.encode("latin-1").decode("utf-8")]
    except UnicodeError:
        return [header]


def _into_cookie(token: str) -> AnyResponse:
    """Move the token from the address, which is seen and shared, into a cookie."""
    rest = [(key, value) for key, value in request.args.items(multi=True) if key != "token"]
    # Never //another.host, nor what browsers take for it: they read \\ as /, and leave out tabs and line ends.
    path = f"{request.script_root}/" + quote(request.path.lstrip("/"))
    response = redirect(f"{path}?{urlencode(rest)}" if rest else path)
    # "Strict" would not come with a link from a mail or another site; what else they send, _check_origin refuses.
    response.set_cookie(
        COOKIE, token, path=request.script_root or "/", httponly=True, samesite="Lax", secure=request.is_secure
    )
    return response
