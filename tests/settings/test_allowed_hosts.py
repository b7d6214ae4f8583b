"""Tests of hosts beside the public internet: their notation, and the addresses that each covers."""

from ipaddress import ip_address, ip_network

import pytest

from catdog_stream.settings.allowed_hosts import AllowedHost

LOOPBACK = ip_address("127.0.0.1")


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("pictures", "pictures", None),
        ("Pictures.Internal:8080", "pictures.internal", 8080),
        ("10.1.2.3", ip_network("10.1.2.3/32"), None),
        ("10.1.2.3:81", ip_network("10.1.2.3/32"), 81),
        ("10.1.0.0/16", ip_network("10.1.0.0/16"), None),
        ("10.1.0.0/16:81", ip_network("10.1.0.0/16"), 81),
        ("::1", ip_network("::1/128"), None),
        ("fd00::/8", ip_network("fd00::/8"), None),
        ("[fd00::/8]", ip_network("fd00::/8"), None),
        ("[FD00::1]:81", ip_network("fd00::1/128"), 81),
    ],
)
def test_a_name_an_address_or_a_network_with_a_port_or_without(
    text: str, host: object, port: int | None
) -> None:
    allowed = AllowedHost.parse(text)
    assert (allowed.host, allowed.port) == (host, port)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":80",
        "a:",
        "a:0",
        "a:65536",
        "a:http",
        "[::1]80",
        "[::1",
        "[]",
        "10.1",
        "10.1.2.3/16",
        "10.0.0.0/33",
        "0x7f.1",
        "a b",
        "a..b",
        "https://a",
        "a/b",
        "*.example.org",
        "bücher.example",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=" is no "):
        AllowedHost.parse(text)


def test_a_name_covers_itself_wherever_it_is_and_no_address() -> None:
    allowed = AllowedHost.parse("pictures")
    assert allowed.covers("pictures", LOOPBACK, 443)
    assert not allowed.covers("more.pictures", LOOPBACK, 443)
    assert not allowed.covers("127.0.0.1", LOOPBACK, 443)


def test_a_network_covers_every_name_that_lies_in_it() -> None:
    allowed = AllowedHost.parse("127.0.0.0/8")
    assert allowed.covers("anything", LOOPBACK, 80)
    assert not allowed.covers("anything", ip_address("128.0.0.1"), 80)
    assert not allowed.covers("anything", ip_address("::1"), 80)


def test_a_port_is_allowed_instead_of_the_usual_ones() -> None:
    assert [
        port for port in (80, 81, 443) if AllowedHost.parse("a").covers("a", LOOPBACK, port)
    ] == [80, 443]
    assert [
        port for port in (80, 81, 443) if AllowedHost.parse("a:81").covers("a", LOOPBACK, port)
    ] == [81]
