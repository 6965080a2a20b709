"""The HTTP server: cheroot, with what long streams and unfriendly clients need besides.

cheroot has a thread for every client that is being served, which suits streams that wait most of the time; a client
that never reads ends with its socket's timeout, and idle connections take no thread.
"""

import errno
import logging
import socket
import time
from contextlib import suppress
from typing import Any, Final
from weakref import WeakSet

from cheroot import wsgi
from cheroot.makefile import MakeFile
from cheroot.server import HTTPConnection, HTTPRequest
from flask import Flask

from config import ServerSettings
from errors import ServerError

log = logging.getLogger(__name__)

TIMEOUT: Final = 10
"""Seconds without progress after which a client is dropped."""
SPARE_THREADS: Final = 32
"""For pages and calls, besides a video and an event stream for every viewer."""
SEND_BUFFER: Final = 64 * 1024
"""Bytes, a frame or two: what waits here is old by the time it is sent; a slow viewer should rather skip it."""
LINGER_SECONDS: Final = 2.0
MAX_HEADER: Final = 64 * 1024


class Request(HTTPRequest):
    """A request whose body may be refused before it was read."""

    def respond(self) -> None:
        """Answer, then hang up where the body was not read, once the client had a chance to read the answer."""
        super().respond()
        if self._unread and not self.chunked_read:
            _linger(self.conn.socket)

    def send_headers(self) -> None:
        """Send the headers, without reading the rest of the body first, as cheroot does, however much it is."""
        if self._unread:
            self.close_connection = True
        super().send_headers()

    @property
    def _unread(self) -> int:
        return int(getattr(self.rfile, "remaining", 0))


class Connection(HTTPConnection):
    """A connection that can be found again when the server stops."""

    RequestHandlerClass = Request

    def __init__(self, server: "Server", sock: socket.socket, makefile: Any = MakeFile) -> None:
        super().__init__(server, sock, makefile)
        server.connections.add(self)


class Server(wsgi.Server):
    """Serves an application to many streaming clients, and stops without waiting for them."""

    ConnectionClass = Connection
    keep_alive_conn_limit = 200
    max_request_header_size = MAX_HEADER

    def __init__(self, app: Flask, settings: ServerSettings) -> None:
        super().__init__(
            (settings.host, settings.port),
            app,
            numthreads=2 * settings.max_viewers + SPARE_THREADS,
            server_name="facial-expression-recognition",
            request_queue_size=256,
            timeout=TIMEOUT,
            shutdown_timeout=1,
        )
        self.connections: WeakSet[Connection] = WeakSet()
        self._bind_error: OSError | None = None

    def listen(self) -> None:
        """Take the port and start the threads.

        Raises:
            ServerError: The port is taken, or the address is not one of this computer's.

        """
        try:
            self.prepare()
        except OSError as error:
            raise ServerError(self._why_not(self._bind_error or error)) from error
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)  # its connections inherit this

    def bind(self, *args: Any) -> socket.socket:
        """Keep the reason why the address cannot be taken, which cheroot puts into words of its own."""
        try:
            return super().bind(*args)
        except OSError as error:
            self._bind_error = error
            raise

    def _why_not(self, error: OSError) -> str:
        host, port = self.bind_addr
        if error.errno == errno.EADDRINUSE:
            hint = " (on a Mac, AirPlay Receiver takes it)" if port == 5000 else ""
            return f"Port {port} is in use{hint}. Stop what uses it, or choose another: --port {port + 1}."
        if error.errno == errno.EACCES:
            return f"Port {port} is not allowed to ordinary users. Choose one above 1023: --port 8080."
        return f"Cannot listen on {host} ({error.strerror}). Use --host 127.0.0.1, or --host 0.0.0.0 for all networks."

    def stop(self) -> None:
        """Hang up on everybody, and end all threads."""
        for connection in list(self.connections):
            with suppress(OSError):
                connection.socket.shutdown(socket.SHUT_RDWR)
        super().stop()

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """Log what cheroot has to say."""
        log.log(level if level >= logging.WARNING else logging.DEBUG, "%s", msg, exc_info=traceback)


def _linger(sock: socket.socket) -> None:
    """Read on for a moment: a connection that is closed on unread data loses the answer on its way."""
    deadline = time.monotonic() + LINGER_SECONDS
    with suppress(OSError):
        sock.shutdown(socket.SHUT_WR)
        sock.settimeout(LINGER_SECONDS)
        while time.monotonic() < deadline and sock.recv(65536):
            pass
