"""Tests of the events for open pages: the whole state first, then the changes."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from catdog_stream.web.live import broadcast
from catdog_stream.web.live.broadcast import Broadcast

SECONDS = 10.0


@asynccontextmanager
async def reading(it: Broadcast) -> AsyncIterator[aiohttp.StreamReader]:
    application = web.Application()
    application.router.add_get("/events", it.serve)
    async with (
        TestServer(application) as server,
        aiohttp.ClientSession() as client,
        client.get(server.make_url("/events")) as response,
    ):
        assert response.headers["Content-Type"] == "text/event-stream"
        assert response.headers["X-Accel-Buffering"] == "no"
        yield response.content


async def event(stream: aiohttp.StreamReader) -> dict[str, str]:
    fields = {}
    while line := (await asyncio.wait_for(stream.readline(), SECONDS)).decode().rstrip("\n"):
        name, _, value = line.partition(": ")
        fields[name.rstrip(":")] = value
    return fields


async def snapshot(stream: aiohttp.StreamReader) -> Any:
    return json.loads((await event(stream))["data"])


def test_a_reader_is_told_everything_and_then_what_has_changed() -> None:
    async def scenario() -> None:
        it = Broadcast()
        it.publish({"a": 1, "b": "x\n\ny"})
        async with reading(it) as stream:
            assert await event(stream) == {"retry": "2000"}
            assert await snapshot(stream) == {"a": 1, "b": "x\n\ny"}
            it.publish({"a": 1, "b": "z"})
            assert await snapshot(stream) == {"b": "z"}
            it.publish({"a": 1})
            it.publish({"a": 2})
            assert await snapshot(stream) == {"a": 2}
            it.close()

    asyncio.run(scenario())


def test_who_reads_late_is_told_what_is_true_then() -> None:
    it = Broadcast()
    for number in range(100):
        it.publish({"a": number, "b": 0})
    assert it.since(0) == b'id: 100\ndata: {"a":99,"b":0}\n\n'
    assert it.since(50) == b'id: 100\ndata: {"a":99}\n\n'


def test_silence_is_broken_so_that_a_page_knows_that_it_is_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(broadcast, "BEAT", 0.05)

    async def scenario() -> None:
        it = Broadcast()
        async with reading(it) as stream:
            await event(stream)
            assert (await event(stream))["event"] == "beat"
            it.close()

    asyncio.run(scenario())


def test_there_is_a_most_of_readers_and_none_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast, "READERS_SHARE", 0)

    async def status(it: Broadcast) -> int:
        application = web.Application()
        application.router.add_get("/events", it.serve)
        async with (
            TestServer(application) as server,
            aiohttp.ClientSession() as client,
            client.get(server.make_url("/events")) as response,
        ):
            return response.status

    assert asyncio.run(status(Broadcast())) == 503
    monkeypatch.undo()
    ended = Broadcast()
    ended.close()
    assert asyncio.run(status(ended)) == 503


def test_a_comment_comes_now_and_then_whether_there_is_news_or_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(broadcast, "COMMENT", 0.05)
    monkeypatch.setattr(broadcast, "BEAT", 0.02)

    async def scenario() -> None:
        it = Broadcast()
        async with reading(it) as stream:
            async with asyncio.timeout(SECONDS):
                for _ in range(2):
                    while not (await stream.readline()).startswith(b":"):
                        pass
            it.close()

    asyncio.run(scenario())
