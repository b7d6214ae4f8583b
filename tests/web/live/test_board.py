"""What pages and other workers are told, from a worker that is not there."""

import asyncio
import json
from collections.abc import Iterable

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from catdog_stream.web.cluster.counts import Shards
from catdog_stream.web.cluster.state import News, WorkerState
from catdog_stream.web.live import board as module
from catdog_stream.web.live.board import Board
from catdog_stream.web.recording.history import HOUR_SLOTS, SLOT_SECONDS, Slot
from catdog_stream.web.recording.recorder import Recorder

PEER = "http://there:6066"
SHARDS: Shards = {"labels": {}, "rejections": {}}


def board(*, look: float = 0.0, peers: Iterable[str] = (), slots: int = 0) -> Board:
    """One whose own state takes ``look`` seconds; a peer tells of ``slots`` more each time."""
    told = 0

    async def own() -> WorkerState:
        await asyncio.sleep(look)
        return WorkerState(shards=SHARDS)

    async def ask(_address: str, _since: int, _seen: Iterable[str]) -> News:
        nonlocal told
        told += 1
        starts = range(SLOT_SECONDS * slots * (told - 1), SLOT_SECONDS * slots * told, SLOT_SECONDS)
        return News(WorkerState(shards=SHARDS), {start: Slot({"cat": 1}) for start in starts})

    return Board(lambda: "http://here:6066", own, Recorder(), lambda: peers, ask)


def test_who_comes_while_the_last_one_goes_is_told_of_all_that_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "TICK", 0.05)
    monkeypatch.setattr(module, "FRESH", 0.0)

    async def story() -> None:
        it = board(look=0.03)
        application = web.Application()
        application.router.add_get("/events", it.events)
        async with TestServer(application) as server, aiohttp.ClientSession() as client:
            for _ in range(20):
                async with client.get(server.make_url("/events")) as response:
                    for _ in range(3):
                        await asyncio.wait_for(_state(response.content), 5)
            it.close()

    async def _state(stream: aiohttp.StreamReader) -> object:
        while True:
            line = await stream.readline()
            if line.startswith(b"data: {"):
                return json.loads(line[6:])

    asyncio.run(story())


def test_slots_are_forgotten_where_counts_alone_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("catdog_stream.web.cluster.peers.INTERVAL", 0.0)

    async def story() -> int:
        it = board(peers=[PEER], slots=HOUR_SLOTS)
        for _ in range(10):
            await it.statistics(SHARDS, 1.0)
        return len(it._timeline._told)

    assert asyncio.run(story()) <= HOUR_SLOTS + 2
