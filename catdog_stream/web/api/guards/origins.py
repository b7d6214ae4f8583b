"""Whether a browser sends for a page of ours: a page of somebody else's may have it send, too."""

from collections.abc import Mapping
from urllib.parse import urlsplit

__all__ = ["SAFE_METHODS", "is_foreign"]

#: They change nothing.
SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
_FOREIGN_SITES = frozenset(("cross-site", "same-site"))
_PORTS = {"http": 80, "https": 443}


def is_foreign(
    headers: Mapping[str, str], *, scheme: str = "http", port: int | None = None
) -> bool:
    """Return ``True`` if a page of another origin made the request. Programs name none.

    Args:
        headers: of the request.
        scheme: that it came by, ``http`` or ``https``.
        port: the one that it came to. Where ``Host`` has another one, a proxy or a port that is
            mapped stands in between, of whose scheme nothing is known.
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
            return False  # nothing but ``scheme`` is spoken there
        own = urlsplit(f"{page.scheme}://{host.strip()}")
        port = _PORTS[page.scheme]
        pages, ours = (page.hostname, page.port or port), (own.hostname, own.port or port)
    except (ValueError, KeyError):  # "null", among others
        return False
    return pages == ours
