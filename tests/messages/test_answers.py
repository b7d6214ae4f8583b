"""Tests of labels and rejections, as each client parses them, and as untrusted records."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.errors import Reason
from catdog_stream.messages.answers import AnyHeaders, AnyValue, Label, Rejection
from catdog_stream.messages.wire import Source

FIELDS = {"label": "Probabilities: cat 99.9% dog 0.1%", "url": "dXJs", "data": None}
VALUE = json.dumps(FIELDS)
PAIRS = [
    ("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("verdict", b"cat"),
    ("cat", b"0.99912"),
    ("dog", b"0.00088"),
    ("stack", b"inception_v3 1"),
    ("source", b"catdogimage/3/42"),
]
LABEL = Label(
    verdict="cat",
    scores={"cat": 0.99912, "dog": 0.00088},
    text="Probabilities: cat 99.9% dog 0.1%",
    url="dXJs",
    stack="inception_v3 1",
    source=Source("catdogimage", 3, 42),
)
AS_TEXT = {name: value.decode() for name, value in PAIRS}


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        pytest.param(VALUE.encode(), dict(PAIRS), id="Faust, raw"),
        pytest.param(FIELDS, dict(PAIRS), id="Faust, JSON"),
        pytest.param(VALUE.encode(), tuple(PAIRS), id="aiokafka and kafka-python"),
        pytest.param(VALUE.encode(), PAIRS, id="confluent-kafka"),
        pytest.param(VALUE, AS_TEXT, id="FastStream"),
    ],
)
def test_a_label_is_the_same_by_way_of_each_client(value: AnyValue, headers: AnyHeaders) -> None:
    assert Label.parse(value, headers) == LABEL


def test_a_label_of_a_loop_without_headers_is_read_from_its_text() -> None:
    label = Label.parse(VALUE.encode())
    assert label is not None
    assert (label.verdict, label.stack, label.source) == ("cat", None, None)
    assert label.scores == pytest.approx({"cat": 0.999, "dog": 0.001})


@pytest.mark.parametrize(
    "value", [None, b"", b"{", b"[]", b"null", b'{"label": 1}', b'{"label": "Probabilities: "}']
)
def test_what_is_no_label_is_none(value: bytes | None) -> None:
    assert Label.parse(value, PAIRS) is None


def test_chances_that_are_none_do_not_come_from_headers() -> None:
    label = Label.parse(VALUE, {"cat": b"nan", "dog": b"-3"})
    assert label is not None
    assert label.scores == pytest.approx({"cat": 0.999, "dog": 0.001})


def test_a_rejection_tells_why() -> None:
    headers = [("reason", b"bad_base64"), ("detail", b"It is."), ("source", b"catdogimage/0/7")]
    rejection = Rejection.parse(b'{"url": "dXJs", "data": "?"}', headers)
    expected = Rejection(Reason.BAD_BASE64, "It is.", Source("catdogimage", 0, 7), "dXJs")
    assert rejection == expected
    later = Rejection.parse(None, {"reason": "too_green"})
    assert later is not None
    assert later.reason == "too_green"
    assert Rejection.parse(b"{}", {}) is None


TEXTS = st.text() | st.binary()


@given(st.binary() | st.text(), st.dictionaries(st.sampled_from([n for n, _ in PAIRS]), TEXTS))
def test_whatever_a_stranger_writes_raises_nothing(value: Any, headers: Any) -> None:
    for given_value in (value, json.dumps({**FIELDS, "url": repr(value)})):
        Label.parse(given_value, headers)
        Rejection.parse(given_value, headers)
