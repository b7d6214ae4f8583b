"""Tests of the client's side of the wire contract."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.kafka.client import opaque_url, shown_url
from tests.support.requests import parse_request, request_value


@given(st.binary(min_size=1, max_size=100), st.text())
def test_what_the_client_sends_the_worker_reads(picture: bytes, path: str) -> None:
    url = opaque_url(path.encode("utf-8", "ignore").decode())
    request = parse_request(request_value(picture, url), max_image_bytes=100)
    assert request.picture == picture
    assert request.url == url


def test_a_request_has_the_fields_of_the_contract_and_no_other() -> None:
    body = json.loads(request_value(b"picture", "dXJs"))
    assert body == {
        "label": None,
        "url": "dXJs",
        "data": base64.b64encode(b"picture").decode(),
    }


def test_the_url_is_url_safe_base64_without_padding() -> None:
    assert opaque_url("http://x.org/?a>b~") == "aHR0cDovL3gub3JnLz9hPmJ-"
    assert opaque_url("a") == "YQ"


def test_a_file_name_that_is_not_utf8_can_be_sent() -> None:
    assert base64.urlsafe_b64decode(opaque_url("cat-\udcff.png") + "==") == b"cat-\xff.png"


@given(st.text(alphabet=st.characters(categories=["L", "N", "P"]), min_size=1))
def test_a_url_of_ours_is_shown_as_it_was(text: str) -> None:
    assert shown_url(opaque_url(text)) == text


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/cat.png",
        "aGVs....",  # base64 without the dots
        "Y Q",
        "YQ\n",
        "not base64 at all!",
        "AAAA",  # base64 of unprintable characters
        "GxtbMzFt",  # a terminal escape sequence
        "é",
        "a",
    ],
)
def test_a_url_of_somebody_else_is_shown_untouched(url: str) -> None:
    assert shown_url(url) == url


def test_no_url_is_shown_as_a_dash() -> None:
    assert shown_url(None) == shown_url("") == "-"
