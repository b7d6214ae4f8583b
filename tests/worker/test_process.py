"""How a worker process ends."""

import asyncio

from catdog_stream import deadlines
from catdog_stream.settings import Settings
from catdog_stream.worker.application import CatDogApp
from catdog_stream.worker.process import Worker


def test_nothing_is_waited_for_when_nothing_is_left() -> None:
    async def end() -> None:
        async with asyncio.timeout(deadlines.LAST_TASKS / 2):
            await _worker()._sentinel_task()

    asyncio.run(end())


def test_what_was_cancelled_may_clean_up() -> None:
    cleaned = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            cleaned.append(True)

    async def end() -> None:
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        task.cancel()
        await _worker()._sentinel_task()

    asyncio.run(end())
    assert cleaned == [True]


def test_what_does_not_end_is_left_behind() -> None:
    async def end() -> None:
        endless = asyncio.create_task(asyncio.Event().wait())
        async with asyncio.timeout(deadlines.LAST_TASKS + 5):
            await _worker()._sentinel_task()
        assert not endless.done()
        endless.cancel()

    asyncio.run(end())


def _worker() -> Worker:
    return Worker(CatDogApp(Settings()), loop=asyncio.get_running_loop())
