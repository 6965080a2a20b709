"""The HTTP server: cheroot, with what long streams and unfriendly clients need besides.

cheroot has a thread for every client that is being served, which suits streams that wait most of the time; a client
that never reads ends with its socket's timeout, one that takes for ever to ask is hung up on, and idle connections
take no thread.
"""

import errno
import logging
import math
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import DEFAULT_BUFFER_SIZE
from threading import Event, Lock, Thread
from typing import Any, Final
from weakref import WeakSet

from cheroot import wsgi
from cheroot.makefile import MakeFile
from cheroot.server import HTTPConnection, HTTPRequest
from cheroot.ssl import Adapter
from cheroot.workers.threadpool import ThreadPool, WorkerThread
from flask import Flask

from config import ServerSettings
from errors import ServerError

log = logging.getLogger(__name__)

TIMEOUT: Final = 10
"""Seconds without progress after which a client is dropped; also what handshake and headers may take in all."""
CROWDED_TIMEOUT: Final = 1.0
"""Seconds that handshake and headers may take while no thread is left for others."""
CHECK_SECONDS: Final = 0.5
"""How often clients that are late are looked for."""
IDLE_THREADS: Final = 16
"""Threads that wait for connections when nobody is there: enough for a page and its calls."""
SPARE_THREADS: Final = 32
"""For pages and calls, besides a video and an event stream for every viewer."""
SEND_BUFFER: Final = 64 * 1024
"""Bytes, a frame or two: what waits here is old by the time it is sent; a slow viewer should rather skip it."""
LINGER_SECONDS: Final = 2.0
MAX_HEADER: Final = 64 * 1024


class Request(HTTPRequest):
    """A request whose headers have to come in time, and whose body may be refused before it was read."""

    def parse_request(self) -> None:
        """Read the request's first line and its headers."""
        with self.conn.asking():
            super().parse_request()

    def respond(self) -> None:
        """Answer, then hang up where the body was not read, once the client had a chance to read the answer."""
        super().respond()
        if self._unread:
            _linger(self.conn.socket)

    def send_headers(self) -> None:
        """Send the headers, without reading the rest of the body first, as cheroot does, however much it is."""
        if self._unread:
            self.close_connection = True
        super().send_headers()

    @property
    def _unread(self) -> bool:
        """Whether some of the body may still be to come."""
        if self.chunked_read:
            return not self.rfile.closed  # which reading to its end does
        return getattr(self.rfile, "remaining", 0) > 0


class Connection(HTTPConnection):
    """A connection that can be found again when the server stops, or waits for it in vain."""

    RequestHandlerClass = Request

    def __init__(self, server: "Server", sock: socket.socket, makefile: Any = MakeFile) -> None:
        super().__init__(server, sock, makefile)
        self._greeted = not isinstance(sock, ssl.SSLSocket)
        self.asking_since = math.inf
        """Since when, by the monotonic clock, a thread has waited for handshake or headers; infinity if none does."""
        server.keep_in_mind(self)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Let the server hang up if this takes too long, however steadily bytes come."""
        self.asking_since = time.monotonic()
        try:
            yield
        finally:
            self.asking_since = math.inf

    def close(self) -> None:
        """End, and with it the threads that are idle then beyond those that always wait."""
        super().close()
        self.server.end_idle_threads()

    def hang_up(self) -> None:
        """Wake whoever reads from the connection or writes to it, with an end of file or an error."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def communicate(self) -> bool:
        """Answer the next request; agree on the encryption before the first one."""
        if not self._greeted:
            try:
                with self.asking():
                    self.socket.do_handshake()
            except OSError as error:  # ssl.SSLError is one; browsers that distrust the certificate just hang up
                if getattr(error, "reason", None) == "HTTP_REQUEST":
                    _say_https(self.socket)
                return False
            self._greeted = True
        return bool(super().communicate())  # type: ignore[no-untyped-call]  # cheroot's stub has none


