"""Check of other workers' addresses: a member of the group may state any address.

Every client that may join the group in Kafka states an address to the others. Only
``http://host:port`` is accepted as an address of a worker, and only with a host that the operator
allows: by ``CATDOG_WEB_PEERS``, or without it, a neighbour of this worker's own ``WEB_HOST`` (in a
private network, or in the same domain).
"""

import ipaddress
import re
from collections.abc import Sequence

from catdog_stream.settings.allowed_hosts import AllowedHost

__all__ = ["check_peer"]

_ADDRESS = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?", re.IGNORECASE)
_LOOPBACK = ("127.0.0.0/8", "::1/128")
#: A worker in one of these networks accepts peers in any of them.
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
_LOCALHOST = "localhost"

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def check_peer(address: str, own: str, allowed: Sequence[AllowedHost] = ()) -> None:
    """Check that another worker may be queried.

    Args:
        address: address that the other worker states.
        own: this worker's address, ``http://host:port``.
        allowed: hosts, networks and ports; empty: the neighbours of ``own``.

    Raises:
        PermissionError: it may not be queried.
    """
    peer = _host(address)
    if peer is None:
        raise PermissionError(f"{address[:200]!r} is no address of a worker: http://host:port.")
    if allowed:
        fits = any(_covers(each, peer) for each in allowed)
    else:
        mine = _host(own)
        fits = mine is not None and _is_neighbour(peer.host, mine.host)
    if not fits:
        raise PermissionError(f"{address} is not asked: CATDOG_WEB_PEERS can allow it.")


def _host(address: str) -> AllowedHost | None:
    """Return the host of an address with its port; a single IP address is a network of one."""
    found = _ADDRESS.fullmatch(address)
    if found is None:
        return None
    host, port = found[1], found[2] or ("443" if address.lower().startswith("https") else "80")
    try:
        peer = AllowedHost.parse(f"{host}:{port}")
    except ValueError:
        return None
    is_one = isinstance(peer.host, str) or peer.host.num_addresses == 1
    return peer if is_one else None


def _covers(allowed: AllowedHost, peer: AllowedHost) -> bool:
    if allowed.port not in (None, peer.port):
        return False
    return peer.host == allowed.host or _is_in(peer.host, allowed.host)


def _is_in(host: str | _Network, network: str | _Network) -> bool:
    if isinstance(host, str) or isinstance(network, str):
        return False
    return host.version == network.version and host.subnet_of(network)  # type: ignore[arg-type]


def _is_neighbour(peer: str | _Network, own: str | _Network) -> bool:
    if peer == own:
        return True
    if _is_loopback(own):
        return _is_loopback(peer)
    if isinstance(own, str):
        if not isinstance(peer, str) or _is_loopback(peer):
            return False
        return (domain := _domain(own)) is not None and _domain(peer) == domain
    networks = map(ipaddress.ip_network, _PRIVATE)
    return any(_is_in(own, each) and _is_in(peer, each) for each in networks)


def _is_loopback(host: str | _Network) -> bool:
    if host == _LOCALHOST:
        return True
    return any(_is_in(host, ipaddress.ip_network(each)) for each in _LOOPBACK)


def _domain(name: str) -> str | None:
    """Return the domain that neighbours share; ``None`` for a name like ``example.org``."""
    labels = name.split(".")
    return None if len(labels) == 2 else ".".join(labels[1:])
