"""Test of the cost of open pages: it stays low however many there are."""

import asyncio
import time

import aiohttp
import psutil
import pytest

from catdog_stream.testing import Worker
from catdog_stream.testing.waiting import wait_until
from tests.support.client import Client, request
from tests.support.load import loaded

pytestmark = [pytest.mark.integration, pytest.mark.long]

PAGES = 200
SECONDS = 10.0
#: Share of a core: all open pages together may cost 5 %.
MOST = 0.05


def test_two_hundred_open_pages_cost_less_than_a_twentieth_of_a_core(
    looking: Worker, broker_address: str, cat: bytes
) -> None:
    async def open_page(client: aiohttp.ClientSession, heard: list[int], number: int) -> None:
        async with client.get(f"http://127.0.0.1:{looking.port}/events") as response:
            assert response.status == 200
            async for _ in response.content.iter_any():
                heard[number] += 1

    async def watched() -> float:
        heard = [0] * PAGES
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as client:
            pages = [
                asyncio.create_task(open_page(client, heard, number)) for number in range(PAGES)
            ]
            while min(heard) < 2:
                await asyncio.sleep(0.1)
            spent = await asyncio.to_thread(cost, looking)
            for page in pages:
                page.cancel()
            await asyncio.gather(*pages, return_exceptions=True)
        return spent

    async def scenario() -> tuple[float, float]:
        # Pictures flow so that each state of the page differs from the previous one.
        async with (
            Client(broker_address) as client,
            loaded(client, request(cat), at_once=1),
        ):
            return await asyncio.to_thread(cost, looking), await watched()

    alone, spent = asyncio.run(asyncio.wait_for(scenario(), 90))
    print(f"{alone:.1%} of a core without a page, {spent:.1%} with {PAGES}")
    assert spent - alone < MOST
    wait_until(lambda: looking.status("/readyz") == 200, "the worker to be well")


def cost(worker: Worker) -> float:
    """Return the CPU time that the worker takes, as a share of a core."""
    process = psutil.Process(worker.process.pid)
    before, began = process.cpu_times(), time.monotonic()
    time.sleep(SECONDS)
    after, ended = process.cpu_times(), time.monotonic()
    return (after.user + after.system - before.user - before.system) / (ended - began)
