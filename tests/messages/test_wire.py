"""Tests of the wire contract, byte for byte."""

import base64
import json
import re
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.errors import REPLAY_ADVICE, Reason, RejectedRequest
from catdog_stream.messages.answers import Label
from catdog_stream.messages.labels import verdict_label
from catdog_stream.messages.wire import (
    Headers,
    Incoming,
    Source,
    rejection,
)
from tests.support.requests import parse_request

PICTURE = b"\x89PNG\r\n\x1a\n and so on"
URL = "aHR0cHM6Ly9leGFtcGxlLm9yZy9hLnBuZz94PTE_"  # URL-safe base64 without padding
ROOMY = 10_000_000


def value(**fields: Any) -> bytes:
    return json.dumps({"url": URL, "data": base64.b64encode(PICTURE).decode(), **fields}).encode()


def incoming(
    request: bytes | None = None, *, key: bytes | None = None, headers: Headers = ()
) -> Incoming:
    return Incoming(Source("catdogimage", 3, 42), key, request, headers, timestamp_ms=None)


def reason(request: bytes | None, max_image_bytes: int = 1000) -> str:
    with pytest.raises(RejectedRequest) as caught:
        parse_request(request, max_image_bytes=max_image_bytes)
    assert caught.value.detail.endswith(".")
    return caught.value.reason


class TestRequests:
    @pytest.mark.parametrize("label", [{}, {"label": None}, {"label": ""}])
    def test_existing_clients_send_no_label_and_a_url_in_base64(self, label: Any) -> None:
        request = parse_request(value(**label), max_image_bytes=1000)
        assert request.url == URL
        assert request.picture == PICTURE

    def test_unknown_fields_are_ignored_and_a_url_may_be_missing(self) -> None:
        data = base64.b64encode(PICTURE).decode()
        request = parse_request(json.dumps({"data": data, "x": 1}).encode(), max_image_bytes=1000)
        assert request.url is None
        assert request.picture == PICTURE

    @pytest.mark.parametrize("width", [64, 76])
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_base64_may_be_broken_into_lines(self, width: int, end: str) -> None:
        picture = bytes(range(256)) * 4
        text = base64.b64encode(picture).decode()
        lines = end.join(text[i : i + width] for i in range(0, len(text), width)) + end
        request = parse_request(value(data=lines), max_image_bytes=len(picture))
        assert request.picture == picture

    @pytest.mark.parametrize("request_value", [None, b"", b"{", b"\xff\xfe", b"NaN", b"\x00"])
    def test_what_is_not_json_is_said_so(self, request_value: bytes | None) -> None:
        assert reason(request_value) == "not_json"

    def test_json_of_millions_of_values_is_not_parsed(self) -> None:
        assert reason(b"[" + b"{}," * 1_000_001 + b"{}]", 5_000_000) == "too_large"

    def test_a_rejection_of_many_values_has_none_of_them(self) -> None:
        many = b"{" + b",".join(b'"%d":1' % number for number in range(20_000)) + b"}"
        incoming = Incoming(Source("catdogimage", 0, 1), b"key", many, (), None)
        error = RejectedRequest(Reason.TOO_LARGE, "It is too large.")
        assert rejection(incoming, error, max_bytes=len(many)).value == b""
        assert rejection(incoming, error, max_bytes=len(many) + 1000).value == many

    def test_a_lone_surrogate_is_not_json(self) -> None:
        # It cannot be encoded as UTF-8, so it must not reach the label.
        assert reason(b'{"url": "\\ud800", "data": "AAAA"}') == "not_json"

    @pytest.mark.parametrize(("depth", "expected"), [(99_000, "not_json"), (10**6, "too_large")])
    def test_json_that_is_nested_deeply_costs_only_its_sender(
        self, depth: int, expected: str
    ) -> None:
        assert reason(b"[" * depth, 5_000_000) == expected
        assert reason(b'{"a":' * depth, 5_000_000) == expected

    def test_what_is_far_larger_than_any_picture_is_not_even_parsed(self) -> None:
        assert reason(b"[" * 200_000) == "too_large"

    @pytest.mark.parametrize("document", [b"[]", b"1", b'"text"', b"null", b"true"])
    def test_json_that_is_no_object_is_said_so(self, document: bytes) -> None:
        assert reason(document) == "not_an_object"

    @pytest.mark.parametrize("url", [5, ["a"], {"a": 1}, False])
    def test_a_url_must_be_text(self, url: Any) -> None:
        assert reason(value(url=url)) == "bad_url"

    @pytest.mark.parametrize("data", [None, "", " \r\n"])
    def test_a_request_without_a_picture_is_said_so(self, data: Any) -> None:
        assert reason(value(data=data)) == "missing_data"
        assert reason(b"{}") == "missing_data"

    @pytest.mark.parametrize(
        "data",
        [5, ["AAAA"], "AAA==", "A===", "AA=A", "+A-_", "äöüß", "\x00AAA", "data:image/png,AAAA"],
    )
    def test_what_is_not_base64_is_said_so(self, data: Any) -> None:
        assert reason(value(data=data)) == "bad_base64"

    @given(st.integers(1, 40), st.integers(0, 44))
    def test_a_picture_is_too_large_from_one_byte_above_the_limit(
        self, limit: int, size: int
    ) -> None:
        request = value(data=base64.b64encode(b"x" * size).decode())
        if size == 0:
            assert reason(request, limit) == "missing_data"
        elif size > limit:
            assert reason(request, limit) == "too_large"
        else:
            assert parse_request(request, max_image_bytes=limit).picture == b"x" * size

    def test_a_huge_value_is_refused_in_no_time(self) -> None:
        started = time.monotonic()
        assert reason(value(data="A" * 40_000_000)) == "too_large"
        assert time.monotonic() - started < 5

    @given(st.binary(max_size=300))
    def test_any_bytes_are_either_a_request_or_rejected(self, request: bytes) -> None:
        try:
            parse_request(request, max_image_bytes=1000)
        except RejectedRequest as error:
            assert error.reason  # noqa: PT017 - most bytes are rejected, but not all need be

    @given(
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner)
        ),
        st.text() | st.none() | st.integers(),
    )
    def test_any_fields_are_either_a_request_or_rejected(self, data: Any, url: Any) -> None:
        try:
            parse_request(value(data=data, url=url), max_image_bytes=1000)
        except RejectedRequest as error:
            assert error.reason  # noqa: PT017 - as above


