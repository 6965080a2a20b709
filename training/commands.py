"""How commands that train end."""

import sys
from collections.abc import Callable

from errors import FacialExpressionError


def exit_status(work: Callable[[], object]) -> int:
    """Do the work of a command; return 0, 1 where it failed, 130 where it was stopped, with what to do in words."""
    try:
        work()
    except FacialExpressionError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command carries on after the last finished epoch.", file=sys.stderr)
        return 130
    return 0
