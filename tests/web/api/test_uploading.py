"""Tests of uploads: a picture is the body itself or a form's file; other bodies are refused."""

from collections.abc import Mapping
from typing import Any

import pytest
from aiohttp import FormData, web
from hypothesis import given, settings
from hypothesis import strategies as st

from catdog_stream.web.api.body import Intake
from catdog_stream.web.api.stream import Picture
from catdog_stream.web.api.uploading import read_picture
from tests.web.api.serving_apps import Client, play

LIMIT = 10_000


def sent(path: str = "/images/", **request: Any) -> Picture | int:
    """Return the picture of a request, or the status with which it is refused."""
    found: list[Picture] = []
    intake = Intake(10 * LIMIT)

    async def handler(request: web.Request) -> web.Response:
        with intake.budget(LIMIT) as budget:
            found.append(await read_picture(request, budget))
        return web.Response()

    async def scenario(client: Client) -> int:
        return (await client.post(path, **request)).status

    status = play(scenario, [web.post("/images/", handler)])
    assert intake.held == 0
    return found[0] if found else status


def form(**fields: Any) -> FormData:
    """Return a form with a file."""
    data = FormData(default_to_multipart=True)
    for name, value in fields.items():
        data.add_field(name, value, filename="a.png" if isinstance(value, bytes) else None)
    return data


def raw_form(body: bytes) -> Mapping[str, Any]:
    """Return the raw bytes of a form."""
    return {"data": body, "headers": {"Content-Type": "multipart/form-data; boundary=b"}}


@pytest.mark.parametrize("kind", ["image/png", "image/whatever", "application/octet-stream"])
def test_the_body_itself(kind: str) -> None:
    headers = {"Content-Type": kind}
    assert sent("/images/?url=a%20b", data=b"data", headers=headers) == Picture(b"data", "a b")
    assert sent(data=b"data", headers=headers) == Picture(b"data", None)


def test_a_form() -> None:
    assert sent(data=form(image=b"data", url="höhe")) == Picture(b"data", "höhe")
    assert sent(data=form(image=b"data")) == Picture(b"data", None)


@pytest.mark.parametrize("encoding", ["binary", "8bit", "7bit", "Binary"])
def test_a_field_that_says_that_it_is_not_encoded(encoding: str) -> None:
    part = (
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n'
        b"Content-Transfer-Encoding: " + encoding.encode() + b"\r\n\r\n\x00data\r\n--b--\r\n"
    )
    assert sent(**raw_form(part)) == Picture(b"\x00data", None)


@pytest.mark.parametrize("text", [b"APv/ZGF0YQ==", b"APv_\r\nZGF0YQ", b"data:;base64,APv/ZGF0YQ=="])
def test_a_field_in_base64(text: bytes) -> None:
    part = (
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n" + text + b"\r\n--b--\r\n"
    )
    assert sent(**raw_form(part)) == Picture(b"\x00\xfb\xffdata", None)


def test_a_trace_goes_on() -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    assert sent(data=b"x", headers={"traceparent": trace}) == Picture(
        b"x", None, (("traceparent", trace.encode()),)
    )
    assert sent(data=b"x", headers={"traceparent": "anything else"}) == Picture(b"x")


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "multipart/mixed; boundary=b"])
def test_another_type_is_refused(kind: str) -> None:
    assert sent(data=b"data", headers={"Content-Type": kind}) == 415


@pytest.mark.parametrize(
    "request_",
    [
        {"data": b""},
        {"data": form(image=b"")},
        {"data": form(url="x")},
        {"data": form(image=b"x", other="x")},
        {"data": form(image=b"x", url=b"\xff")},
        {"data": form(image=b"x", url="x" * 9000)},
        raw_form(b""),
        raw_form(b"no form"),
        raw_form(b"--b\r\n\r\nnameless\r\n--b--\r\n"),
        raw_form(b"--b\r\nno header\r\n\r\n\r\n--b--\r\n"),
        raw_form(b'--b\r\nContent-Disposition: form-data; name="image"\r\n\r\ncut off'),
        raw_form(
            b'--b\r\nContent-Disposition: form-data; name="image"\r\n'
            b"Content-Transfer-Encoding: base64\r\n\r\ne*==\r\n--b--\r\n"
        ),
        raw_form(
            b'--b\r\nContent-Disposition: form-data; name="image"\r\n'
            b"Content-Transfer-Encoding: quoted-printable\r\n\r\nx\r\n--b--\r\n"
        ),
        raw_form(b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n--b--\r\n"),
        raw_form(2 * b'--b\r\nContent-Disposition: form-data; name="image"\r\n\r\nx\r\n'),
        {"data": b"x", "headers": {"Content-Type": "multipart/form-data"}},
        {"data": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=" + 80 * "b"}},
    ],
)
def test_what_holds_no_picture_is_refused(request_: Mapping[str, Any]) -> None:
    assert sent(**request_) == 400


def test_too_much_is_refused_wherever_it_is_in_a_form() -> None:
    assert sent(data=form(image=bytes(LIMIT + 1))) == 413
    assert sent(data=form(image=b"x", url="x" * (LIMIT + 1))) == 413


def test_an_url_that_is_too_long_is_refused() -> None:
    # aiohttp's limit for the request line is a little above ours.
    assert sent("/images/?url=" + 8100 * "x", data=b"x") == Picture(b"x", 8100 * "x")


_PARTS = st.sampled_from(
    [
        b"--b\r\n",
        b"--b--\r\n",
        b"--b",
        b"\r\n",
        b"\n",
        b'Content-Disposition: form-data; name="image"\r\n',
        b'Content-Disposition: form-data; name="url"\r\n\r\n',
        b"Content-Disposition: \xff; name*=utf-8''%ff\r\n",
        b"Content-Length: 5\r\n",
        b"Content-Length: x\r\n",
        b"Content-Type: multipart/mixed\r\n",
        b"data",
        b":",
    ]
)


@settings(max_examples=60, derandomize=True)
@given(st.lists(st.one_of(_PARTS, st.binary(max_size=8)), max_size=12))
def test_whatever_comes_as_a_form_nothing_breaks(parts: list[bytes]) -> None:
    got = sent(**raw_form(b"".join(parts)))
    assert isinstance(got, Picture) or got in (400, 413)
