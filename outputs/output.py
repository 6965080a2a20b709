"""What an output is: one protocol by which the figures of live video reach other programs."""

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from entities import Face, FrameResult, SourceState

log = logging.getLogger(__name__)

CLOSING: Final = 0.5
"""Seconds that `close` waits for what is on its way."""

OutputState = Literal["connecting", "connected", "reconnecting"]


@dataclass(frozen=True, slots=True)
class OutputStatus:
    """Where an output stands, or what comes in beside it."""

    name: str
    """In words: "OSC to 127.0.0.1:9000"."""
    state: OutputState
    reason: str = ""
    """Why it is not connected, or what to do; empty where there is nothing to say."""


class Session(Protocol):
    """A receiver that is reached. Used by one thread only.

    All but `close` raise OutputError or OSError where the receiver is not there any more.
    """

    def send(self, frame: FrameResult) -> None:
        """Send a frame's faces, of which there may be none."""
        ...

    def tell(self, state: SourceState) -> None:
        """Say that the camera is in another state now."""
        ...

    def check(self) -> str:
        """Return what there is to say about the receiver, mostly nothing."""
        ...

    def close(self) -> None:
        """Hang up, whatever state it is in."""
        ...


@dataclass(frozen=True, slots=True)
class Output:
    """One receiver by one protocol."""

    name: str
    """In words, with the receiver: "OSC to 127.0.0.1:9000"."""
    rate: float
    """Frames a second that it takes at most."""
    open: Callable[[], Session]
    """Reaches the receiver; raises OutputError or OSError where that cannot be."""


class Connection(ABC):
    """What runs an output, or an input of the same kind, on a thread of its own, and says where it stands."""

    def __init__(self, name: str) -> None:
        self.status = OutputStatus(name, "connecting")
        """Where it stands."""
        self.sent = 0
        """Frames, or markers, that went through."""
        self.dropped = 0
        """Frames that were not, as the receiver was not there, or too slow; what a rate leaves out is none."""
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

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
        status = OutputStatus(self.status.name, state, reason)
        if status != self.status:
            log.log(level, "%s: %s. %s", status.name, status.state, status.reason, exc_info=unexpected)
            self.status = status


def shown_expression(face: Face) -> str:
    """Return what the page says of a face: one of EXPRESSIONS, or "Uncertain"."""
    return "Uncertain" if face.uncertain else face.expression
