"""Tests of valid forms, as browsers and programs send them, and of invalid forms."""

import pytest

from catdog_stream.web.api.forms import read_fields

KIND = "multipart/form-data; boundary=b"
IMAGE = b'Content-Disposition: form-data; name="image"'


def fields(body: bytes, kind: str = KIND) -> dict[str, bytes]:
    return {field.name: field.data for field in read_fields(body, kind)}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"--b\r\n" + IMAGE + b"\r\n\r\ndata\r\n--b--\r\n", b"data"),
        (b"\r\n--b\r\n" + IMAGE + b"\r\n\r\ndata\r\n--b--", b"data"),
        (
            b"--b\r\n" + IMAGE + b'; filename="; name=x.png"\r\n\r\n\r\n\r\n\r\n--b--more',
            b"\r\n\r\n",
        ),
        (b"--b\r\ncontent-disposition:FORM-DATA;name=image\r\n\r\n--b\r\n--b--", b"--b"),
        (b"--b\r\n" + IMAGE + b"\r\nContent-Length: 1\r\n\r\ndata\r\n--b--", b"data"),
    ],
)
def test_a_form_is_read(body: bytes, expected: bytes) -> None:
    assert fields(body) == {"image": expected}


def test_a_field_without_header_lines_has_no_name() -> None:
    assert fields(b"--b\r\n\r\ndata\r\n--b\r\n\r\n\r\n--b--") == {"": b""}


def test_header_lines_are_known_by_names_in_lower_case() -> None:
    body = b"--b\r\n" + IMAGE + b"\r\nContent-TYPE: image/png\r\n\r\n\r\n--b--"
    (field,) = read_fields(body, 'multipart/form-data; boundary="b"')
    assert field.headers["content-type"] == "image/png"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "begin with its boundary"),
        (b"preamble\r\n--b--", "begin with its boundary"),
        (b"\r\n\r\n--b--", "begin with its boundary"),
        (b"--b", "no header lines"),
        (b"--bc\r\n\r\n\r\n--b--", "no header lines"),
        (b"--b\r\n" + b"a:b\r\n" * 5000 + b"\r\n\r\n--b--", "no header lines"),
        (b"--b\r\n folded\r\n\r\n\r\n--b--", "no header"),
        (b"--b\r\n" + IMAGE + b"\r\n\r\ndata", "ends within"),
    ],
)
def test_what_is_no_form_is_refused_with_a_reason(body: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        fields(body)


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=" + 71 * "b"]
)
def test_a_boundary_that_is_none_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="boundary"):
        fields(b"--b--", kind)
