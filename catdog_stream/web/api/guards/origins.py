"""Check of a request's origin: a foreign page may make a browser send requests to this worker."""

from collections.abc import Mapping
from urllib.parse import urlsplit

__all__ = ["SAFE_METHODS", "is_foreign"]

#: Methods that change nothing.
SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
_FOREIGN_SITES = frozenset(("cross-site", "same-site"))
_PORTS = {"http": 80, "https": 443}


def is_foreign(
    headers: Mapping[str, str], *, scheme: str = "http", port: int | None = None
) -> bool:
    """Return true if a page of another origin made the request. Programs name no origin.

    Args:
        headers: headers of the request.
        scheme: scheme of the connection, ``http`` or ``https``.
        port: local port of the connection. If ``Host`` has another port, a proxy or a port mapping
            is in between, and the scheme of the client's connection is unknown.
    """
    if headers.get("Sec-Fetch-Site", "").strip().lower() in _FOREIGN_SITES:
        return True
    origin = headers.get("Origin")
    if origin is None:
        return False
    return not _is_own(origin.strip(), headers.get("Host", ""), scheme, port)


def _is_own(origin: str, host: str, scheme: str, arrived: int | None) -> bool:
    try:
        page = urlsplit(origin)
        asked = urlsplit(f"{scheme}://{host.strip()}")
        if page.scheme != scheme and (asked.port or _PORTS[scheme]) == arrived:
            return False  # this port accepts only ``scheme``
        own = urlsplit(f"{page.scheme}://{host.strip()}")
        port = _PORTS[page.scheme]
        pages, ours = (page.hostname, page.port or port), (own.hostname, own.port or port)
    except (ValueError, KeyError):  # such as "null"
        return False
    return pages == ours
