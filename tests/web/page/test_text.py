"""What strangers wrote, as people read it."""

import pytest

from catdog_stream.kafka.client import opaque_url
from catdog_stream.web.page.text import readable_url

ADDRESS = "https://example.org/cat_a?b=1&c"


def test_an_address_in_base64_is_decoded() -> None:
    assert readable_url(opaque_url(ADDRESS)) == ADDRESS


@pytest.mark.parametrize(
    "url",
    [
        "",
        ADDRESS,
        "cat",
        "/home/somebody/cat.jpg",
        opaque_url("/home/somebody/cat.jpg"),
        opaque_url("https://example.org/\n"),
        opaque_url("https://example.org/k\u00e4tzchen"),
        "https://example.org/k\u00e4tzchen",
        "\ud800",
    ],
)
def test_all_else_stays_as_it_is(url: str) -> None:
    assert readable_url(url) == url
