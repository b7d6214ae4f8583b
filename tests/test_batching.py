"""Batches form while the model is busy; nobody waits for one to fill."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress

import pytest

from catdog_stream.batching import Batcher

DEADLINE = 20.0


class Doubler:
    """Doubles numbers; keeps a record of its batches, and waits where it is told to."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        assert self.go_on.wait(DEADLINE)
        if 13 in items:
            raise ValueError("13 cannot be doubled")
        return [2 * item for item in items]


@asynccontextmanager
async def running(
    process: Callable[[Sequence[int]], Sequence[int]], max_batch: int = 4
) -> AsyncIterator[Batcher[int, int]]:
    with ThreadPoolExecutor(1) as executor:

        async def in_thread(items: Sequence[int]) -> Sequence[int]:
            return await asyncio.get_running_loop().run_in_executor(executor, process, items)

        batcher = Batcher(in_thread, max_batch=max_batch)
        server = asyncio.create_task(batcher.run())
        try:
            async with asyncio.timeout(DEADLINE):
                yield batcher
        finally:
            server.cancel()
            with suppress(asyncio.CancelledError):
                await server


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


async def queued_behind_one(
    batcher: Batcher[int, int], doubler: Doubler, items: Sequence[int]
) -> list[int | BaseException]:
    """Submit the first item, and the others while the model is busy with it."""
    doubler.go_on.clear()
    first = asyncio.create_task(batcher.submit(items[0]))
    await until(lambda: len(doubler.batches) == 1)
    others = [asyncio.create_task(batcher.submit(item)) for item in items[1:]]
    await asyncio.sleep(0)  # one turn of the loop: each task has submitted
    doubler.go_on.set()
    return await asyncio.gather(first, *others, return_exceptions=True)


def test_a_lone_item_is_served_at_once() -> None:
    async def story() -> None:
        doubler = Doubler()
        async with running(doubler) as batcher:
            assert await batcher.submit(21) == 42
        assert doubler.batches == [[21]]

    asyncio.run(story())


def test_what_queues_while_the_model_is_busy_becomes_the_next_batch() -> None:
    async def story() -> None:
        doubler = Doubler()
        async with running(doubler) as batcher:
            assert await queued_behind_one(batcher, doubler, [1, 2, 3, 4]) == [2, 4, 6, 8]
        assert doubler.batches == [[1], [2, 3, 4]]

    asyncio.run(story())


def test_a_batch_never_exceeds_its_limit() -> None:
    async def story() -> None:
        doubler = Doubler()
        async with running(doubler, max_batch=3) as batcher:
            answers = await queued_behind_one(batcher, doubler, list(range(9)))
            assert answers == [2 * item for item in range(9)]
        assert doubler.batches == [[0], [1, 2, 3], [4, 5, 6], [7, 8]]

    asyncio.run(story())


def test_an_item_that_spoils_its_batch_fails_alone() -> None:
    async def story() -> None:
        doubler = Doubler()
        async with running(doubler) as batcher:
            answers = await queued_behind_one(batcher, doubler, [1, 2, 13, 4])
            assert answers[:2] == [2, 4]
            assert isinstance(answers[2], ValueError)
            assert answers[3] == 8
            assert await batcher.submit(5) == 10  # and it goes on
        assert doubler.batches == [[1], [2, 13, 4], [2], [13], [4], [5]]

    asyncio.run(story())


def test_an_item_that_nobody_waits_for_any_more_disturbs_no_other() -> None:
    async def story() -> None:
        doubler = Doubler()
        async with running(doubler) as batcher:
            doubler.go_on.clear()
            given_up = asyncio.create_task(batcher.submit(13))
            await until(lambda: len(doubler.batches) == 1)
            given_up.cancel()
            other = asyncio.create_task(batcher.submit(2))
            await asyncio.sleep(0)
            doubler.go_on.set()
            assert await other == 4

    asyncio.run(story())


def test_a_model_that_forgets_an_answer_is_an_error_not_a_shift() -> None:
    async def story() -> None:
        async def forgets(_items: Sequence[int]) -> list[int]:
            return []

        batcher = Batcher(forgets, max_batch=4)
        waiting = asyncio.create_task(batcher.submit(1))
        async with asyncio.timeout(DEADLINE):
            with pytest.raises(ValueError, match="shorter"):
                await batcher.run()
        waiting.cancel()

    asyncio.run(story())
