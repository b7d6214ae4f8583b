"""Tests of votes: they are read as written, and untrusted records are at most no votes."""

import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.messages.raw_json import RawObject
from catdog_stream.messages.votes import DeadlineMarker, Vote
from catdog_stream.messages.wire import Source
from catdog_stream.models.verdict import Verdict
from catdog_stream.records import ImageVote

SOURCE = Source("catdogimage", 3, 17)
CAT = Vote("lite", SOURCE, Verdict({"cat": 0.75, "dog": 0.25}, "lite 2"))

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(
    st.floats(0, 1),
    st.floats(0.001, 1000),
    st.none() | st.floats(0, 1),
    st.booleans(),
    st.none() | st.binary(max_size=9),
    st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
    st.lists(st.tuples(st.text("abc", max_size=3), st.binary(max_size=9)), max_size=3),
    st.none() | st.integers(0, 2**61),
)
def test_a_vote_comes_back_as_it_was_written(
    cat: float,
    weight: float,
    familiarity: float | None,
    unknown: bool,
    key: bytes | None,
    url: str | None,
    headers: list[tuple[str, bytes]],
    time: int | None,
) -> None:
    verdict = Verdict({"cat": cat, "dog": 1 - cat}, "lite 2", familiarity, unknown)
    vote = Vote("lite", SOURCE, verdict, weight, key, url, {"a": [1]}, tuple(headers), time)
    assert Vote.parse(vote.dump()) == vote


def test_a_rejection_is_a_vote_too() -> None:
    rejected = RejectedRequest(Reason.NOT_AN_IMAGE, "It is no picture \ud800.")
    found = Vote.parse(Vote("lite", SOURCE, rejected).dump())
    assert found is not None
    assert isinstance(found.answer, RejectedRequest)
    assert found.answer.reason is Reason.NOT_AN_IMAGE
    assert found.answer.detail == "It is no picture ?."


@pytest.mark.parametrize("field", ["18446744073709551616", "0.12345678901234567890", "1e999"])
def test_fields_come_back_byte_for_byte(field: str) -> None:
    fields = RawObject.parse(f'{{"a":{field},"a":{{"b":[{field}, 1E5]}}}}'.encode())
    found = Vote.parse(Vote("lite", SOURCE, CAT.answer, fields=fields).dump())
    assert found is not None
    assert isinstance(found.fields, RawObject)
    assert found.fields.json == fields.json
    assert Vote.parse(found.dump()) == found


def test_fields_that_are_nested_too_deeply_to_be_read_are_left_out() -> None:
    deep = RawObject.parse(b'{"a": ' + b"[" * 1023 + b"]" * 1023 + b"}")
    found = Vote.parse(Vote("lite", SOURCE, CAT.answer, fields=deep).dump())
    assert found is not None
    assert found.fields is None


def test_a_reason_that_this_version_does_not_know_is_a_rejection_all_the_same() -> None:
    body = {**orjson.loads(CAT.dump()), "reason": "of_tomorrow"}
    found = Vote.parse(orjson.dumps(body))
    assert found is not None
    assert isinstance(found.answer, RejectedRequest)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("voter", "../lite"),
        ("voter", None),
        ("source", "catdogimage/x/1"),
        ("source", 7),
        ("weight", 0),
        ("weight", -1),
        ("weight", 1e9),
        ("weight", "much"),
        ("weight", True),
        ("scores", {"cat": 1.0}),
        ("scores", {"cat": 0.9, "dog": 0.9}),
        ("scores", {"cat": 1.5, "dog": -0.5}),
        ("scores", {"cat": None, "dog": 1}),
        ("scores", {"source": 0.5, "dog": 0.5}),
        ("scores", {" b": 0.5, "dog": 0.5}),
        ("scores", []),
        ("stack", ""),
        ("stack", "a\nb 1"),
        ("stack", "x" * 1000),
        ("familiarity", 7),
        ("key", 7),
        ("key", "not base64"),
        ("url", 7),
        ("fields", [1]),
        ("headers", 7),
        ("headers", [["name"]]),
        ("headers", [[7, "AA=="]]),
        ("timestamp_ms", -1),
        ("timestamp_ms", 1.5),
        ("timestamp_ms", 2**63),
    ],
)
def test_what_cannot_be_a_vote_is_none(name: str, value: object) -> None:
    body = orjson.loads(CAT.dump())
    assert Vote.parse(orjson.dumps(body)) == CAT
    assert Vote.parse(orjson.dumps({**body, name: value})) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"voter": "../lite"}, r"voter must be a text that matches \A[a-z0-9_-]{1,32}\Z, not "
         "'../lite'"),
        ({"source": "7"}, "source must be topic/partition/offset, not '7'"),
        ({"weight": "much"}, "weight must be a number above 0 and of at most 1000, not 'much'"),
        ({"scores": {"cat": 2}}, "scores[...] must be a number from 0 to 1, not {'cat': 2}"),
        ({"key": "\n"}, r"key must be base64 or null, not '\n'"),
        ({"headers": [["a", 7]]}, "headers[0][1] must be base64 or null, not 7"),
        ({"timestamp_ms": 2**62}, "timestamp_ms must be a whole number of at least 0 and below "
         "4611686018427387904 or null, not 4611686018427387904"),
        ({"scores": None}, "scores and stack must be there, or else reason"),
    ],
)  # fmt: skip
def test_the_log_names_field_value_and_what_is_expected(
    change: dict[str, Any], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        assert Vote.parse({**orjson.loads(CAT.dump()), **change}) is None
    assert caplog.messages == [f"A record of catdogvote is no vote: {reason}."]


def test_a_deadline_marker_is_read_as_written(caplog: pytest.LogCaptureFixture) -> None:
    marker = DeadlineMarker("catdogimage", 3, (17, 18))
    written = marker.dump()
    assert written == b'{"topic":"catdogimage","partition":3,"closed":[17,18]}'
    assert DeadlineMarker.parse(written) == marker
    with caplog.at_level("DEBUG"):
        assert DeadlineMarker.parse(written.replace(b"18", b'"x"')) is None
    assert caplog.messages == [
        "A record of catdogvote is no deadline marker: closed[1] must be a whole number, not 'x'."
    ]


@given(st.binary() | st.none() | st.text())
def test_any_bytes_are_read_without_an_error(value: bytes | str | None) -> None:
    Vote.parse(value)


@given(st.dictionaries(st.sampled_from(sorted(orjson.loads(CAT.dump()))), json_values))
def test_any_json_is_read_without_an_error(odd: dict[str, Any]) -> None:
    found = Vote.parse({**orjson.loads(CAT.dump()), **odd})
    if found is not None and isinstance(found.answer, Verdict):
        assert all(math.isfinite(chance) for chance in found.answer.scores.values())


def test_fausts_record_reads_what_a_voter_writes() -> None:
    vote = ImageVote.loads(CAT.dump())
    assert (vote.voter, vote.source, vote.stack) == ("lite", "catdogimage/3/17", "lite 2")
    assert vote.scores == {"cat": 0.75, "dog": 0.25}
    assert Vote.parse(vote.dumps()) == CAT
