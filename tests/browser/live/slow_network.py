"""A network that is slow: a proxy on loopback that lets few bytes through at a time, and each only after a while."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Queue
from urllib.parse import urlsplit

CHUNK = 1500
"""Bytes of a packet."""
BUFFER = 16
"""Packets that a router keeps for a connection before its sender has to wait."""

SLACK_SECONDS = 0.02
"""By so much threads may wake too late without making the line slower."""


class _Line:
    """One direction of the line, which all connections share."""

    def __init__(self, bytes_a_second: float) -> None:
        self._rate = bytes_a_second
        self._free_at = 0.0
        self._lock = threading.Lock()

    def carry(self, size: int) -> None:
        """Wait until the line has carried so many bytes."""
        with self._lock:
            self._free_at = max(self._free_at, time.monotonic() - SLACK_SECONDS) + size / self._rate
            ready = self._free_at
        time.sleep(max(0.0, ready - time.monotonic()))


def _forward(source: socket.socket, target: socket.socket, line: _Line, delay: float) -> None:
    """Carry what one end sends to the other, `delay` seconds later."""
    under_way: Queue[tuple[float, bytes]] = Queue(BUFFER + int(delay * 1000))

    def deliver() -> None:
        while True:
            due, data = under_way.get()
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                if not data:
                    target.shutdown(socket.SHUT_WR)
                    return
                target.sendall(data)
            except OSError:  # who should have read it has hung up, and the sender has to learn of that
                with suppress(OSError):
                    source.shutdown(socket.SHUT_RDWR)

    threading.Thread(target=deliver, daemon=True).start()
    while True:
        try:
            data = source.recv(CHUNK)
        except OSError:
            data = b""
        if data:
            line.carry(len(data))
        under_way.put((time.monotonic() + delay, data))
        if not data:
            return


@contextmanager
def slow_network(address: str, *, kbit: float, round_trip: float) -> Iterator[str]:
    """Give an address that leads to the server at `address` over a line of `kbit`/s with this round trip in seconds."""
    host, port = urlsplit(address).hostname, urlsplit(address).port
    up, down = _Line(kbit * 125), _Line(kbit * 125)
    connections: list[socket.socket] = []
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.socket()
                server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * CHUNK)
                server.connect((host, port))
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connections.extend((client, server))
                for source, target, line in ((client, server, up), (server, client, down)):
                    threading.Thread(target=_forward, args=(source, target, line, round_trip / 2), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        listener.close()
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
