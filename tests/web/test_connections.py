"""Tests of connections that clients leave open: the next connection is answered."""

import asyncio
import resource

import pytest
from aiohttp import ClientSession, TCPConnector, web

from catdog_stream.web.connections import Connections, most_connections


class Transport(asyncio.Transport):
    """Connection of a client."""

    def __init__(self, address: str) -> None:
        super().__init__({"peername": (address, 1)})
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


def opened(it: Connections, address: str, number: int) -> list[Transport]:
    transports = [Transport(address) for _ in range(number)]
    for transport in transports:
        it.opened(transport, transport)
    return transports


def test_a_client_that_has_too_many_loses_its_own_oldest() -> None:
    it = Connections(10)
    (other,) = opened(it, "10.0.0.2", 1)
    mine = opened(it, "10.0.0.1", 7)
    assert [each.aborted for each in mine] == [True, True, False, False, False, False, False]
    assert not other.aborted
    assert len(it) == 6


def test_where_all_together_have_too_many_the_one_with_most_loses_its_oldest() -> None:
    it = Connections(10)
    few, many = opened(it, "10.0.0.2", 3), opened(it, "10.0.0.1", 5)
    new = opened(it, "10.0.0.3", 3)
    assert [each.aborted for each in many] == [True, False, False, False, False]
    assert not any(each.aborted for each in (*few, *new))


def test_what_was_closed_counts_no_more() -> None:
    it = Connections(10)
    for _ in range(5):
        mine = opened(it, "10.0.0.1", 5)
        assert not any(each.aborted for each in mine)
        for each in mine:
            it.closed(each)
            it.closed(each)
    assert len(it) == 0
    assert not it._open


@pytest.mark.parametrize(
    ("files", "most"), [(300, 172), (1024, 896), (20, 16), (10**6, 1000), (-1, 1000)]
)
def test_they_are_as_many_as_the_system_allows(
    monkeypatch: pytest.MonkeyPatch, files: int, most: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    assert resource.RLIM_INFINITY == -1
    assert most_connections() == most


def test_a_probe_is_answered_beside_more_open_pages_than_there_may_be() -> None:
    async def scenario() -> None:
        async def page(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            await asyncio.sleep(60)
            return response

        async def healthz(_: web.Request) -> web.Response:
            return web.Response(text="alive")

        application = web.Application()
        application.router.add_get("/events", page)
        application.router.add_get("/healthz", healthz)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        assert runner.server is not None
        limits = Connections(20)
        limits.watch(runner.server)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with ClientSession(connector=TCPConnector(limit=0)) as client:
            pages = [await client.get(f"{url}/events") for _ in range(50)]
            async with ClientSession() as probe, probe.get(f"{url}/healthz") as answer:
                assert await answer.text() == "alive"
            assert len(limits) <= 10, "of one client"
            for each in pages:
                each.close()
        async with asyncio.timeout(5):
            while len(limits):
                await asyncio.sleep(0.01)
        await runner.cleanup()

    asyncio.run(scenario())
