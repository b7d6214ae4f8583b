"""Reading comes to a halt as soon as somebody seeks."""

import asyncio
from typing import Any, cast

from catdog_stream.application import CatDogApp
from catdog_stream.fixes.reading import ReadingConsumer
from catdog_stream.settings import Settings

#: Half of what Faust sleeps where there is no partition to read.
SECONDS = 0.5


def test_a_seek_does_not_wait_where_every_partition_is_paused() -> None:
    asyncio.run(_seek_while_all_is_paused())


async def _seek_while_all_is_paused() -> None:
    app: Any = CatDogApp(Settings())
    consumer = cast(ReadingConsumer, app.consumer)
    consumer._active_partitions = set()
    consumer.resume_flow()
    reading = asyncio.create_task(consumer._drain_messages(app._fetcher))
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
