"""Tests of numbers and of untrusted text, as the page shows them."""

import pytest

from catdog_stream.kafka.client import opaque_url
from catdog_stream.web.page.text import compact, readable_url

ADDRESS = "https://example.org/cat_a?b=1&c"


def test_an_address_in_base64_is_decoded() -> None:
    assert readable_url(opaque_url(ADDRESS)) == ADDRESS


@pytest.mark.parametrize(
    "url",
    [
        "",
        ADDRESS,
        "cat",
        "/home/alice/cat.jpg",
        opaque_url("/home/alice/cat.jpg"),
        opaque_url("https://example.org/\n"),
        opaque_url("https://example.org/k\u00e4tzchen"),
        "https://example.org/k\u00e4tzchen",
        "\ud800",
    ],
)
def test_all_else_stays_as_it_is(url: str) -> None:
    assert readable_url(url) == url


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (99_999, "99,999"),
        (100_000, "100 k"),
        (999_499, "999 k"),
        (999_500, "1.0 M"),
        (12_345_678, "12.3 M"),
        (99_960_000, "100 M"),
        (5_000_000_000, "5.0 G"),
    ],
)
def test_a_large_number_is_short(number: int, text: str) -> None:
    assert compact(number) == text