class TestLabels:
    def label(
        self, headers: Headers = (), url: str | None = URL, cat: float = 0.999
    ) -> tuple[bytes, Headers]:
        answer = verdict_label(
            incoming(headers=headers),
            text="Probabilities: cat 99.9% dog 0.1%",
            url=url,
            verdict="cat",
            scores={"cat": cat, "dog": 1 - cat},
            stack="inception_v3 1",
        )
        assert answer.value is not None
        return answer.value, answer.headers

    def test_the_value_is_what_existing_readers_expect_to_the_byte(self) -> None:
        text, _ = self.label()
        assert text == (
            b'{"label": "Probabilities: cat 99.9% dog 0.1%", "url": "' + URL.encode() + b'", '
            b'"data": null}'
        )

    def test_a_url_that_was_not_sent_comes_back_as_null(self) -> None:
        assert self.label(url=None)[0].endswith(b'"url": null, "data": null}')

    @given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
    def test_any_url_comes_back_untouched_and_adds_no_field(self, url: str) -> None:
        body = json.loads(self.label(url=url)[0])
        assert list(body) == ["label", "url", "data"]
        assert body["url"] == url

    def test_other_fields_of_the_request_come_back_in_their_places(self) -> None:
        text = b'{"id": [1, null], "data": "QQ==", "label": "", "\xc3\xa9": 1.5, "url": "x"}'
        request = parse_request(text, max_image_bytes=1000)
        answer = verdict_label(
            incoming(),
            text="Probabilities: cat 99.9% dog 0.1%",
            url=request.url,
            verdict="cat",
            scores={"cat": 0.999, "dog": 0.001},
            stack="inception_v3 1",
            fields=request.fields,
        )
        assert answer.value == (
            b'{"id":[1, null],"data":null,"label":"Probabilities: cat 99.9% dog 0.1%",'
            b'"\xc3\xa9":1.5,"url":"x"}'
        )

    @pytest.mark.parametrize(
        "field",
        [
            str(2**64),
            str(2**128 - 1),
            "0.1234567890123456789",
            "1.0",
            "-0",
            "1E+2",
            "1e999",
            "1" * 400,
            '{"b": [ 1e5,{"a":0.10} ] , "a": 1, "b": 2}',
            r'"\u00e9\/"',
            "[" * 900 + "]" * 900,
            '1, "odd": 2',
        ],
    )
    def test_another_field_comes_back_byte_for_byte(self, field: str) -> None:
        text = f'{{"odd": {field}, "data": "QQ==", "url": "x"}}'.encode()
        request = parse_request(text, max_image_bytes=1000)
        answer = verdict_label(
            incoming(),
            text="Probabilities: cat 99.9% dog 0.1%",
            url=request.url,
            verdict="cat",
            scores={"cat": 0.999, "dog": 0.001},
            stack="inception_v3 1",
            fields=request.fields,
        )
        assert answer.value == (
            b'{"odd":%b,"data":null,"url":"x","label":"Probabilities: cat 99.9%% dog 0.1%%"}'
            % field.replace(' "odd": 2', '"odd":2').encode()
        )
        label = Label.parse(answer.value)
        assert label is not None
        assert label.url == "x"

    def test_a_request_with_the_three_fields_alone_gets_them_alone(self) -> None:
        for text in (b'{"data": "QQ=="}', b'{"url": null, "data": "QQ==", "label": null}'):
            assert parse_request(text, max_image_bytes=1000).fields is None

    def test_everything_else_travels_in_headers(self) -> None:
        headers = dict(self.label()[1])
        assert headers == {
            "verdict": b"cat",
            "cat": b"0.999",
            "dog": str(1 - 0.999).encode(),
            "stack": b"inception_v3 1",
            "source": b"catdogimage/3/42",
        }

    def test_headers_of_the_request_pass_through_and_ours_replace_theirs(self) -> None:
        sent = (
            ("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            ("source", b"catdogimage/0/0"),
            ("a", b"1"),
            ("verdict", b"dog"),
            ("a", b"2"),
        )
        headers = self.label(sent)[1]
        assert headers[:3] == (sent[0], ("a", b"1"), ("a", b"2"))
        assert [name for name, _ in headers].count("source") == 1
        assert dict(headers)["source"] == b"catdogimage/3/42"
        assert dict(headers)["verdict"] == b"cat"

    @given(st.floats(0, 1))
    def test_chances_are_decimals_that_read_back_as_the_same_number(self, cat: float) -> None:
        text = dict(self.label(cat=cat)[1])["cat"].decode()
        assert float(text) == cat
        assert Decimal(text) >= 0
        assert "e" not in text.lower()


class TestRejections:
    def reject(
        self, request: Incoming, max_bytes: int = ROOMY, detail: str = "The picture is torn."
    ) -> tuple[bytes | None, bytes | None, dict[str, bytes]]:
        answer = rejection(
            request, RejectedRequest(Reason.DAMAGED_IMAGE, detail), max_bytes=max_bytes
        )
        return answer.key, answer.value, dict(answer.headers)

    def test_a_rejection_carries_the_bytes_and_headers_of_its_request(self) -> None:
        sent = (("a", b"1"), ("reason", b"theirs"), ("source", b"theirs"))
        key, text, headers = self.reject(incoming(b"not json \xff", key=b"k", headers=sent))
        assert (key, text) == (b"k", b"not json \xff")
        assert headers == {
            "a": b"1",
            "reason": b"damaged_image",
            "detail": b"The picture is torn.",
            "source": b"catdogimage/3/42",
        }

    def test_a_request_without_a_value_is_rejected_without_one(self) -> None:
        assert self.reject(incoming(None, key=b"k"))[:2] == (b"k", None)

    def test_a_request_without_key_and_value_is_rejected_with_an_empty_value(self) -> None:
        assert self.reject(incoming(None))[:2] == (None, b"")

    def test_a_request_without_a_value_whose_key_is_too_large_too(self) -> None:
        assert self.reject(incoming(None, key=b"k" * 5000), max_bytes=1000)[:2] == (None, b"")

    def test_a_detail_with_a_lone_surrogate_can_be_written(self) -> None:
        assert self.reject(incoming(b""), detail="\ud800.")[2]["detail"] == b"?."

    def test_what_is_too_large_loses_its_picture_first(self) -> None:
        request = value(data="A" * 1500, extra="kept")
        _, text, headers = self.reject(incoming(request, headers=(("a", b"1"),)), max_bytes=1000)
        assert text is not None
        assert json.loads(text) == {"url": URL, "data": None, "extra": "kept"}
        assert headers["a"] == b"1"

    def test_what_else_it_has_keeps_its_bytes(self) -> None:
        request = value(data="A" * 1500)[:-1] + b', "id": 18446744073709551616, "id": 0.10}'
        text = self.reject(incoming(request), max_bytes=1000)[1]
        assert text is not None
        assert text.endswith(b'"data":null,"id":18446744073709551616,"id":0.10}')

    def test_a_value_that_is_far_too_large_goes_as_a_whole(self) -> None:
        assert self.reject(incoming(value(data="A" * 5000)), max_bytes=1000)[1] == b""

    def test_then_its_whole_value(self) -> None:
        request = value(data="A" * 500, extra="B" * 1000)
        _, text, headers = self.reject(incoming(request, headers=(("a", b"1"),)), max_bytes=1000)
        assert text == b""
        assert headers["a"] == b"1"

    def test_a_large_value_that_is_not_json_goes_as_a_whole(self) -> None:
        assert self.reject(incoming(b"x" * 5000), max_bytes=1000)[1] == b""
        assert self.reject(incoming(b"[" * 5000), max_bytes=1000)[1] == b""

    def test_then_its_headers(self) -> None:
        sent = (("a", b"1" * 5000),)
        _, text, headers = self.reject(incoming(b"{}" * 5000, headers=sent), max_bytes=1000)
        assert text == b""
        assert set(headers) == {"reason", "detail", "source"}

    def test_and_its_key_last(self) -> None:
        # A record that Kafka refuses for its key would stop every worker that reads the request.
        key, text, headers = self.reject(incoming(b"{}", key=b"k" * 5000), max_bytes=1000)
        assert key is None
        assert text == b"{}"
        assert headers["reason"] == b"damaged_image"

    @given(
        st.integers(0, 3000),
        st.integers(0, 3000) | st.none(),
        st.lists(st.tuples(st.text("ab", max_size=8), st.binary(max_size=1000)), max_size=3),
        st.integers(600, 4000),
    )
    def test_whatever_was_sent_fits_into_the_limit(
        self, size: int, key: int | None, headers: Headers, max_bytes: int
    ) -> None:
        request = incoming(
            value(data="A" * size), key=None if key is None else b"k" * key, headers=headers
        )
        answer = rejection(
            request, RejectedRequest(Reason.DAMAGED_IMAGE, "It is."), max_bytes=max_bytes
        )
        written = len(answer.key or b"") + len(answer.value or b"")
        written += sum(len(name) + len(text) for name, text in answer.headers)
        assert written <= max_bytes


class TestSources:
    @given(st.integers(0, 10**9 - 1), st.integers(0, 10**18 - 1))
    def test_a_source_reads_back_as_written(self, partition: int, offset: int) -> None:
        source = Source("catdogimage", partition, offset)
        assert Source.parse(str(source).encode()) == source

    @pytest.mark.parametrize(
        "text",
        [
            None,
            b"",
            b"catdogimage",
            b"catdogimage/1",
            b"catdogimage/-1/5",
            b"catdogimage/1/-5",
            b"catdogimage/1/5/6",
            b"catdogimage/1/5\n",
            b"catdogimage/1/" + b"9" * 19,
            b"cat dog/1/5",
            b"/1/5",
            "catdogimage/\u0661/\u0665".encode(),
            b"\xff/1/5",
        ],
    )
    def test_anything_else_is_nobodys_source(self, text: bytes | None) -> None:
        assert Source.parse(text) is None


def test_the_codes_of_rejections_are_what_is_documented() -> None:
    """Compare with the rows of docs/wire.md, because clients match on the codes."""
    text = (Path(__file__).parents[2] / "docs" / "wire.md").read_text()
    table = text.partition("| reason | |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| `(\w+)` \|.*\| (.*) \|$", table, re.MULTILINE)
    assert [code for code, _ in rows] == [code.value for code in Reason]
    advised = {code.value: advice.can_help for code, advice in REPLAY_ADVICE.items()}
    assert {code: replay != "no" for code, replay in rows} == advised
