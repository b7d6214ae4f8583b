"""Tests that an invalid document is one sentence, whatever is in it."""

import re
from contextlib import suppress
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from catdog_stream.documents import convert, written


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    kind: Literal["a", "b"]
    share: Annotated[float, Meta(ge=0, le=1)] = 0.0


class Listed(msgspec.Struct, array_like=True):
    first: int
    second: tuple[str, int]


class Outer(msgspec.Struct, omit_defaults=True):
    count: int
    inner: Inner | None = None
    listed: list[Inner] = []
    named: dict[str, Inner] = {}
    numbered: dict[int, bytes] = {}
    short: Listed | None = None
    note: str | None = None
    always: str = written("x")

    def __post_init__(self) -> None:
        if self.count == 13:
            raise ValueError("count must not be 13")


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (None, "the document must be an object, not None"),
        ({}, "count is missing"),
        ({"count": "1"}, "count must be a whole number, not '1'"),
        ({"count": 13}, "count must not be 13"),
        ({"count": 1, "inner": {}}, "inner.kind is missing"),
        ({"count": 1, "inner": {"kind": "c"}}, "inner.kind must be one of a, b, not 'c'"),
        ({"count": 1, "listed": [{"kind": "c"}]}, "listed[0].kind must be one of a, b, not 'c'"),
        (
            {"count": 1, "named": {"x": {"kind": "c"}}},
            "named[...].kind must be one of a, b, not {'x': {'kind': 'c'}}",
        ),
        (
            {"count": 1, "numbered": {"x": ""}},
            "numbered: each name must be a whole number, not {'x': ''}",
        ),
        ({"count": 1, "short": [1]}, "short must be a list of 2 or null, not [1]"),
        ({"count": 1, "short": [1, ["", ""]]}, "short[1][1] must be a whole number, not ''"),
        ({"count": 1, "note": 7}, "note must be a text or null, not 7"),
        (
            {"count": 1, "inner": {"kind": "a", "share": 10**400}},
            "share must be a number from 0 to 1",
        ),
        (
            {"count": 1, "inner": {"kind": "a", "` - at `$.count": 1}},
            "inner has the unknown '` - at `$.count'",
        ),
    ],
)
def test_a_reason_names_field_value_and_what_is_expected(document: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        convert(document, Outer)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("kind"), inner),
)


@given(
    anything
    | st.fixed_dictionaries(
        {"count": st.just(1)}, optional=dict.fromkeys(Outer.__struct_fields__[1:], anything)
    )
)
def test_anything_is_a_value_or_a_value_error(document: Any) -> None:
    with suppress(ValueError):
        convert(document, Outer)


def test_a_document_of_any_depth_and_length_is_a_short_sentence() -> None:
    deep: Any = 0
    for _ in range(100_000):
        deep = [deep]
    for value in (deep, ["x" * 10_000_000] * 10, {str(n): n for n in range(100_000)}):
        with pytest.raises(ValueError, match="count must be a whole number, not ") as raised:
            convert({"count": value}, Outer)
        assert len(str(raised.value)) < 1000


def test_a_default_may_be_written_all_the_same() -> None:
    assert msgspec.to_builtins(Outer(1)) == {"count": 1, "always": "x"}
