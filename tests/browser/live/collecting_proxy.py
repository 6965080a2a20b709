"""A proxy that passes an answer on only once it has all of it, as some proxies and virus scanners do."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@contextmanager
def collecting_proxy(address: str) -> Iterator[str]:
    """Serve on loopback what is at an address; give the proxy's own."""
    upstream = urlsplit(address).netloc

    class Collect(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            connection = HTTPConnection(upstream)
            connection.request("GET", self.path, headers={"Accept": self.headers.get("Accept", "*/*")})
            try:
                answer = connection.getresponse()
                body = answer.read()
            except (OSError, HTTPException):
                return  # the server has ended
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    class Proxy(ThreadingHTTPServer):
        daemon_threads, block_on_close = True, False

        def handle_error(self, *_: Any) -> None:
            """Let browsers go that wait no longer."""

    with Proxy(("127.0.0.1", 0), Collect) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{proxy.server_port}/"
        proxy.shutdown()
