"""The HTTP server: cheroot, with what long streams and unfriendly clients need besides.

cheroot has a thread for every client that is being served, which suits streams that wait most of the time. So that
nobody can take all threads: clients that are slow to ask, send or read are dropped (see `patience`), sooner when
threads run short; bodies are read for a limited number of clients at a time; and idle connections take no thread.
"""

import errno
import logging
import math
import socket
import ssl
import time
from contextlib import suppress
from http import HTTPStatus
from io import DEFAULT_BUFFER_SIZE
from threading import Event, Lock, Semaphore
from typing import Any, Final
from weakref import WeakSet

from cheroot import wsgi
from cheroot.makefile import MakeFile, StreamReader
from cheroot.server import HTTPConnection, HTTPRequest
from cheroot.ssl import Adapter
from cheroot.workers.threadpool import ThreadPool, WorkerThread
from flask import Flask, has_request_context, request

from config import ServerSettings
from errors import ServerError
from web.access.visitors import network_of
from web.errors import ApiError
from web.serving.slots import Slots
from web.serving.timeouts import Deadline, DeadlineSocket, Timeouts

log = logging.getLogger(__name__)

TIMEOUT: Final = 10
"""Seconds without progress after which a client is dropped; also what handshake and headers may take in all."""
MIN_RATE: Final = 16 * 1024
"""Lowest average rate of a body, in bytes a second."""
CROWDED_TIMEOUT: Final = 0.5
"""The same as TIMEOUT, while no thread, or no place for a body, is left for others."""
CROWDED_RATE: Final = 64 * 1024
"""Lowest rate at which an answer has to be read while no thread is left for others, in bytes a second."""
IDLE_THREADS: Final = 16
"""Threads that wait for connections when nobody is there: enough for a page and its calls."""
SPARE_THREADS: Final = 32
"""For pages and calls, besides a video and an event stream for every viewer, bodies, and those that wait for a turn."""
SPARE_BODIES: Final = 16
"""Bodies that are read at a time besides one for every viewer, who may show their own camera."""
SEND_BUFFER: Final = 64 * 1024
"""Bytes, a frame or two: what waits here is old by the time it is sent; a slow viewer should rather skip it."""
LINGER_SECONDS: Final = 2.0
MAX_LINGERING: Final = 8
MAX_HEADER: Final = 64 * 1024
MAX_CHUNK: Final = 8 * 1024 * 1024
"""Bytes that are read at once: cheroot takes each chunk of a chunked body into memory whole."""


class _Reader(StreamReader):
    """Reads from a connection, never without a limit."""

    def read(self, size: int | None = None) -> bytes:
        """Return so many bytes; fewer at the end only."""
        if size is None or not 0 <= size <= MAX_CHUNK:
            raise OSError(f"{size} bytes are too many to be read at once")
        return bytes(super().read(size))  # type: ignore[no-untyped-call]  # cheroot's stub has none

    def readline(self, size: int | None = None) -> bytes:
        """Return a line, or as much of it as is allowed."""
        return bytes(super().readline(size if size and size > 0 else MAX_HEADER))


