"""Which names this worker answers to over HTTP.

A page of somebody else's, open in a browser that reaches this worker, can have its own name resolve
to this worker's address and read what it says: DNS rebinding. The ``Host`` header then has that
name.
"""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

__all__ = ["OPEN_PATHS", "OwnHosts", "target_fits"]

#: What probes and Prometheus ask for, by IP addresses that nobody knows beforehand. They tell of
#: no request.
OPEN_PATHS = frozenset(("/healthz", "/readyz", "/metrics", "/v2/health/live", "/v2/health/ready"))

_ALWAYS = ("localhost", "127.0.0.1", "::1")
#: Bound to, and nobody's name.
_ANY = frozenset(("", "0.0.0.0", "::"))
_BRACKETED = re.compile(r"\[([0-9a-f:.]+)\](:[0-9]+)?")


class OwnHosts:
    """The names and addresses that are this worker's, whatever the port."""

    def __init__(self, names: Iterable[str | None]) -> None:
        self._names = {host_name(name) for name in (*_ALWAYS, *names) if name} - _ANY

    def __contains__(self, header: object) -> bool:
        """Whether a ``Host`` header has one of them."""
        return isinstance(header, str) and host_name(header) in self._names


def host_name(text: str) -> str:
    """The name in ``name``, ``name:port``, ``[address]`` or ``[address]:port``."""
    text = text.strip().lower()
    if text.startswith("["):
        found = _BRACKETED.fullmatch(text)
        return found[1] if found else ""
    if text.count(":") == 1:
        text = text.partition(":")[0]
    return text.removesuffix(".")


def target_fits(target: str, host: str | None) -> bool:
    """Return ``True`` if a request's target names no other host than its ``Host`` header.

    A target in absolute form (``GET http://host/path``, as proxies are sent) goes before ``Host``
    (RFC 9112, 3.2.2): whoever looks at one of them alone sees another host than the next one does.
    """
    if target.startswith("/") or "://" not in target:
        return True
    try:
        named = urlsplit(target).netloc
    except ValueError:
        return False
    return named.lower() == (host or "").strip().lower()
