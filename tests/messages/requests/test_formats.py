"""Tests of the formats of requests."""

import base64
import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.errors import RejectedRequest, SettingError
from catdog_stream.messages.requests.formats import REQUEST_FORMATS, format_named
from catdog_stream.messages.requests.json_format import JsonFormat
from catdog_stream.messages.requests.request import Request, RequestParser
from catdog_stream.messages.wire import Headers

LIMIT = 1000
PICTURE = b"\x89PNG picture"
BASE64 = base64.b64encode(PICTURE).decode()
BINARY = (
    ("ce_specversion", b"1.0"),
    ("ce_id", b"7"),
    ("ce_subject", b"a/cat"),
    ("content-type", b"image/png"),
)
EVENT = {"specversion": "1.0", "id": "7", "type": "t", "source": "s", "subject": "a/cat"}


def read(name: str, value: bytes | None, headers: Headers = (), **fields: str) -> Request:
    return RequestParser(format_named(name, JsonFormat(**fields)), LIMIT).parse(value, headers)


def reason(name: str, value: bytes | None, headers: Headers = ()) -> str:
    with pytest.raises(RejectedRequest) as rejected:
        read(name, value, headers)
    return rejected.value.reason


@pytest.mark.parametrize("name", REQUEST_FORMATS)
@given(picture=st.binary(min_size=1, max_size=100), url=st.none() | st.text())
def test_what_a_format_writes_it_reads(name: str, picture: bytes, url: str | None) -> None:
    if url is not None:
        url = url.encode("utf-8", "ignore").decode()
    value, headers = format_named(name, JsonFormat()).write(picture, url)
    request = read(name, value, headers)
    assert (request.url, request.picture) == (url, picture)


@pytest.mark.parametrize(
    ("name", "value", "headers"),
    [
        ("raw", PICTURE, (("url", b"a/cat"),)),
        ("cloudevents", PICTURE, BINARY),
        ("cloudevents", json.dumps({**EVENT, "data_base64": BASE64}).encode(), ()),
        ("cloudevents", json.dumps({**EVENT, "data": {"data": BASE64}}).encode(), ()),
        (
            "cloudevents",
            json.dumps({"data": BASE64}).encode(),
            (*BINARY[:3], ("Content-Type", b"application/json")),
        ),
    ],
)
def test_a_picture_and_its_url_come_out_of_each_form_also_by_auto(
    name: str, value: bytes, headers: Headers
) -> None:
    for each in (name, "auto"):
        request = read(each, value, headers)
        assert (request.url, request.picture) == ("a/cat", PICTURE)


def test_auto_tells_json_from_a_picture_by_the_first_byte() -> None:
    value = json.dumps({"url": "u", "data": BASE64}).encode()
    assert read("auto", b" \n" + value).picture == PICTURE
    assert read("auto", PICTURE).picture == PICTURE
    assert reason("auto", b'{"url": 1}') == "bad_url"
    assert reason("auto", None) == "missing_data"


def test_fields_of_json_have_paths_and_the_label_does_not_repeat_the_picture() -> None:
    value = json.dumps({"payload": {"image": BASE64, "size": 7}, "from": {"at": "u"}}).encode()
    request = read("json", value, data="payload.image", url="from.at")
    assert (request.url, request.picture) == ("u", PICTURE)
    assert dict(request.fields or {}) == {"payload": None, "from": {"at": "u"}}
    again, _ = JsonFormat("payload.image", "from.at").write(PICTURE, "u")
    assert json.loads(again) == {"payload": {"image": BASE64}, "from": {"at": "u"}}


REFERENCE = "s3://cats/a b"


