"""Tests of replayed requests, and of the summary of a replay."""

from collections.abc import Collection

import orjson
import pytest
from aiokafka import ConsumerRecord

from catdog_stream.delivery.replay import Rejected, ReplayOutcome, Tally, request_again
from catdog_stream.errors import REPLAY_ADVICE, Reason, RejectedRequest
from catdog_stream.messages.wire import Headers, Incoming, Source, rejection
from catdog_stream.settings import Settings
from tests.support.names import REQUESTS

REQUEST = Source("catdogimage", 3, 17)
PARSER = Settings().request_parser
VALUE = orjson.dumps({"label": None, "url": "x", "data": "QUJD" * 100})


def rejected(
    value: bytes | None = VALUE,
    headers: Headers = (("h", b"1"),),
    *,
    max_bytes: int = 10_000,
    key: bytes | None = b"k",
    members: Collection[str] = ("data",),
) -> Rejected:
    """Return the rejection of a request."""
    incoming = Incoming(REQUEST, key, value, headers, None)
    error = RejectedRequest(Reason.NOT_AN_IMAGE, "So.")
    answer = rejection(incoming, error, max_bytes=max_bytes, picture_members=members)
    return read(answer.key, answer.value, answer.headers)


def read(key: bytes | None, value: bytes | None, headers: Headers, partition: int = 3) -> Rejected:
    """Return a record of ``catdogimage-rejected`` at offset 5."""
    record = ConsumerRecord(
        *("catdogimage-rejected", partition, 5, 1_700_000_000_000, 0),
        *(key, value, None, 0, 0, headers),
    )
    return Rejected.read(record, REQUESTS, partitions=8)


def test_a_request_is_put_back_as_it_came() -> None:
    again = request_again(rejected(), PARSER)
    assert again is not None
    assert (again.key, again.value) == (b"k", VALUE)
    assert list(again.headers) == [("h", b"1"), ("replay-of", b"catdogimage-rejected/3/5")]


def test_a_request_that_is_rejected_again_names_its_last_rejection_alone() -> None:
    again = request_again(rejected(headers=(("replay-of", b"catdogimage-rejected/3/1"),)), PARSER)
    assert again is not None
    assert list(again.headers) == [("replay-of", b"catdogimage-rejected/3/5")]


@pytest.mark.parametrize("max_bytes", [300, 200])
def test_a_request_whose_picture_was_left_out_cannot_be_put_back(max_bytes: int) -> None:
    short = rejected(max_bytes=max_bytes)
    assert short.record.value != VALUE
    assert request_again(short, PARSER) is None


@pytest.mark.parametrize("value", [None, b"", b"{}", b'{"data": null}', b'{"data": ""}'])
def test_a_request_that_never_had_a_picture_is_not_put_back(value: bytes | None) -> None:
    assert request_again(rejected(value), PARSER) is None


@pytest.mark.parametrize("value", [b"\xff\xfe{", b"[1]", b"7", b'{"data": 5}'])
def test_what_nobody_understands_is_put_back_as_it_is(value: bytes) -> None:
    again = request_again(rejected(value), PARSER)
    assert again is not None
    assert again.value == value


PICTURE = b"QUJD" * 100
PAYLOAD = b'{"payload":{"image":"%b"},"camera":7}' % PICTURE
EVENT = b'{"specversion":"1.0","data_base64":"%b"}' % PICTURE
EVENT_OF_JSON = b'{"specversion":"1.0","data":{"image":"%b"}}' % PICTURE
OTHER_FIELD = Settings(data_field="payload.image")
EVENTS, AUTO = Settings(request_format="cloudevents"), Settings(request_format="auto")


@pytest.mark.parametrize(
    ("settings", "value", "short"),
    [
        (OTHER_FIELD, PAYLOAD, b'{"payload":null,"camera":7}'),
        (EVENTS, EVENT, b'{"specversion":"1.0","data_base64":null}'),
        (EVENTS, EVENT_OF_JSON, b'{"specversion":"1.0","data":null}'),
        (AUTO, EVENT, b'{"specversion":"1.0","data_base64":null}'),
        (AUTO, VALUE, b'{"label":null,"url":"x","data":null}'),
        (Settings(request_format="raw"), b"{picture" + PICTURE, b""),
        (
            Settings(request_format="catdog_stream.messages.requests.formats:RawFormat"),
            PAYLOAD,
            b"",
        ),
    ],
)
def test_requests_of_every_format_are_put_back_unless_their_picture_was_left_out(
    settings: Settings, value: bytes, short: bytes
) -> None:
    parser = settings.request_parser
    members = parser.picture_members
    again = request_again(rejected(value, members=members), parser)
    assert again is not None
    assert again.value == value
    left = rejected(value, max_bytes=300, members=members)
    assert left.record.value == short
    assert request_again(left, parser) is None


