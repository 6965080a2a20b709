"""Which network cameras' addresses visitors may choose: only those that `server.allowed_addresses` names."""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit, urlunsplit

from vision.sources import UntrustedAddress

ANY_PATH: Final = "/*"
"""An allowed address with this path stands for every path of its host."""
_PORTS: Final = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443, "rtmp": 1935, "rtmps": 443}
_PLAIN: Final = re.compile(r"[!-\[\]-~]{1,1000}")
"""Printable ASCII without the backslash, which some take for a slash; spaces and line ends would be dropped."""


def permitted(address: str, allowed: Sequence[str]) -> str | UntrustedAddress | None:
    """Return what may be opened for an address that a visitor wrote; None if nothing may.

    Scheme, host and port have to be those of an allowed address, and so do path and query unless that is for every
    path. Scheme, host, port and credentials of what is opened are always taken from the allowed address, so that it
    does not matter how anyone else would read the visitor's. Credentials in the visitor's own are refused.
    """
    given = _parsed(address)
    if given is None:
        return None
    for entry in allowed:
        permit = urlsplit(entry)
        if _place(permit) != _place(given):
            continue
        if permit.path == ANY_PATH:
            return UntrustedAddress(urlunsplit((permit.scheme, permit.netloc, given.path or "/", given.query, "")))
        if (permit.path or "/", permit.query) == (given.path or "/", given.query):
            return entry
    return None


def for_any_path(allowed: Sequence[str]) -> list[str]:
    """Return the allowed addresses that stand for every path, without their credentials."""
    entries = [urlsplit(entry) for entry in allowed]
    return [f"{entry.scheme}://{entry.netloc.rpartition('@')[2]}/" for entry in entries if entry.path == ANY_PATH]


def _parsed(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address) if _PLAIN.fullmatch(address) else None
        return parts if parts and "@" not in parts.netloc and _place(parts) else None
    except ValueError:  # brackets or a port that cannot be
        return None


def _place(address: SplitResult) -> tuple[str, str | None, int | None]:
    return address.scheme, address.hostname, address.port or _PORTS.get(address.scheme)
