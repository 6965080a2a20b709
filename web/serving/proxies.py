"""The application behind a reverse proxy: below a path, and with what the proxy tells about each visitor."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

from config import ServerSettings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def behind_proxies(app: "WSGIApplication", settings: ServerSettings) -> "WSGIApplication":
    """Return the application as the settings say that visitors reach it.

    Of the headers, only X-Forwarded-For and X-Forwarded-Proto are read. The host is taken from Host, and the path from
    the settings: a proxy that did not set those two headers would let visitors choose them.
    """
    if settings.prefix:
        app = Prefix(app, settings.prefix)
    if settings.proxies:
        app = ProxyFix(app, x_for=settings.proxies, x_proto=settings.proxies)
    return app


class Prefix:
    """Puts an application below a path, whether the proxy takes that path off or not."""

    def __init__(self, app: "WSGIApplication", prefix: str) -> None:
        self._app, self._prefix = app, prefix

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request."""
        rest = environ["PATH_INFO"].removeprefix(self._prefix)
        if rest[:1] in {"", "/"}:
            environ["PATH_INFO"] = rest or "/"
        environ["SCRIPT_NAME"] = self._prefix
        return self._app(environ, start_response)
