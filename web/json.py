"""JSON as requests bring it and answers have it."""

from typing import Any

from flask.json.provider import DefaultJSONProvider


class Json(DefaultJSONProvider):
    """Flask's own, which keeps the order of keys, and takes what is nested too deeply for what is not JSON at all."""

    sort_keys = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Return what a text says.

        Raises:
            ValueError: It is not JSON, or nested too deeply.

        """
        try:
            return super().loads(s, **kwargs)
        except RecursionError:
            raise ValueError("nested too deeply") from None
