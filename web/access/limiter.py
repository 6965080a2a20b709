"""Limiter at analysing pictures: few at a time, since each takes a processor and memory, and a short queue."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from typing import Final, Protocol

from flask import request

from web.access.visitors import network_of
from web.errors import ApiError
from web.serving.slots import Slots

AT_A_TIME: Final = 2


class Lockable(Protocol):
    """A lock."""

    def acquire(self, *, timeout: float) -> bool:
        """Take it within so many seconds, or return False."""
        ...

    def release(self) -> None:
        """Give it back."""
        ...


class Limiter:
    """Lets few at a time do something, and few more wait for it; half of those from one network.

    Args:
        most_waiting: How many may wait.

    """

    def __init__(self, most_waiting: int) -> None:
        self._free = threading.BoundedSemaphore(AT_A_TIME)
        self._waiting = Slots(most_waiting, most_waiting // 2)

    @contextmanager
    def acquire(self, timeout: float, lock: Lockable | None = None) -> Iterator[None]:
        """Wait so many seconds at most for a turn, and have it until the end.

        Args:
            timeout: Seconds.
            lock: Held as well, and taken first: who waits for a picture of their own takes nobody else's turn.

        Raises:
            ApiError: It did not come, or too many wait already.

        """
        network = network_of(request.remote_addr)
        if not self._waiting.take(network):
            raise _busy(timeout)
        with ExitStack() as stack:
            try:
                for each in (lock, self._free):
                    if each is None:
                        continue
                    if not each.acquire(timeout=timeout):
                        raise _busy(timeout)
                    stack.callback(each.release)
            finally:
                self._waiting.release(network)
            yield


def _busy(timeout: float) -> ApiError:
    text = "Too many pictures are being analysed. Try again soon."
    return ApiError(HTTPStatus.SERVICE_UNAVAILABLE, "busy", text, {"Retry-After": str(max(1, round(timeout / 5)))})
