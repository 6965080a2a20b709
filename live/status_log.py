"""Logs the state of a video source: each state and fault once, when it starts."""

import logging

from entities import SourceState, SourceStatus

log = logging.getLogger(__name__)


class StatusLog:
    """Logs each state and fault when it starts, not with every frame."""

    def __init__(self) -> None:
        self._status: tuple[str, SourceState, str] | None = None
        self._fault = ""

    def status(self, status: SourceStatus) -> None:
        """Log the source's state if it changed."""
        news = status.source, status.state, status.reason
        if self._status != news:
            self._status = news
            fault = status.state in (SourceState.RECONNECTING, SourceState.FAILED)
            log.log(
                logging.WARNING if fault else logging.INFO, "%s: %s. %s", status.source, status.state, status.reason
            )

    def fault(self, reason: str, error: Exception | None = None) -> None:
        """Log what went wrong, with a traceback if the error was not expected."""
        if self._fault != reason:
            self._fault = reason
            log.warning("%s", reason, exc_info=error)
