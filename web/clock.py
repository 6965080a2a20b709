"""The clock by which frames are timed: it rises by what passes, however the system's clock jumps."""

import time
from typing import Final

_START: Final = time.time() - time.monotonic()


def steady(moment: float) -> float:
    """Return a moment of the monotonic clock in seconds since 1970, as the system's clock was when the app started."""
    return round(_START + moment, 3)


def as_set(moment: float) -> float:
    """Return a moment of the monotonic clock in seconds since 1970, as the system's clock is set now."""
    return round(time.time() - time.monotonic() + moment, 3)
