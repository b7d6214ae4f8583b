"""Tests of the state for pages and other workers, with a simulated worker."""

import asyncio
from collections.abc import Iterable

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from catdog_stream.models.pictures import PictureLimits
from catdog_stream.web.cluster.counts import Shards
from catdog_stream.web.cluster.state import PeerSnapshot, WorkerState
from catdog_stream.web.live import dashboard as module
from catdog_stream.web.live.dashboard import Dashboard
from catdog_stream.web.recording.history import HOUR_SLOTS, SLOT_SECONDS, Slot
from catdog_stream.web.recording.recorder import Recorder
from tests.support.requests import PARSER

PEER = "http://there:6066"
SHARDS: Shards = {"labels": {}, "rejections": {}}


def dashboard(*, look: float = 0.0, peers: Iterable[str] = (), slots: int = 0) -> Dashboard:
    """Return a board whose state takes ``look`` seconds; a peer adds ``slots`` at each poll."""
    told = 0

    async def own() -> WorkerState:
        await asyncio.sleep(look)
        return WorkerState(shards=SHARDS)

    async def ask(_address: str, _since: int, _seen: Iterable[str], _counted: str) -> PeerSnapshot:
        nonlocal told
        told += 1
        starts = range(SLOT_SECONDS * slots * (told - 1), SLOT_SECONDS * slots * told, SLOT_SECONDS)
        return PeerSnapshot(
            WorkerState(shards=SHARDS), {start: Slot({"cat": 1}) for start in starts}
        )

    return Dashboard(
        lambda: "http://here:6066",
        own,
        Recorder(limits=PictureLimits(), parser=PARSER),
        lambda: peers,
        ask,
    )


def test_who_comes_while_the_last_one_goes_is_told_of_all_that_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "TICK", 0.05)
    monkeypatch.setattr(module, "FRESH", 0.0)

    async def scenario() -> None:
        it = dashboard(look=0.1)

        async def serve(_request: web.Request) -> web.StreamResponse:
            assert it._ticking is not None, "nobody would make another state"
            return web.Response()

        monkeypatch.setattr(it._broadcast, "serve", serve)
        await it.events(make_mocked_request("GET", "/events"))
        while it._published < 0 or it._ticking is None:
            await asyncio.sleep(0.001)
        # The ticker finds no page while the state for a new page is prepared.
        await it.events(make_mocked_request("GET", "/events"))
        it.close()

    asyncio.run(asyncio.wait_for(scenario(), 10))


def test_slots_are_forgotten_where_counts_alone_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("catdog_stream.web.cluster.peers.INTERVAL", 1e-9)

    async def scenario() -> None:
        it = dashboard(peers=[PEER], slots=HOUR_SLOTS)
        for _ in range(10):
            await it.statistics(SHARDS, 1.0)
        assert len(it._timeline._slots) <= HOUR_SLOTS + 2

    asyncio.run(scenario())
