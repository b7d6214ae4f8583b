"""Tests that a foreign page cannot make a browser send pictures."""

import pytest

from catdog_stream.web.api.guards.origins import is_foreign


@pytest.mark.parametrize(
    "headers",
    [
        {},  # a program
        {"Sec-Fetch-Site": "none"},  # a typed address
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:6066"},
        {"Origin": "http://LOCALHOST:6066"},
        {"Origin": "https://catdog.example.org", "Host": "catdog.example.org"},
        {"Origin": "https://catdog.example.org", "Host": "catdog.example.org:443"},
        {"Origin": "http://[::1]:6066", "Host": "[::1]:6066"},
    ],
)
def test_our_own_pages_and_programs_send(headers: dict[str, str]) -> None:
    assert not is_foreign({"Host": "localhost:6066", **headers})


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "Cross-Site", "Origin": "http://localhost:6066"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "https://evil.example.org"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "https://localhost"},
        {"Origin": "http://localhost:6066.evil.example.org"},
        {"Origin": "http://localhost:none"},
        {"Origin": "file://localhost:6066"},
        {"Origin": "http://localhost:6066", "Host": ""},
    ],
)
def test_pages_of_others_do_not(headers: dict[str, str]) -> None:
    assert is_foreign({"Host": "localhost:6066", **headers})


@pytest.mark.parametrize("port", [6066, None])
def test_a_page_over_https_is_none_of_a_port_that_speaks_http(port: int | None) -> None:
    page = {"Origin": "https://localhost:6066", "Host": "localhost:6066"}
    assert is_foreign(page, port=6066)
    assert not is_foreign(page, port=6066, scheme="https")
    assert not is_foreign({**page, "Origin": "http://localhost:6066"}, port=port)
    assert is_foreign({"Origin": "https://localhost", "Host": "localhost"}, port=80)


def test_behind_a_proxy_a_page_over_https_is_our_own() -> None:
    for host in ("catdog.example.org", "catdog.example.org:443"):
        page = {"Origin": "https://catdog.example.org", "Host": host}
        assert not is_foreign(page, port=6066)
