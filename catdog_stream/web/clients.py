"""Identity of a client of the web server."""

import ipaddress

__all__ = ["client_of"]

#: An owner of an IPv6 address has at least a network of this prefix length.
_PREFIX_BITS = 64


def client_of(address: str | None) -> str:
    """Return the identity of a client: its address, or the network of an IPv6 address."""
    try:
        ip = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, _PREFIX_BITS), strict=False))