class Request(HTTPRequest):
    """A request whose headers have to come in time, and whose body may be refused before it was read."""

    def parse_request(self) -> None:
        """Read the request's first line and its headers."""
        self.conn.wait_for_request()
        super().parse_request()
        if self.ready and not self.inheaders.get(b"Content-Length", b"0").isdigit():
            self.simple_response("400 Bad Request", "Content-Length must be a number.")
            self.ready = False

    def respond(self) -> None:
        """Answer, then hang up where the body was not read, once the client had a chance to read the answer."""
        self.conn.wait_for_body()
        try:
            super().respond()
        finally:
            self.conn.end_body()
        if self._unread:
            self.server.drain(self.conn.socket)

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
    """A connection that can be found again when the server stops, and whose client may take only so long."""

    RequestHandlerClass = Request

    def __init__(self, server: "Server", sock: socket.socket, makefile: Any = None) -> None:  # noqa: ARG002
        super().__init__(server, DeadlineSocket(sock), _make_file)
        self._greeted = not isinstance(sock, ssl.SSLSocket)
        self._network: str | None = None  # while a body is waited for
        self.wait_for_request()
        server.track(self)

    def wait_for_request(self) -> None:
        """Begin to wait for a request, and for its answer to be taken."""
        self.socket.reading = Deadline(self._patience_to_hear)
        self.socket.writing = Deadline(self._patience_to_answer)

    def wait_for_body(self) -> None:
        """Begin to wait for a body, as soon as more of it is asked for than came with the headers."""
        self.socket.reading = Deadline(self._patience_for_body, self._begin_body, _too_slow)

    def end_body(self) -> None:
        """Leave the place among those whose bodies are waited for to somebody else."""
        if self._network is not None:
            self.server.bodies.release(self._network)
            self._network = None

    def close(self) -> None:
        """End, and with it the threads that are idle then beyond those that always wait."""
        super().close()
        self.server.end_idle_threads()

    def shutdown_connection(self) -> None:
        """Wake whoever reads from the connection or writes to it, with an end of file or an error."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def communicate(self) -> bool:
        """Answer the next request; agree on the encryption before the first one."""
        if not self._greeted:
            try:
                Deadline(self._patience_to_hear).for_step(self._shake_hands)
            except OSError as error:  # ssl.SSLError is one; browsers that distrust the certificate just hang up
                if getattr(error, "reason", None) == "HTTP_REQUEST":
                    _say_https(self.socket)
                return False
            self._greeted = True
        return bool(super().communicate())  # type: ignore[no-untyped-call]  # cheroot's stub has none

    def _shake_hands(self) -> int:
        self.socket.do_handshake()
        return 0

    def _patience_to_hear(self) -> Timeouts:
        seconds = CROWDED_TIMEOUT if self.server.crowded else self.server.timeout
        return Timeouts(seconds, seconds, rate=math.inf)

    def _patience_to_answer(self) -> Timeouts:
        if self.server.crowded:
            return Timeouts(CROWDED_TIMEOUT, CROWDED_TIMEOUT, CROWDED_RATE)
        return Timeouts(self.server.timeout, math.inf, math.inf)

    def _patience_for_body(self) -> Timeouts:
        seconds = CROWDED_TIMEOUT if self.server.bodies.full(self._network or "") else self.server.timeout
        return Timeouts(seconds, seconds, MIN_RATE)

    def _begin_body(self) -> None:
        """Take a place among those whose bodies are waited for.

        Raises:
            ApiError: None is left.

        """
        # The application knows whom a trusted proxy speaks for.
        network = network_of(request.remote_addr if has_request_context() else self.remote_addr)
        if not self.server.bodies.take(network):
            text = "Too many pictures and videos are on their way. Try again soon."
            raise ApiError(HTTPStatus.SERVICE_UNAVAILABLE, "busy", text, {"Retry-After": "2"})
        self._network = network


def _too_slow() -> ApiError:
    text = "What you send comes too slowly. Send something smaller, or try again over a faster connection."
    return ApiError(HTTPStatus.REQUEST_TIMEOUT, "too_slow", text)


def _make_file(sock: Any, mode: str, size: int) -> Any:
    return _Reader(sock, mode, size) if "r" in mode else MakeFile(sock, mode, size)


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

        cheroot's own would wait until it has seen each at work. It would wait forever for a thread that is told at once
        to end, because others have just become idle, and accept no more connections.
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
        most_bodies = settings.max_viewers + SPARE_BODIES
        most = 2 * settings.max_viewers + 2 * most_bodies + SPARE_THREADS
        self.requests = _Threads(self, min=IDLE_THREADS, max=most)
        self.bodies = Slots(most_bodies, most_bodies // 2)
        """Clients whose bodies are waited for; one network's may take half of the places."""
        self._lingering = Semaphore(MAX_LINGERING)
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

    @property
    def crowded(self) -> bool:
        """Whether no thread is left for the next client."""
        return not self.requests.idle

    def drain(self, sock: socket.socket) -> None:
        """Read on for a moment: a connection that is closed on unread data loses the answer on its way."""
        if self._lingering.acquire(blocking=False):
            try:
                _read_on(sock)
            finally:
                self._lingering.release()

    def process_conn(self, conn: HTTPConnection) -> None:
        """Hand a connection to a thread; there are always some for the next ones."""
        super().process_conn(conn)
        with self._lock:
            if self.requests.idle - self.requests.qsize < IDLE_THREADS // 2:
                self.requests.grow(IDLE_THREADS)

    def end_idle_threads(self) -> None:
        """End idle threads beyond IDLE_THREADS, soon the caller among them: each that served a stream holds memory."""
        with self._lock:
            self.requests.shrink(self.requests.idle + 1 - IDLE_THREADS)

    def track(self, connection: Connection) -> None:
        """Remember a connection, to be closed when the server stops, or now if it is stopping."""
        with self._lock:
            self._clients.add(connection)
            if self._stopping.is_set():
                connection.shutdown_connection()

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
                connection.shutdown_connection()
        super().stop()

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """Log what cheroot has to say."""
        log.log(level if level >= logging.WARNING else logging.DEBUG, "%s", msg, exc_info=traceback)


def _read_on(sock: socket.socket) -> None:
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
