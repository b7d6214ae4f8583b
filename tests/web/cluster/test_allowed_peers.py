"""Tests of the allowed peers: a member may state any address, and workers connect to few."""

import pytest

from catdog_stream.settings.values import allowed_hosts
from catdog_stream.web.cluster.allowed_peers import check_peer

LOCAL = "http://127.0.0.1:6066"
POD = "http://10.1.2.3:6066"
NAMED = "http://worker-1.example.org:6066"


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:18099/latest/meta-data/?",
        "http://127.0.0.1:18099/?:6066",
        "http://127.0.0.1:18099#:6066",
        "http://user:secret@127.0.0.1:6066",
        "http://127.0.0.1:6066\\@10.0.0.1:80",
        "http://127.0.0.1:0",
        "http://127.0.0.1:65536",
        "http://127.0.0.1:60 66",
        "http://127.0.0.0/8:6066",
        "http://127.1:6066",
        "http://2130706433:6066",
        "http://0x7f.0.0.1:6066",
        "http://0177.0.0.1:6066",
        "http://:6066",
        "ftp://127.0.0.1:6066",
        "file:///etc/passwd",
        "kafka://127.0.0.1:6066",
        "127.0.0.1:6066",
        "http://127.0.0.1:6066\r\nX: y",
        "",
        "x" * 5000,
    ],
)
def test_what_is_no_address_of_a_worker_is_not_asked_whatever_is_allowed(address: str) -> None:
    for allowed in ((), allowed_hosts("127.0.0.0/8, 0.0.0.0/0, ::/0")):
        with pytest.raises(PermissionError):
            check_peer(address, LOCAL, allowed)


@pytest.mark.parametrize(
    ("own", "peer"),
    [
        (LOCAL, "http://127.0.0.1:6067"),
        (LOCAL, "http://localhost:6067"),
        (LOCAL, "http://[::1]:6067"),
        ("http://[::1]:6066", "https://127.0.0.1:6067"),
        (POD, "http://10.200.3.4:6066"),
        ("http://192.168.1.5:6066", "http://192.168.1.6"),
        ("http://[fd00::1]:6066", "http://[fd00::2]:6066"),
        (NAMED, "http://worker-2.example.org:6066"),
        ("http://one:6066", "http://two:6066"),
        ("http://203.0.113.7:6066", "http://203.0.113.7:6067"),
    ],
)
def test_neighbours_are_asked_without_a_setting(own: str, peer: str) -> None:
    check_peer(peer, own)


@pytest.mark.parametrize(
    ("own", "peer"),
    [
        (LOCAL, POD),
        (LOCAL, "http://169.254.169.254:80"),
        (POD, "http://169.254.169.254"),
        (POD, "http://192.168.1.6:6066"),
        (POD, LOCAL),
        (NAMED, "http://worker-1.example.com:6066"),
        (NAMED, "http://example.org:6066"),
        (NAMED, "http://a.b.example.org:6066"),
        (NAMED, "http://localhost:6066"),
        (NAMED, POD),
        ("http://example.org:6066", "http://kafka.org:6066"),
        ("http://one:6066", "http://localhost:6066"),
        ("http://one:6066", "http://two.example.org:6066"),
        ("http://203.0.113.7:6066", "http://203.0.113.8:6066"),
    ],
)
def test_others_are_not(own: str, peer: str) -> None:
    with pytest.raises(PermissionError, match="CATDOG_WEB_PEERS"):
        check_peer(peer, own)


def test_the_operator_allows_hosts_networks_and_ports() -> None:
    allowed = allowed_hosts("10.1.0.0/16, worker-2.example.org:6066, fd00::/16")
    for peer in (
        *("http://10.1.9.9:1234", "http://WORKER-2.example.org:6066"),
        "http://[fd00::7]:6066",
    ):
        check_peer(peer, LOCAL, allowed)
    for peer in ("http://10.2.0.1:6066", "http://worker-2.example.org:6067", LOCAL):
        with pytest.raises(PermissionError):
            check_peer(peer, LOCAL, allowed)