class _TLS(Adapter):
    """Encrypts connections, on the threads that serve them.

    cheroot's own adapters agree with each client before the next is accepted: a silent one would hold up everybody.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context

    def bind(self, sock: socket.socket) -> socket.socket:
        """Return the socket that listens, as it is."""
        return sock

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, str]]:
        """Return the connection, not yet agreed upon, and what the application is told about it."""
        return self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False), self.get_environ()

    def get_environ(self) -> dict[str, str]:
        """Return what the application is told about each request."""
        return {"wsgi.url_scheme": "https", "HTTPS": "on"}

    def makefile(self, sock: socket.socket, mode: str = "r", bufsize: int = DEFAULT_BUFFER_SIZE) -> Any:
        """Return the connection as a file."""
        return MakeFile(sock, mode, bufsize)


class _Threads(ThreadPool):
    """Threads that serve connections, more or fewer as they are needed."""

    _threads: list[WorkerThread]

    def grow(self, amount: int) -> None:
        """Start so many more, or as many as are allowed.

        cheroot's own would wait until it has seen each at work. One that is told at once to end, because others have
        just become idle, it would wait for in vain, and accept no more connections.
        """
        amount = min(amount, self.max - len(self._threads))
        workers = [WorkerThread(self.server) for _ in range(amount)]  # type: ignore[no-untyped-call]
        for worker in workers:
            worker.start()
        self._threads.extend(workers)


class Server(wsgi.Server):
    """Serves an application to many streaming clients, and stops without waiting for them."""

    ConnectionClass = Connection
    keep_alive_conn_limit = 200
    max_request_header_size = MAX_HEADER

    def __init__(self, app: Flask, settings: ServerSettings, context: ssl.SSLContext | None = None) -> None:
        super().__init__(
            (settings.host, settings.port),
            app,
            server_name="facial-expression-recognition",
            request_queue_size=256,
            timeout=TIMEOUT,
            shutdown_timeout=1,
        )
        self.requests = _Threads(self, min=IDLE_THREADS, max=2 * settings.max_viewers + SPARE_THREADS)
        self._clients: WeakSet[Connection] = WeakSet()
        self._stopping = Event()
        self._lock = Lock()
        self._bind_error: OSError | None = None
        if context:
            self.ssl_adapter = _TLS(context)

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
        Thread(target=self._watch, name="slow-clients", daemon=True).start()

    def process_conn(self, conn: HTTPConnection) -> None:
        """Hand a connection to a thread; there are always some for the next ones."""
        super().process_conn(conn)
        with self._lock:
            if self.requests.idle - self.requests.qsize < IDLE_THREADS // 2:
                self.requests.grow(IDLE_THREADS)

    def end_idle_threads(self) -> None:
        """End those beyond the usual, soon the caller among them: each that ever served a stream holds memory."""
        with self._lock:
            self.requests.shrink(self.requests.idle + 1 - IDLE_THREADS)

    def keep_in_mind(self, connection: Connection) -> None:
        """Hang up on a connection when the server stops; at once, where it is about to."""
        with self._lock:
            self._clients.add(connection)
            if self._stopping.is_set():
                connection.hang_up()

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
        with self._lock:
            self._stopping.set()
            for connection in self._clients:
                connection.hang_up()
        super().stop()

    def _watch(self) -> None:
        """Hang up on clients that take too long to ask, until the server stops."""
        while not self._stopping.wait(CHECK_SECONDS):
            with self._lock:
                patience = self.timeout if self.requests.idle else CROWDED_TIMEOUT
                latest = time.monotonic() - patience
                for connection in self._clients:
                    if connection.asking_since < latest:
                        connection.hang_up()

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


def _say_https(sock: socket.socket) -> None:
    """Tell a client in plain words that it has to encrypt."""
    words = b"This address begins with https://, not http://.\n"
    plain = socket.socket(fileno=sock.fileno())
    with suppress(OSError):
        plain.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n")
        plain.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(words), words))
    plain.detach()
