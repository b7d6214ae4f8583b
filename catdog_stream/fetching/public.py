"""Classification of IP addresses: public, and those from which nothing is ever fetched."""

from ipaddress import IPv4Address, IPv6Address, ip_network

from catdog_stream.settings.allowed_hosts import IPAddress

__all__ = ["is_public", "never_fetched", "plain"]

#: Networks that Python's ``is_global``, which differs between versions, may not know: the special
#: networks in the registries of IANA, and the first transition mechanisms between IPv4 and IPv6,
#: which may lead back to a private address and have no web servers.
_SPECIAL = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",  # between a provider and its customers
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",  # 6to4's relays
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
            "2001::/23",  # Teredo among others
            "2001:db8::/32",
            "2002::/16",  # 6to4
            "2620:4f:8000::/48",
            "3fff::/20",
        ),
    )
)
#: Part of IPv6 from which public addresses are assigned.
_PUBLIC_V6 = ip_network("2000::/3")
#: Prefix through which IPv6-only networks reach every IPv4 address.
_NAT64 = ip_network("64:ff9b::/96")

#: Metadata services, which give out a machine's keys, and addresses of the network itself: no
#: allow-list permits them.
_NEVER = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "224.0.0.0/4",
            "240.0.0.0/4",
            "169.254.0.0/16",  # link-local; 169.254.169.254 at most providers, and ECS, EKS
            "100.100.100.200/32",  # Alibaba Cloud
            "168.63.129.16/32",  # Azure, in the middle of the public ones
            "192.0.0.192/32",  # Oracle Cloud
            "::/128",
            "ff00::/8",
            "fe80::/10",  # link-local
            "fd00:42::42/128",  # Scaleway
            "fd00:c1::/32",  # Oracle Cloud
            "fd00:ec2::/32",  # AWS
            "fd20:ce::254/128",  # Google Cloud
        ),
    )
)


def plain(address: IPAddress) -> IPAddress:
    """Return the IPv4 address that an IPv6 address stands for, else the address itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def never_fetched(address: IPAddress) -> bool:
    """Return true if the address is a metadata service, link-local, multicast or unassigned."""
    address = plain(address)
    return any(address in network for network in _NEVER)


def is_public(address: IPAddress) -> bool:
    """Return true if every host on the internet can reach the address."""
    address = plain(address)
    if isinstance(address, IPv6Address) and address not in _PUBLIC_V6:
        return False
    return address.is_global and not (
        never_fetched(address) or any(address in network for network in _SPECIAL)
    )
