"""Tests of the limits on a body's size and duration, and of the memory budget of all uploads."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from catdog_stream.web.api import body
from catdog_stream.web.api.body import Intake
from tests.web.api.serving_apps import Client, play


def reading(intake: Intake, limit: int, held: asyncio.Event | None = None) -> web.RouteDef:
    """Return a handler that reads a body, and holds it until the test releases it."""

    async def handler(request: web.Request) -> web.Response:
        with intake.budget(limit) as budget:
            read = await budget.read(request)
            if held is not None:
                await held.wait()
            return web.Response(text=str(len(read)))

    return web.post("/images/", handler)


async def chunks(number: int, size: int) -> AsyncIterator[bytes]:
    for _ in range(number):
        yield bytes(size)


def test_what_is_small_enough_is_read() -> None:
    intake = Intake(1000)

    async def scenario(client: Client) -> None:
        for data in (b"", b"x" * 10, b"x" * 100, chunks(4, 25)):
            assert (await client.post("/images/", data=data)).status == 200
        assert intake.held == 0

    play(scenario, [reading(intake, 100)])


def test_too_much_is_refused_before_it_is_read_or_while_it_is() -> None:
    intake = Intake(10_000_000)

    async def scenario(client: Client) -> None:
        for data in (b"x" * 101, chunks(5, 25), chunks(1000, 1000)):
            try:
                told = await client.post("/images/", data=data)
            except ConnectionError:  # it was still sending
                continue
            assert told.status == 413
        assert intake.held == 0

    play(scenario, [reading(intake, 100)])


@pytest.mark.parametrize(
    ("number", "size", "status"), [(256, 1, 200), (257, 1, 400), (3000, 31, 400), (3000, 32, 200)]
)
def test_many_small_chunks_are_refused(number: int, size: int, status: int) -> None:
    async def scenario(client: Client) -> None:
        try:
            assert (await client.post("/images/", data=chunks(number, size))).status == status
        except ConnectionError:  # it was still sending
            assert status != 200

    play(scenario, [reading(Intake(10_000_000), 1_000_000)])


def test_chunks_of_a_packed_body_are_read() -> None:
    async def packed() -> AsyncIterator[bytes]:
        for byte in gzip.compress(b"x" * 1000):
            yield bytes((byte,))

    async def scenario(client: Client) -> None:
        sent = await client.post("/images/", data=packed(), headers={"Content-Encoding": "gzip"})
        assert await sent.text() == "1000"

    play(scenario, [reading(Intake(10_000_000), 1_000_000)])


def test_what_grows_when_it_is_unpacked_counts_as_what_it_becomes() -> None:
    intake = Intake(10_000_000)

    async def scenario(client: Client) -> None:
        sent = await client.post("/images/", data=b"x" * 1000, compress=True)
        assert sent.status == 413

    play(scenario, [reading(intake, 100)])


def test_together_no_more_than_there_is_room_for() -> None:
    intake = Intake(150)

    async def scenario(client: Client) -> None:
        first = asyncio.create_task(client.post("/images/", data=b"x" * 100))
        while intake.held < 100:
            await asyncio.sleep(0)
        second = await client.post("/images/", data=b"x" * 100)
        assert second.status == 503
        assert second.headers["Retry-After"]
        held.set()
        assert (await first).status == 200
        assert (await client.post("/images/", data=b"x" * 100)).status == 200

    held = asyncio.Event()
    play(scenario, [reading(intake, 100, held)])


@pytest.mark.parametrize("limit", ["BODY_SECONDS", "CHUNK_SECONDS"])
def test_a_body_that_does_not_come_is_not_waited_for(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, limit, 0.05)
    intake = Intake(1000)

    async def never() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.Event().wait()

    async def scenario(client: Client) -> None:
        assert (await client.post("/images/", data=never())).status == 408
        assert intake.held == 0

    play(scenario, [reading(intake, 100)])
