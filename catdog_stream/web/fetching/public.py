"""Which IP addresses lie on the public internet, and which nothing is ever fetched from."""

from ipaddress import IPv4Address, IPv6Address, ip_network

from catdog_stream.allowed_hosts import IPAddress

__all__ = ["is_public", "never_fetched", "plain"]

#: Beyond what Python's ``is_global`` knows, which differs between its versions: what the registries
#: of IANA list as special, and the first systems of both IPv4 and IPv6 that led from one to the
#: other, which may lead back to a private address and have no web servers.
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
#: The part of IPv6 from which public addresses are given out.
_PUBLIC_V6 = ip_network("2000::/3")
#: Networks that have IPv6 alone reach every IPv4 address through it.
_NAT64 = ip_network("64:ff9b::/96")

#: They hand out the keys of the machine that asks, or speak for the network itself: no allow-list
#: lifts this.
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
    """The IPv4 address that an IPv6 one stands for, where it does so by today's rules."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def never_fetched(address: IPAddress) -> bool:
    """Whether it is a metadata service's, link-local, multicast, or nobody's."""
    address = plain(address)
    return any(address in network for network in _NEVER)


def is_public(address: IPAddress) -> bool:
    """Whether anybody on the internet could reach it as well."""
    address = plain(address)
    if isinstance(address, IPv6Address) and address not in _PUBLIC_V6:
        return False
    return address.is_global and not (
        never_fetched(address) or any(address in network for network in _SPECIAL)
    )
