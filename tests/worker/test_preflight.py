"""Tests of IPv6 addresses: they are read in either form, and written as Faust needs them."""

import pytest

from catdog_stream.worker.preflight import check, normalize


@pytest.mark.parametrize(
    ("given", "then"),
    [
        ({"WEB_HOST": "::1", "WEB_BIND": "::1"}, {"WEB_HOST": "[::1]", "WEB_BIND": "::1"}),
        ({"WEB_HOST": "[::1]", "WEB_BIND": "[::1]"}, {"WEB_HOST": "[::1]", "WEB_BIND": "::1"}),
        ({"F_WEB_HOST": "fd00::7"}, {"F_WEB_HOST": "[fd00::7]"}),
        (
            {"WEB_HOST": "fd00::7", "WEB_BIND": "0.0.0.0"},
            {"WEB_HOST": "[fd00::7]", "WEB_BIND": "::"},
        ),
        (
            {"WEB_HOST": "10.0.0.7", "WEB_BIND": "0.0.0.0"},
            {"WEB_HOST": "10.0.0.7", "WEB_BIND": "0.0.0.0"},
        ),
        ({"WEB_HOST": "worker-1", "WEB_BIND": ""}, {"WEB_HOST": "worker-1", "WEB_BIND": ""}),
    ],
)
def test_hosts_become_what_faust_needs(given: dict[str, str], then: dict[str, str]) -> None:
    environment = dict(given)
    check(environment)
    normalize(environment)
    assert environment == then
