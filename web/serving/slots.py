"""A limit on how many clients are served at once."""

import threading
from collections import Counter


class Slots:
    """A counting limit, safe to use from several threads.

    Args:
        limit: Slots in all.
        limit_each: Slots for one key, such as a client's network; `limit` by default.

    """

    def __init__(self, limit: int, limit_each: int | None = None) -> None:
        self.limit = limit
        self._limit_each = limit_each
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        """Slots in use."""
        return self._taken.total()

    def full(self, key: str = "") -> bool:
        """Whether `take` would fail for this key."""
        with self._lock:
            return self._full(key)

    def take(self, key: str = "") -> bool:
        """Take a slot; return False if none is free."""
        with self._lock:
            if self._full(key):
                return False
            self._taken[key] += 1
            return True

    def release(self, key: str = "") -> None:
        """Release a slot."""
        with self._lock:
            self._taken[key] -= 1
            if not self._taken[key]:
                del self._taken[key]

    def _full(self, key: str) -> bool:
        most_each = self.limit if self._limit_each is None else self._limit_each
        return self._taken.total() >= self.limit or self._taken[key] >= most_each
