"""How long a client may keep us waiting: for its request, its body, and until it has taken its answer."""

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

CHECK_SECONDS: Final = 0.25
"""Longest wait for a socket before it is asked again whether the client may take any longer."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How slow a client may be."""

    silence: float
    """Seconds in which nothing moves."""
    start: float
    """Seconds in all, before any byte has moved."""
    rate: float
    """Bytes a second that have to move after that; for each byte there is so much more time."""

    def ends(self, silence: float, waited: float, moved: int) -> bool:
        """Whether a client that was waited for so long took too much time."""
        return silence > self.silence or waited > self.start + moved / self.rate


class Deadline:
    """What one client took so far for one thing; only time that is spent waiting for the client counts.

    Args:
        patience: Asked again and again, since it may be less where the server is crowded.
        begin: Called before the socket is first used; may raise an error instead.
        late: Makes the error of a client that takes too long.

    """

    def __init__(
        self,
        patience: Callable[[], Timeouts],
        begin: Callable[[], None] | None = None,
        late: Callable[[], Exception] = partial(TimeoutError, "timed out"),  # noqa: B008 - cheroot knows these words
    ) -> None:
        self._patience = patience
        self._begin = begin
        self._late = late
        self._silence = self._waited = self._checked = 0.0
        self._moved = 0

    def for_step(self, step: Callable[[], int]) -> int:
        """Return how many bytes `step` moves through a socket whose timeout is CHECK_SECONDS, tried until it does.

        Raises:
            TimeoutError: Or what `late` makes: the client took too long.

        """
        if self._begin:
            self._begin()
            self._begin = None
        while (moved := self._try(step)) is None:
            pass
        return moved

    def _try(self, step: Callable[[], int]) -> int | None:
        """Return what the step returns; None where it has to be tried again."""
        moved = None
        began = time.monotonic()
        with suppress(TimeoutError):
            moved = step()
        waited = time.monotonic() - began
        self._waited += waited
        self._silence = 0.0 if moved else self._silence + waited
        self._moved += moved or 0
        if self._waited - self._checked >= CHECK_SECONDS:
            self._checked = self._waited
            if self._patience().ends(self._silence, self._waited, self._moved):
                raise self._late()
        return moved


class DeadlineSocket:
    """A socket whose client may take only so long, in each direction, for what is waited for at the moment.

    Args:
        sock: Gets a short timeout, so that the client's time can be looked at again and again.

    """

    reading: Deadline
    writing: Deadline

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(CHECK_SECONDS)
        self._sock = sock

    def __getattr__(self, name: str) -> Any:
        """Be like the socket in all else."""
        return getattr(self._sock, name)

    def recv_into(self, buffer: Any) -> int:
        """Receive what is there, or comes in time; 0 bytes at the end."""
        return self.reading.for_step(lambda: self._sock.recv_into(buffer))

    def send(self, data: Any) -> int:
        """Send what the client takes in time; return how many bytes that is."""
        return self.writing.for_step(lambda: self._sock.send(data))
