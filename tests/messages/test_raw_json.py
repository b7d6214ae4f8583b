"""Tests that members of JSON objects keep their bytes, for any numbers, names and strings."""

import json
import time
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.messages.raw_json import RawObject, loads

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.from_regex(r"\A-?(0|[1-9][0-9]{0,400})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,4})?\Z")
SCALARS = (
    NUMBERS | st.sampled_from(["null", "true", "false"]) | TEXT.map(json.dumps)
    | TEXT.map(lambda text: json.dumps(text, ensure_ascii=False))
)  # fmt: skip
SPACE = st.text(" \n\r\t", max_size=2)


def _spaced(*parts: "str | st.SearchStrategy[str]") -> "st.SearchStrategy[str]":
    return st.tuples(*(st.just(part) if isinstance(part, str) else part for part in parts)).map(
        "".join
    )


def _listed(item: "st.SearchStrategy[str]") -> "st.SearchStrategy[str]":
    return st.lists(item, max_size=3).map(",".join)


VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        _spaced("[", _listed(_spaced(SPACE, inner, SPACE)), "]")
        | _spaced(
            "{", _listed(_spaced(SPACE, TEXT.map(json.dumps), SPACE, ":", SPACE, inner, SPACE)), "}"
        )
    ),
    max_leaves=8,
)


@given(st.lists(st.tuples(TEXT.map(json.dumps), VALUES, SPACE, SPACE), max_size=5))
def test_every_member_keeps_its_bytes(members: list[tuple[str, str, str, str]]) -> None:
    text = ",".join(
        f"{before}{name}{after}:{before}{value}{after}" for name, value, before, after in members
    )
    document = ("{" + text + " }").encode()
    assert isinstance(loads(document), dict), "the test writes JSON"
    compact = ",".join(f"{name}:{value}" for name, value, *_ in members)
    assert RawObject.parse(document).json == ("{" + compact + "}").encode()


def test_a_member_gets_another_value_in_its_place_and_a_new_one_comes_last() -> None:
    document = RawObject.parse(rb'{"a": 1, "d\u0061ta": "x", "b": 2.50, "data": "y", "a": 3}')
    found = document.replaced({"data": b"null", "url": b'"u"'})
    assert found.json == rb'{"a":1,"d\u0061ta":null,"b":2.50,"a":3,"url":"u"}'


def test_it_reads_as_a_mapping_of_values() -> None:
    document = RawObject.parse(b'{"a": [1, {"b": "}"}], "c": 1e999, "a": 2.0}')
    assert document == {"a": 2.0, "c": 0}
    assert document.raw("a") == b"2.0"
    with pytest.raises(KeyError):
        document.raw("z")


@pytest.mark.parametrize("number", ["1e999", "-1E+999", "9" * 5000, f"0.1e{10**6}"])
def test_a_number_that_no_float_holds_is_json(number: str) -> None:
    for text in (number, f'{{"a": [{number}], "b": "{number}"}}'):
        assert loads(text) == loads(text.encode())
    assert loads(f'{{"b": "{number}", "a": {number}}}') == {"b": number, "a": 0}


@pytest.mark.parametrize(
    "text", ["--1e999", "+1e999", "01e999", "1e999x", "[1e999", "1.e999", ".1e999", "1e999 1e999"]
)
def test_what_is_not_json_stays_so_beside_such_a_number(text: str) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        loads(text)


@given(st.text("-+.0123456789eE", min_size=1, max_size=8))
def test_no_other_text_becomes_a_number(text: str) -> None:
    def reads(parse: Any) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    assert reads(loads) == reads(lambda text: json.loads(text, parse_int=str))


def test_millions_of_characters_cost_milliseconds() -> None:
    plain, escaped = b'"' + b"A" * 4_000_000 + b'"', b'"' + rb"\/" * 2_000_000 + b'"'
    for value in (plain, escaped, b"[" + b"1," * 1_000_000 + b"1]"):
        begun = time.perf_counter()
        assert RawObject.parse(b'{"data": ' + value + b', "id": 7}').raw("id") == b"7"
        assert time.perf_counter() - begun < 1
