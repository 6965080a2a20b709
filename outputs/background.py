"""What runs an output, or an input of the same kind, on a thread of its own, and says where it stands."""

import logging
import threading
from abc import ABC, abstractmethod
from typing import Final

from outputs.output import OutputState, OutputStatus

log = logging.getLogger(__name__)

CLOSING: Final = 0.5
"""Seconds that `close` waits for what is on its way."""


class Background(ABC):
    """A thread, what it has passed on, and whether the other side is reached."""

    def __init__(self, name: str) -> None:
        self._status = OutputStatus(name, "connecting")
        self._sent = 0
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def status(self) -> OutputStatus:
        """Where it stands."""
        return self._status

    @property
    def sent(self) -> int:
        """Frames, or markers, that went through."""
        return self._sent

    def start(self) -> None:
        """Begin, and go on until it is closed."""
        self._thread.start()

    def close(self) -> None:
        """End soon."""
        self._closed.set()
        if self._thread.ident is not None:
            self._thread.join(CLOSING)

    @abstractmethod
    def _run(self) -> None:
        """Work until it is closed."""

    def _set(
        self, state: OutputState, reason: str, *, level: int = logging.INFO, unexpected: Exception | None = None
    ) -> None:
        """Note where it stands, and log it if that has changed, with the traceback of an error that is not expected."""
        status = OutputStatus(self._status.name, state, reason)
        if status != self._status:
            log.log(level, "%s: %s. %s", status.name, status.state, status.reason, exc_info=unexpected)
            self._status = status