@pytest.mark.parametrize(
    ("value", "headers", "url"),
    [
        (json.dumps({"url": REFERENCE}).encode(), (), REFERENCE),
        (json.dumps({"url": REFERENCE, "data": ""}).encode(), (), REFERENCE),
        (json.dumps({"url": REFERENCE, "data": None, "more": 1}).encode(), (), REFERENCE),
        (json.dumps({**EVENT, "dataref": REFERENCE}).encode(), (), "a/cat"),
        (json.dumps({**EVENT, "data": {"url": REFERENCE}}).encode(), (), REFERENCE),
        (None, (*BINARY, ("ce_dataref", REFERENCE.encode())), "a/cat"),
    ],
)
def test_a_request_without_a_picture_may_have_a_reference(
    value: bytes | None, headers: Headers, url: str
) -> None:
    request = read("auto", value, headers)
    assert (request.url, request.picture, request.reference) == (url, b"", REFERENCE)


@pytest.mark.parametrize(
    "value",
    [
        {"url": REFERENCE, "data": BASE64},
        {**EVENT, "dataref": REFERENCE, "data_base64": BASE64},
        {**EVENT, "dataref": REFERENCE, "data": {"data": BASE64}},
    ],
)
def test_the_picture_of_a_request_is_used_and_not_its_reference(value: object) -> None:
    request = read("auto", json.dumps(value).encode())
    assert (request.picture, request.reference) == (PICTURE, None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"url": "http://a/b"}, "missing_data"),
        ({"url": "aHR0cHM6Ly9leGFtcGxlLm9yZw"}, "missing_data"),
        ({"url": REFERENCE, "data": 1}, "bad_base64"),
        ({"url": REFERENCE, "data": []}, "bad_base64"),
        ({**EVENT, "dataref": 1}, "bad_reference"),
    ],
)
def test_what_is_no_reference_has_the_reason_of_a_missing_picture(
    value: object, expected: str
) -> None:
    assert reason("auto", json.dumps(value).encode()) == expected


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("raw", b"", "missing_data"),
        ("raw", b"x" * (LIMIT + 1), "too_large"),
        ("cloudevents", b"", "not_json"),
        ("cloudevents", b"[]", "not_an_object"),
        ("cloudevents", b"{}", "bad_format"),
        ("cloudevents", json.dumps({**EVENT, "subject": 1}).encode(), "bad_url"),
        ("cloudevents", json.dumps(EVENT).encode(), "missing_data"),
        ("cloudevents", json.dumps({**EVENT, "data_base64": "?"}).encode(), "bad_base64"),
        ("cloudevents", b"[" * 200_000, "too_large"),
        ("cloudevents", b'{"a":' + b"[" * 100_001, "too_large"),
    ],
)
def test_a_record_in_another_form_has_a_reason(name: str, value: bytes, expected: str) -> None:
    assert reason(name, value) == expected


@given(st.sampled_from(REQUEST_FORMATS), st.binary(max_size=200), st.binary(max_size=20))
def test_any_bytes_are_a_request_or_rejected(name: str, value: bytes, kind: bytes) -> None:
    headers = (("content-type", kind), ("ce_specversion", kind))
    for some in ((), headers, headers[:1]):
        with suppress(RejectedRequest):
            assert read(name, value, some).picture


def test_a_class_of_ones_own_reads_and_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_format.py").write_text(
        "from catdog_stream.messages.requests.request import Request\n"
        "class Reversed:\n"
        "    def read(self, value, headers):\n"
        "        if value.startswith(b'?'):\n"
        "            raise ValueError('a question')\n"
        "        return Request(None, value[::-1])\n"
        "    def write(self, picture, url):\n"
        "        return picture[::-1], ()\n"
        "def leave():\n"
        "    raise SystemExit(3)\n"
        "class Half:\n"
        "    def read(self, value, headers): ...\n"
    )
    monkeypatch.chdir(tmp_path)
    assert read("own_format:Reversed", b"abc").picture == b"cba"
    with pytest.raises(RejectedRequest, match="format of requests: a question"):
        read("own_format:Reversed", b"?")
    for name, why in (
        ("own_format:Half", "it has no write"),
        ("own_format:Missing", "has no attribute"),
        ("own_format:leave", "SystemExit: 3"),
        ("missing_format:Own", "there is no module missing_format"),
    ):
        with pytest.raises(
            SettingError, match=f"^The request format '{name}' cannot be used: .*{why}"
        ):
            format_named(name, JsonFormat())