DATAREF = b'{"specversion":"1.0","dataref":"s3://a/b"}'
BINARY = (("ce_specversion", b"1.0"), ("ce_dataref", b"s3://a/b"))


@pytest.mark.parametrize(
    ("settings", "value", "headers", "reason", "whole"),
    [
        (Settings(), b'{"url":"s3://a/b"}', (), Reason.TIMEOUT, True),
        (Settings(), b'{"url":"s3://a/b","data":""}', (), Reason.TIMEOUT, True),
        (Settings(), b'{"url":"s3://a/b","data":null}', (), Reason.REFERENCE_NOT_FOUND, True),
        (Settings(), b'{"url":"s3://a/b","data":null}', (), Reason.MISSING_DATA, True),
        # A picture may have been left out, and then the url is opaque.
        (Settings(), b'{"url":"s3://a/b","data":null}', (), Reason.TOO_LARGE, False),
        (Settings(), b'{"url":"a"}', (), Reason.MISSING_DATA, False),
        (OTHER_FIELD, b'{"url":"s3://a/b","payload":{}}', (), Reason.TIMEOUT, True),
        (EVENTS, DATAREF, (), Reason.TIMEOUT, True),
        (AUTO, DATAREF, (), Reason.TIMEOUT, True),
        (EVENTS, None, BINARY, Reason.TIMEOUT, True),
        (AUTO, None, BINARY, Reason.TIMEOUT, True),
    ],
)
def test_a_reference_is_put_back_unless_a_picture_may_have_been_left_out(
    settings: Settings, value: bytes | None, headers: Headers, reason: Reason, whole: bool
) -> None:
    parser = settings.request_parser
    answer = rejection(
        Incoming(REQUEST, b"k", value, headers, None),
        RejectedRequest(reason, "So."),
        max_bytes=10_000,
        picture_members=parser.picture_members,
    )
    again = request_again(read(answer.key, answer.value, answer.headers), parser)
    assert (again is not None) == whole
    assert again is None or again.value == value


def test_a_request_is_known_by_its_place() -> None:
    assert rejected().request == REQUEST
    assert rejected().place == Source("catdogimage-rejected", 3, 5)
    assert rejected().reason == "not_an_image"


@pytest.mark.parametrize(
    "headers",
    [(), (("source", b"?"),), (("source", b"other/3/1"),), (("source", b"catdogimage/4/1"),)],
)
def test_a_rejection_that_does_not_tell_where_its_request_stood_is_known_by_its_own_place(
    headers: Headers,
) -> None:
    foreign = read(None, VALUE, headers)
    assert foreign.request == foreign.place
    assert foreign.reason == "unknown"


def test_the_summary_tells_what_happened_and_nothing_else() -> None:
    tally = Tally()
    assert tally.summary() == "Replayed 0 requests."
    tally.add("too_large", ReplayOutcome.REPLAYED)
    assert tally.summary() == "Replayed 1 request."
    for fate, count in (
        (ReplayOutcome.REPLAYED, 11),
        (ReplayOutcome.KNOWN, 3),
        (ReplayOutcome.NO_PICTURE, 1),
    ):
        for _ in range(count):
            tally.add("not_an_image", fate)
    tally.add("too_large", ReplayOutcome.TOO_LARGE)
    parts = (
        "12 requests; 3 had been replayed before; 1 had no picture; "
        "1 had more bytes than the topic takes."
    )
    assert tally.summary() == f"Replayed {parts}"
    assert tally.summary(dry_run=True) == f"Would replay {parts}"
    assert tally.lines() == [
        "not_an_image: 11 requests; 3 had been replayed before; 1 had no picture.",
        "too_large: 1 request; 1 had more bytes than the topic takes.",
    ]


def test_what_was_left_out_is_counted_and_can_be_forced() -> None:
    tally = Tally()
    tally.add("timeout", ReplayOutcome.REPLAYED)
    assert tally.left_out() == ""
    tally.add("not_json", ReplayOutcome.LEFT_OUT)
    assert tally.summary() == "Replayed 1 request; 1 would be rejected again."
    assert tally.left_out() == (
        "Left out 1 request that would be rejected again. Name the reason to replay it all the "
        "same: --reason not_json"
    )
    tally.add("not_an_image", ReplayOutcome.LEFT_OUT)
    assert tally.left_out() == (
        "Left out 2 requests that would be rejected again. Name the reason to replay them all "
        "the same: --reason not_an_image --reason not_json"
    )


def test_each_reason_has_its_advice_and_faults_of_the_application_can_be_replayed() -> None:
    assert REPLAY_ADVICE.keys() == set(Reason)
    can_help = {reason for reason, advice in REPLAY_ADVICE.items() if advice.can_help}
    assert can_help >= {Reason.TIMEOUT, Reason.INTERNAL_ERROR, Reason.STOPPED_WORKERS}
    assert not can_help & {Reason.MISSING_DATA, Reason.NOT_AN_IMAGE, Reason.NOT_JSON}
