"""Tests of ``POST /addresses/`` with addresses from which no picture is fetched."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.errors import FetchError
from catdog_stream.fetching.addresses import NotAllowedError, typed
from catdog_stream.fetching.rules import Rules
from catdog_stream.web.api.addresses import MAX_ADDRESS, _address, _status
from catdog_stream.web.api.openapi.images import ADDRESS_PATTERN
from catdog_stream.web.api.problems import Problem

ON, HTTP = Rules("on", ()), Rules("http", ())


def status(text: str, rules: Rules = ON) -> int:
    """Return the status of the answer; nothing is fetched."""
    with pytest.raises(FetchError) as refused:
        typed(text, rules)
    return _status(refused.value)


@pytest.mark.parametrize("text", [" ", "catdog:", "https://", "https://a b/", "https://[::1/"])
def test_what_is_no_address_is_the_clients_mistake(text: str) -> None:
    assert status(text) == 400


@pytest.mark.parametrize(
    "text",
    [
        "http://example.org/",
        "https://127.0.0.1/",
        "https://user:secret@example.org/",
        "https://example.org:22/",
        "ftp://example.org/",
    ],
)
def test_what_is_not_fetched_here_is_forbidden(text: str) -> None:
    assert status(text) == 403


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "line 1 column 1"),
        (b"[" * 5000, "line 1 column"),
        (b"[]", "the document must be an object, not []"),
        (b"{}", "address is missing"),
        (b'{"address": 7}', "address must be a text of a length of at most 2000, not 7"),
        (b'{"address": "%s"}' % (b"a" * 2001), "of a length of at most 2000, not 'aaa"),
        (b'{"address": "x", "url": "y"}', "the document has the unknown 'url'"),
        (b'{"address": "\\ud800"}', "line 1 column"),
    ],
)
def test_the_problem_names_what_is_wrong_with_the_body(body: bytes, reason: str) -> None:
    with pytest.raises(Problem, match=re.escape(reason)) as refused:
        _address(body)
    assert refused.value.status == 400
    assert len(refused.value.detail) < 300


def test_what_another_server_does_is_no_mistake_of_the_client() -> None:
    assert _status(FetchError("The address does not answer.")) == 502
    assert _status(NotAllowedError("It is not public.")) == 403


@given(st.from_regex(ADDRESS_PATTERN, fullmatch=True).filter(lambda it: len(it) <= MAX_ADDRESS))
def test_what_the_schema_allows_is_read_and_perhaps_forbidden(text: str) -> None:
    try:
        told = 200 if typed(text, HTTP) else 0
    except FetchError as error:
        told = _status(error)
    assert told in (200, 403)
