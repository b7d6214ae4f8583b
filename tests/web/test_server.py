"""Tests of the headers of each answer, and of the clients that the server answers."""

import asyncio

import pytest
from aiohttp import web

from catdog_stream.web.server import _only, treat


async def answers(*requests: bytes) -> list[bytes]:
    """Return the answers of a server called localhost, each on a connection of its own."""

    async def labels(_: web.Request) -> web.Response:
        return web.Response(text="labels")

    application = web.Application(middlewares=[_only(lambda host: host == "localhost")])
    application.router.add_get("/labels/", labels)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    assert runner.server is not None
    treat(runner.server, application)
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found = []
    for request in requests:
        reader, writer = await asyncio.open_connection(*runner.addresses[0])
        writer.write(request)
        found.append(await reader.read())
        writer.close()
    await runner.cleanup()
    return found


def get(target: str, host: str = "localhost") -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()


def test_no_answer_names_the_server_and_its_version() -> None:
    told = asyncio.run(
        answers(
            get("/labels/"),
            get("/nothing"),
            get("/labels/", "evil.example.org"),
            b"no HTTP at all\r\n\r\n",
        )
    )
    assert [answer.split(b" ")[1] for answer in told] == [b"200", b"404", b"421", b"400"]
    for answer in told:
        head = answer.partition(b"\r\n\r\n")[0].lower()
        assert b"\r\nserver:" not in head
        assert b"aiohttp" not in answer.lower()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (get("http://localhost/labels/"), b"200"),
        (get("http://evil.example.org/labels/"), b"400"),
        (get("http://localhost/labels/", "evil.example.org"), b"400"),
        (get("http://evil.example.org/labels/", "evil.example.org"), b"421"),
    ],
)
def test_an_absolute_target_is_held_against_host(request_: bytes, status: bytes) -> None:
    (answer,) = asyncio.run(answers(request_))
    assert answer.split(b" ")[1] == status
