"""Tests of base64 in every spelling that clients send, through each reader of pictures."""

import json
import re
from base64 import b64encode, encodebytes, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.messages.base64_text import read_base64
from catdog_stream.web.api.v2.infer_request import parse
from tests.support.requests import parse_request

#: The two alphabets differ for this picture, and its base64 has one character of padding.
PICTURE = bytes(range(256)) + b"\xfb\xef\xff\xff"


def spellings(picture: bytes) -> dict[str, str]:
    """Return a picture in each encoding of the clients."""
    standard, safe = b64encode(picture).decode(), urlsafe_b64encode(picture).decode()
    return {
        "standard": standard,
        "standard, unpadded": standard.rstrip("="),
        "URL-safe": safe,
        "URL-safe, unpadded": safe.rstrip("="),
        "lines of MIME": encodebytes(picture).decode().replace("\n", "\r\n"),
        "URL-safe lines": re.sub("(.{64})", "\\1\n", safe),
        "space around": f" \t{standard}\n",
        "data: URI": f"data:image/png;base64,{standard}",
        "data: URI without a type": f"data:;base64,{standard}",
        "data: URI with parameters": f"data:image/png;name=cat.png;base64,{standard}",
        "data: URI in capitals": f"DATA:IMAGE/PNG;BASE64,{standard}",
        "data: URI, URL-safe and unpadded": f"data:image/png;base64,{safe}".rstrip("="),
        "data: URI in lines": f"data:image/png;base64,\n{encodebytes(picture).decode()}",
        "data: URI with escapes": "data:image/png;base64,"
        + standard.replace("+", "%2B").replace("/", "%2f").replace("=", "%3D"),
    }


@pytest.mark.parametrize("spelling", spellings(PICTURE))
def test_kafka_and_v2_accept_every_spelling(spelling: str) -> None:
    text = spellings(PICTURE)[spelling]
    request = json.dumps({"data": text}).encode()
    assert parse_request(request, max_image_bytes=len(PICTURE)).picture == PICTURE
    image = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [text]}
    assert parse(json.dumps({"inputs": [image]}).encode(), None).pictures == [PICTURE]


@given(st.binary(max_size=60))
def test_every_length_is_read_in_every_spelling(picture: bytes) -> None:
    assert {read_base64(text) for text in spellings(picture).values()} == {picture}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("A", "length or its padding"),
        ("AAA==", "length or its padding"),
        ("AA=", "length or its padding"),
        ("AA=A", "continues behind its padding"),
        ("AA==AA==", "continues behind its padding"),
        ("+A-_", "mixes"),
        ("AA*A", "characters that base64 does not have"),
        ("äöüß", "not ASCII"),
        ("data:image/png,AAAA", "does not say ;base64"),
        ("data:image/png;base64", "without a comma"),
        (f"data:{'x' * 300};base64,AAAA", "without a comma"),
        ("data:image/png;base64,data:image/png;base64,AAAA", "characters that base64"),
    ],
)
def test_what_is_not_base64_is_refused_with_a_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_base64(text)
