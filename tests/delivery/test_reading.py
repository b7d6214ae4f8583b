"""Tests of reading, which stops as soon as a seek starts."""

import asyncio
from typing import Any, cast

import pytest
from faust.types import TP

from catdog_stream.app import build_app
from catdog_stream.delivery.reading import MAX_FETCH_WAIT, ReadingConsumer
from catdog_stream.settings import Settings

#: Half of the seconds that Faust sleeps if there is no partition to read.
SECONDS = 0.5


def test_a_seek_does_not_wait_where_every_partition_is_paused() -> None:
    asyncio.run(_seek_while_all_is_paused())


async def _seek_while_all_is_paused() -> None:
    app: Any = build_app(Settings())
    consumer = cast(ReadingConsumer, app.consumer)
    consumer._active_partitions = set()
    consumer.resume_flow()
    reading = asyncio.create_task(consumer._drain_messages(app._fetcher))
    async with asyncio.timeout(SECONDS):
        while consumer._parked.is_set():
            await asyncio.sleep(0)
    for _ in range(5):
        await asyncio.sleep(0)  # into the pause
    try:
        async with asyncio.timeout(SECONDS):
            await consumer._halt()
        assert not reading.done()
    finally:
        reading.cancel()


def test_the_end_of_the_worker_during_a_rebalance_is_no_crash() -> None:
    asyncio.run(_stop_while_partitions_move())


async def _stop_while_partitions_move() -> None:
    app: Any = build_app(Settings())
    app.consumer._active_partitions = {TP("catdogimage", 0)}
    app.consumer.stop_flow()
    app.rebalancing = True
    await app._fetcher.start()
    async with asyncio.timeout(SECONDS):
        while not app.consumer._parked.is_set():
            await asyncio.sleep(0)
    app._stopped.set()  # the first step of stopping
    async with asyncio.timeout(10 * SECONDS):
        await app._stop_fetcher()
    assert not app._crashed.is_set()


@pytest.mark.parametrize("turns", range(6))
def test_a_halt_soon_after_the_flow_resumed_does_not_hinder_the_next_one(turns: int) -> None:
    """Run ``turns`` turns of the event loop in between."""
    asyncio.run(_halt_twice(turns))


async def _halt_twice(turns: int) -> None:
    async def nothing_to_read(_partitions: object, timeout: float) -> dict[TP, list[object]]:
        await asyncio.sleep(timeout)
        return {}

    app: Any = build_app(Settings())
    app.consumer._active_partitions = {TP("catdogimage", 0)}
    app.consumer._getmany = nothing_to_read
    app.consumer.stop_flow()
    reading = asyncio.create_task(app.consumer._drain_messages(app._fetcher))
    try:
        await asyncio.sleep(0.05)
        app.consumer.resume_flow()
        for _ in range(turns):
            await asyncio.sleep(0)
        for _ in range(2):
            async with asyncio.timeout(SECONDS):
                await app.consumer._halt()
            await asyncio.sleep(2 * MAX_FETCH_WAIT)
    finally:
        reading.cancel()
        await asyncio.wait((reading,))
