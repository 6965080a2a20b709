"""Who a visitor is: nobody in particular, but the same one as before."""

import hashlib
import ipaddress
import re
import secrets
from typing import Final

from flask import g, request
from werkzeug.wrappers import Response

COOKIE: Final = "fer_visitor"
_ID: Final = re.compile(r"[A-Za-z0-9_-]{32,64}")
_MARGIN_SECONDS: Final = 86_400
_KEY: Final = secrets.token_bytes(32)


def visitor_id() -> str:
    """Return the visitor's random id: the one in the cookie, or a new one."""
    if "visitor" not in g:
        given = request.cookies.get(COOKIE, "")
        g.visitor = given if _ID.fullmatch(given) else secrets.token_urlsafe(32)
    return str(g.visitor)


def remember_visitor(response: Response, keep_seconds: float) -> None:
    """Set the cookie by which the visitor is known, for as long as there may be anything to come back for.

    For the page, which comes before all that it asks, and for what is sent; not for each look at the list. Such answers
    may come late, and would take the visitor back to who they were when they asked.
    """
    response.set_cookie(
        COOKIE,
        visitor_id(),
        max_age=round(keep_seconds + _MARGIN_SECONDS),
        path=request.script_root or "/",
        httponly=True,
        samesite="Lax",  # a link from elsewhere to the page has to bring it, or the page would make a new one
        secure=request.is_secure,
    )


def visitor_network() -> str:
    """Return what stands for the network that a request comes from, and tells nothing else about it.

    It may be kept, and is another one after a restart.
    """
    return hashlib.blake2b(network_of(request.remote_addr).encode(), key=_KEY, digest_size=12).hexdigest()


def network_of(address: str | None) -> str:
    """Return what a client cannot have many of: its IPv4 address, or the /64 of IPv6 that a household is given."""
    try:
        ip = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return ""
    if ip.version == 6 and ip.ipv4_mapped is None:
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip if ip.version == 4 else ip.ipv4_mapped)
