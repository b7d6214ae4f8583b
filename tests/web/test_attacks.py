"""Tests that no request blocks the event loop: a probe is answered at once meanwhile."""

import asyncio
import contextlib
import json
import socket

import pytest
from aiohttp import web

from catdog_stream.web.api.body import Intake
from catdog_stream.web.api.uploading import read_picture
from catdog_stream.web.api.v2.infer_request import parse
from tests.web.attacked_servers import PATIENCE, PROBE_SECONDS, TOKEN, Server, bomb, served

# Without a core that the other tests leave free, every probe is slow.
pytestmark = pytest.mark.slow

GIGABYTE = 1 << 30
LIMIT = 4 * 1024 * 1024
V2_LIMIT = 22 * 1024 * 1024
INTAKE = Intake(100 * V2_LIMIT)
#: Factor by which an attack may slow a probe, on a machine that is busy itself.
SLACK = 5.0

AUTHORIZED = f"Host: HOST\r\nAuthorization: Bearer {TOKEN}"
GZIP = "Content-Encoding: gzip"
FORM = "Content-Type: multipart/form-data; boundary=b"


def reading() -> list[web.RouteDef]:
    """Return routes that read a picture of a limited size."""

    async def images(request: web.Request) -> web.Response:
        with INTAKE.budget(LIMIT) as budget:
            picture = await read_picture(request, budget)
        return web.Response(text=str(len(picture.data)))

    return [web.post("/images/", images), web.post("/v2/infer", infer)]


async def infer(request: web.Request) -> web.Response:
    """Read a request to the Open Inference Protocol."""
    with INTAKE.budget(V2_LIMIT) as budget:
        asked = await asyncio.to_thread(parse, await budget.read(request), None)
    return web.Response(text=str(len(asked.pictures)))


def check(server: Server, head: str, body: bytes, status: int, clients: int = 12) -> None:
    """Check the answer to an attack, and its effect on probes and the loop when run in parallel."""
    usual_probe, usual_gap = server.slowest([("GET /healthz HTTP/1.1\r\nHost: HOST", b"")] * 50)
    # The answer is lost if the server closes the connection while the client sends.
    assert server.send(head, body).split(b" ")[1:2] in ([], [str(status).encode()])
    probe, gap = server.slowest([(head, body)] * clients)
    assert probe < max(PROBE_SECONDS, SLACK * usual_probe), (probe, usual_probe)
    assert gap < max(PROBE_SECONDS / 2, SLACK * usual_gap), (gap, usual_gap)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("POST /images/ HTTP/1.1\r\nHost: HOST", 401),
        (f"POST /nothing HTTP/1.1\r\n{AUTHORIZED}", 404),
        (f"PUT /healthz HTTP/1.1\r\n{AUTHORIZED}", 405),
        ("POST /images/ HTTP/1.1\r\nHost: evil.example.org", 421),
        (f"POST /images/ HTTP/1.1\r\n{AUTHORIZED}\r\nOrigin: null", 403),
        (f"POST /images/ HTTP/1.1\r\n{AUTHORIZED}\r\nContent-Type: text/plain", 415),
        (f"POST /images/ HTTP/1.1\r\n{AUTHORIZED}\r\nContent-Encoding: br", 415),
        (f"POST /images/ HTTP/1.1\r\n{AUTHORIZED}\r\nContent-Encoding: zstd", 415),
        ("GET /healthz HTTP/1.1\r\nHost: HOST", 200),
        (f"POST /images/ HTTP/1.1\r\n{AUTHORIZED}\r\nContent-Type: image/png", 413),
        (f"POST /images/ HTTP/1.1\r\n{AUTHORIZED}\r\n{FORM}", 413),
    ],
)
def test_a_body_that_becomes_gigabytes_costs_nobody_else_anything(head: str, status: int) -> None:
    with served(reading()) as server:
        check(server, f"{head}\r\n{GZIP}", bomb(2 * GIGABYTE), status)


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (bomb(LIMIT - (1 << 20), of=b"\n"), GZIP),
        (bomb(LIMIT - (1 << 20), of=b"-", head=b"--b\r\n"), GZIP),
        (b"\n" * LIMIT, "Accept: */*"),
        (b"\r\n" * (LIMIT // 2), "Accept: */*"),
        (b"--b\r\n" + b"a:b\r\n" * (LIMIT // 5 - 1), "Accept: */*"),
        (b"--b\r\n\r\n" + b"\r\n--" * (LIMIT // 4 - 2), "Accept: */*"),
        (b'--b\r\nContent-Disposition: form-data; name="image"\r\n\r\n' * 70_000, "Accept: */*"),
    ],
)
def test_a_form_of_lines_costs_nobody_else_anything(body: bytes, coding: str) -> None:
    head = f"POST /images/ HTTP/1.1\r\n{AUTHORIZED}\r\n{FORM}\r\n{coding}"
    with served(reading()) as server:
        check(server, head, body, 400)


@pytest.mark.parametrize(
    "body",
    [
        b'{"inputs":[' + b"{}," * (7 * 1024 * 1024) + b"{}]}",
        b"[" + b'"",' * (7 * 1024 * 1024) + b'""]',
        b'["' + b'\\"' * (10 * 1024 * 1024) + b'"]',
        b'{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"data":["\xf0\x9f\x98\xb8'
        + b"A " * (10 * 1024 * 1024)
        + b'"]}]}',
    ],
    ids=["empty objects", "empty texts", "escapes", "wide text"],
)
def test_json_that_grows_costs_nobody_else_anything(body: bytes) -> None:
    with served(reading()) as server:
        check(server, f"POST /v2/infer HTTP/1.1\r\n{AUTHORIZED}", body, 400, clients=4)


@pytest.mark.parametrize(("path", "status"), [("/images/", 400), ("/nothing", 404)])
def test_a_body_in_chunks_of_one_byte_costs_nobody_else_anything(path: str, status: int) -> None:
    chunks = b"1\r\nx\r\n" * (512 * 1024) + b"0\r\n\r\n"
    head = f"POST {path} HTTP/1.1\r\n{AUTHORIZED}\r\nContent-Type: image/png"
    with served(reading()) as server:
        check(server, f"{head}\r\nTransfer-Encoding: chunked", chunks, status)


@pytest.mark.parametrize(
    "head",
    [
        "NO HTTP",
        "GET /healthz HTTP/1.1\r\nHost: HOST\r\nno header",
        "GET /healthz HTTP/1.1\r\nHost: HOST\r\nX-Long: " + 20_000 * "x",
        "GET /" + 20_000 * "x" + " HTTP/1.1\r\nHost: HOST",
        "POST /images/ HTTP/1.1\r\nHost: HOST\r\nContent-Encoding: zstd\r\nContent-Length: x",
    ],
)
def test_what_is_no_http_is_a_problem_as_all_others(head: str) -> None:
    with (
        served(reading()) as server,
        socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client,
    ):
        client.sendall(head.replace("HOST", f"127.0.0.1:{server.port}").encode() + b"\r\n\r\n")
        answer = b""
        # A server that closes with part of the request unread then resets the connection.
        with contextlib.suppress(ConnectionResetError):
            while received := client.recv(65536):
                answer += received
    top, _, body = answer.partition(b"\r\n\r\n")
    assert top.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))
    assert b"Content-Type: application/problem+json" in top
    assert b"X-Content-Type-Options: nosniff" in top
    assert f"Content-Length: {len(body)}".encode() in top
    assert json.loads(body)["status"] == 400
