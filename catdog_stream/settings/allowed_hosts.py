"""Hosts outside the public internet from which pictures may be fetched."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal, Self

__all__ = ["USUAL_PORTS", "AllowedHost", "FetchMode", "IPAddress"]

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

FetchMode = Literal["off", "on", "http"]
"""Mode of fetching pictures by address: never, over HTTPS, or over plain HTTP as well."""

#: Default ports of HTTP and HTTPS.
USUAL_PORTS = frozenset((80, 443))

#: The last part must hold a letter: some clients read all other names as an IP address.
_NAME = re.compile(r"([a-z0-9_-]{1,63}\.)*(?=[a-z0-9_-]*[a-z])[a-z0-9_-]{1,63}")
_PORT = re.compile(r"[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class AllowedHost:
    """Host name, or network of IP addresses; build it with :meth:`parse`."""

    host: str | ipaddress.IPv4Network | ipaddress.IPv6Network
    #: ``None``: the default ports.
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a name, an address or a network (``10.1.0.0/16``), with or without ``:port``.

        An IPv6 address or network stands in brackets if a port follows.

        Raises:
            ValueError: the text cannot be used; the message says why.
        """
        host, port = text, ""
        if text.startswith("["):
            host, closed, port = text[1:].partition("]")
            if not closed or (port and not port.startswith(":")):
                raise ValueError(f"{text!r} is no address in brackets, with a port or without")
        elif text.count(":") == 1:
            host, colon, port = text.partition(":")
            port = colon + port
        return cls(_host(host.lower()), _port(port[1:]) if port else None)

    def covers(self, host: str, address: IPAddress, port: int) -> bool:
        """Return true if this is the given host or address, and ``port`` may be used."""
        if port != self.port and (self.port is not None or port not in USUAL_PORTS):
            return False
        return host == self.host if isinstance(self.host, str) else address in self.host


def _host(text: str) -> str | ipaddress.IPv4Network | ipaddress.IPv6Network:
    if _NAME.fullmatch(text):
        return text
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise ValueError(f"{text!r} is no host name, address or network") from None


def _port(text: str) -> int:
    if not _PORT.fullmatch(text) or not 0 < int(text) < 65536:
        raise ValueError(f"{text!r} is no port")
    return int(text)
