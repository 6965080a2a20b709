"""Places for those who are being served, up to a limit."""

import threading
from collections import Counter


class Slots:
    """Counts who is being served.

    Args:
        limit: How many may be at once.
        limit_each: How many of them may have the same key, such as a client's network; as many by default.

    """

    def __init__(self, limit: int, limit_each: int | None = None) -> None:
        self.limit = limit
        self._limit_each = limit_each
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        """How many are being served."""
        return self._taken.total()

    def full(self, key: str = "") -> bool:
        """Whether one more with this key would be turned away."""
        with self._lock:
            return self._full(key)

    def take(self, key: str = "") -> bool:
        """Take a slot; return False where none is left."""
        with self._lock:
            if self._full(key):
                return False
            self._taken[key] += 1
            return True

    def release(self, key: str = "") -> None:
        """Give a slot back."""
        with self._lock:
            self._taken[key] -= 1
            if not self._taken[key]:
                del self._taken[key]

    def _full(self, key: str) -> bool:
        most_each = self.limit if self._limit_each is None else self._limit_each
        return self._taken.total() >= self.limit or self._taken[key] >= most_each
