"""Tests of public addresses, and of non-public addresses in every notation."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.fetching.public import is_public, never_fetched, plain
from catdog_stream.fetching.rules import Rules
from catdog_stream.settings.allowed_hosts import AllowedHost

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001:81b::200e",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
]

NOT_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.0",
    "192.168.255.255",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fec0::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::10.0.0.1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2002:808:808::1",
    "2001:0:4136:e378:8000:63bf:f5ff:fffe",
]

NEVER = [
    "0.0.0.0",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "ff02::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "::ffff:169.254.169.254",
    "64:ff9b::169.254.169.254",
]

EVERYWHERE = [AllowedHost.parse(text) for text in ("0.0.0.0/0", "::/0", "host")]

addresses = st.ip_addresses() | st.sampled_from(PUBLIC + NOT_PUBLIC + NEVER).map(ip_address)


@pytest.mark.parametrize("text", PUBLIC)
def test_public(text: str) -> None:
    assert is_public(ip_address(text))
    assert Rules("on").may_connect("host", ip_address(text), 443)


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_not_public_and_fetched_from_only_where_it_is_allowed(text: str) -> None:
    address = ip_address(text)
    assert not is_public(address)
    assert not Rules("on").may_connect("host", address, 443)
    if not never_fetched(address):
        assert Rules("on", EVERYWHERE).may_connect("host", address, 443)


@pytest.mark.parametrize("text", NEVER)
def test_metadata_services_are_not_fetched_from_whatever_is_allowed(text: str) -> None:
    address = ip_address(text)
    assert never_fetched(address)
    assert not is_public(address)
    assert not Rules("on", EVERYWHERE).may_connect("host", address, 443)


@given(addresses)
def test_no_address_is_public_that_python_does_not_call_global(
    address: IPv4Address | IPv6Address,
) -> None:
    if is_public(address):
        assert plain(address).is_global
        assert not plain(address).is_multicast
        assert not plain(address).is_private


@given(st.ip_addresses(v=4), st.sampled_from(["::ffff:0:0", "64:ff9b::"]))
def test_an_ipv4_address_in_an_ipv6_one_is_judged_as_itself(
    address: IPv4Address, around: str
) -> None:
    inside = IPv6Address(int(IPv6Address(around)) + int(address))
    assert plain(inside) == address
    assert is_public(inside) == is_public(address)
    assert never_fetched(inside) == never_fetched(address)


def test_a_public_host_is_asked_on_the_usual_ports_alone() -> None:
    address = ip_address("8.8.8.8")
    rules = Rules("on", [AllowedHost.parse("other:8443")])
    assert [
        port for port in (0, 22, 80, 443, 8443) if rules.may_connect("host", address, port)
    ] == [80, 443]
    assert rules.may_connect("other", address, 8443)
