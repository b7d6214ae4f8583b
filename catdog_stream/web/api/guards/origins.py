"""Whether a browser sends for a page of ours: a page of somebody else's may have it send, too."""

from collections.abc import Mapping
from urllib.parse import urlsplit

__all__ = ["SAFE_METHODS", "is_foreign"]

#: They change nothing.
SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
_FOREIGN_SITES = frozenset(("cross-site", "same-site"))
_PORTS = {"http": 80, "https": 443}


def is_foreign(headers: Mapping[str, str]) -> bool:
    """Whether the request was made by a page of another origin. Programs name none."""
    if headers.get("Sec-Fetch-Site", "").strip().lower() in _FOREIGN_SITES:
        return True
    origin = headers.get("Origin")
    return origin is not None and not _is_own(origin.strip(), headers.get("Host", ""))


def _is_own(origin: str, host: str) -> bool:
    try:
        page = urlsplit(origin)
        own = urlsplit(f"{page.scheme}://{host.strip()}")
        port = _PORTS[page.scheme]
        pages, ours = (page.hostname, page.port or port), (own.hostname, own.port or port)
    except (ValueError, KeyError):  # "null", among others
        return False
    return pages == ours
