"""Tests of the host names that a worker answers to."""

import pytest

from catdog_stream.web.hosts import OwnHosts, target_fits

HOSTS = OwnHosts(["worker-1.example.org", "10.1.2.3", "0.0.0.0", None, "FE80::1", "[fd00::2]"])


@pytest.mark.parametrize(
    "header",
    [
        "localhost",
        "localhost:6066",
        "127.0.0.1:80",
        "[::1]:6066",
        "[::1]",
        "Worker-1.Example.ORG.:443",
        "10.1.2.3",
        "[fe80::1]:1",
        "[fd00::2]",
    ],
)
def test_its_own_names_in_any_form_and_with_any_port(header: str) -> None:
    assert header in HOSTS


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "0.0.0.0:6066",
        "evil.example.org",
        "localhost.evil.example.org",
        "evil.example.org:6066",
        "127.0.0.1.evil.example.org",
        "localhost@evil.example.org",
        "[::1",
        "[::1]evil.example.org",
        "[fd00::3]",
    ],
)
def test_nobody_elses(header: str | None) -> None:
    assert header not in HOSTS


@pytest.mark.parametrize(
    ("target", "host", "fits"),
    [
        ("/labels/", "localhost:6066", True),
        ("/?at=http://elsewhere/", "localhost:6066", True),
        ("*", "localhost:6066", True),
        ("http://localhost:6066/labels/", "localhost:6066", True),
        ("HTTP://LocalHost:6066/labels/", "localhost:6066", True),
        ("http://evil.example.org/labels/", "localhost:6066", False),
        ("http://localhost:6066@evil.example.org/", "localhost:6066", False),
        ("http://localhost:6067/", "localhost:6066", False),
        ("http://[::1/", "localhost:6066", False),
        ("http://localhost:6066/", None, False),
    ],
)
def test_a_target_names_no_other_host(target: str, host: str | None, fits: bool) -> None:
    assert target_fits(target, host) is fits
