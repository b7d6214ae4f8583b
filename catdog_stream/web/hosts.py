"""Check of the host name in a request.

A foreign page, in a browser that reaches this worker, can make its own name resolve to this
worker's address and read the responses: DNS rebinding. The ``Host`` header then has the foreign
name.
"""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

__all__ = ["OPEN_PATHS", "OwnHosts", "target_fits"]

#: Paths for probes and Prometheus, which use IP addresses that are not known in advance. They show
#: nothing about requests.
OPEN_PATHS = frozenset(("/healthz", "/readyz", "/metrics", "/v2/health/live", "/v2/health/ready"))

_ALWAYS = ("localhost", "127.0.0.1", "::1")
#: Addresses to bind to, which are not names of a host.
_ANY = frozenset(("", "0.0.0.0", "::"))
_BRACKETED = re.compile(r"\[([0-9a-f:.]+)\](:[0-9]+)?")


class OwnHosts:
    """Names and addresses of this worker, for any port."""

    def __init__(self, names: Iterable[str | None]) -> None:
        self._names = {host_name(name) for name in (*_ALWAYS, *names) if name} - _ANY

    def __contains__(self, header: object) -> bool:
        """Return true if a ``Host`` header has one of them."""
        return isinstance(header, str) and host_name(header) in self._names


def host_name(text: str) -> str:
    """Return the name in ``name``, ``name:port``, ``[address]`` or ``[address]:port``."""
    text = text.strip().lower()
    if text.startswith("["):
        found = _BRACKETED.fullmatch(text)
        return found[1] if found else ""
    if text.count(":") == 1:
        text = text.partition(":")[0]
    return text.removesuffix(".")


def target_fits(target: str, host: str | None) -> bool:
    """Return true if a request's target names no other host than its ``Host`` header.

    A target in absolute form (``GET http://host/path``, as sent to proxies) takes precedence over
    ``Host`` (RFC 9112, 3.2.2): two programs that read different ones would see different hosts.
    """
    if target.startswith("/") or "://" not in target:
        return True
    try:
        named = urlsplit(target).netloc
    except ValueError:
        return False
    return named.lower() == (host or "").strip().lower()
