"""Tests of JSON whose long texts are read apart: valid JSON is read, and memory stays low."""

import json
import time
import tracemalloc
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from catdog_stream.web.api.problems import Problem
from catdog_stream.web.api.v2.documents import LONG_TEXT, MAX_REST, read_document
from catdog_stream.web.api.v2.infer_request import parse

MEGABYTE = 1 << 20
SIZE = 8 * MEGABYTE
PICTURE = bytes(range(256)) * 40
TEXT = b64encode(PICTURE).decode()

IMAGE = {"name": "image", "datatype": "BYTES", "shape": [1]}
#: A request up to the text of its one picture.
HEAD = b'{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"data":["'


def net_escaped(text: str) -> str:
    """Escape the characters that .NET's JSON encoder escapes."""
    return text.replace("+", r"\u002B")


@pytest.mark.parametrize(
    "escape",
    [
        str,
        net_escaped,
        lambda text: text.replace("/", r"\/"),
        lambda text: r"\r\n".join(text[at : at + 76] for at in range(0, len(text), 76)),
    ],
)
def test_a_picture_is_read_whatever_an_encoder_escapes(escape: Callable[[str], str]) -> None:
    body = HEAD + escape(TEXT).encode() + b'"]}],"id":"\\"quoted\\\\"}'
    asked = parse(body, None)
    assert asked.pictures == [PICTURE]
    assert asked.id == '"quoted\\'


def test_what_is_short_is_read_as_ever() -> None:
    contents: tuple[Any, ...] = (
        {"a": ['"', "\\", "ü\U0001f638", ""], "": {"b\\": 1}},
        [],
        "x",
        5,
        None,
    )
    for content in contents:
        for ascii_ in (True, False):
            text = json.dumps(content, ensure_ascii=ascii_, indent=1).encode()
            read = read_document(text + b"behind", len(text))
            assert read.content == content
            assert not read.long_texts


@pytest.mark.parametrize(
    "document",
    [
        {"inputs": [{**IMAGE, "data": [TEXT]}], "id": TEXT},
        {"inputs": [{**IMAGE, "data": [TEXT], TEXT: 1}]},
        {"inputs": [{**IMAGE, "data": [TEXT]}], "parameters": {"x": TEXT}},
        {"inputs": [{**IMAGE, "data": [TEXT, TEXT]}]},
        {"inputs": [{**IMAGE, "data": [TEXT], "name": TEXT}]},
    ],
)
def test_a_long_text_is_a_picture_or_refused(document: Any) -> None:
    with pytest.raises(Problem) as refused:
        parse(json.dumps(document).encode(), None)
    assert refused.value.status == 400


def test_a_picture_that_is_named_twice_is_refused() -> None:
    text = TEXT.encode()
    with pytest.raises(Problem):
        parse(HEAD + text + b'"],"data":["' + text + b'"]}]}', None)


@pytest.mark.parametrize("quotes", [b'"', b'"a', b'{"a":"\\"}', b'"' + b"\\" * 9999, b'\\""'])
def test_a_text_that_does_not_end_is_refused(quotes: bytes) -> None:
    with pytest.raises(Problem):
        read_document(quotes, len(quotes))


ATTACKS = {
    "objects": b'{"inputs":[' + b"{}," * (SIZE // 3) + b"{}]}",
    "empty texts": b"[" + b'"",' * (SIZE // 3) + b'""]',
    "numbers": b"[" + b"1," * (SIZE // 2) + b"1]",
    "texts just short": b"[" + (b'"' + b"x" * LONG_TEXT + b'",') * (SIZE // LONG_TEXT) + b"1]",
    "texts just long": b"[" + (b'"' + b"x" * (LONG_TEXT + 1) + b'",') * (SIZE // LONG_TEXT) + b"1]",
    "deep": b"[" * SIZE,
    "escaped quotes": b'["' + b'\\"' * (SIZE // 2) + b'"]',
    "backslashes": b'["' + b"\\" * SIZE + b'"]',
    "backslashes and a quote": b'["' + b"\\" * SIZE + b'""]',
    "an emoji": HEAD + "\U0001f638".encode() + b"A" * SIZE + b'"]}]}',
    "escaped emoji": HEAD + b"\\ud83d\\ude38" * (SIZE // 12) + b'"]}]}',
    "words": HEAD + b"AB " * (SIZE // 3) + b'"]}]}',
    "letters": HEAD + b"A " * (SIZE // 2) + b'"]}]}',
    "escaped slashes": HEAD + b"\\/" * (SIZE // 2) + b'"]}]}',
    "escapes of an URI": HEAD + b"data:;base64," + b"%2B" * (SIZE // 3) + b'"]}]}',
    "commas of an URI": HEAD + b"data:" + b"," * SIZE + b'"]}]}',
    "no base64": HEAD + b"*" * SIZE + b'"]}]}',
    "a picture": HEAD + b"A" * SIZE + b'"]}]}',
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_json_takes_more_than_a_few_times_its_bytes(attack: str) -> None:
    body = ATTACKS[attack]
    tracemalloc.start()
    begin = time.thread_time()
    with suppress(Problem):
        assert len(parse(body, None).pictures) == 1
    seconds = time.thread_time() - begin
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Besides the body: a copy without spaces and escapes, and the bytes of the picture.
    assert peak < 3.5 * len(body) + 30 * MAX_REST
    assert seconds < 3, "of the processor"
