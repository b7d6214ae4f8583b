"""Tests of threads that read, and of the event loop that gets their results."""

import asyncio
import threading
from collections.abc import Callable

from catdog_stream.pipeline.decoding_threads import DecodingThreads

DEADLINE = 10.0


def read_all(read: Callable[[int], int], items: range, threads: int) -> dict[int, int | Exception]:
    """Return the result of each item."""
    results: dict[int, int | Exception] = {}

    async def run() -> None:
        everything = asyncio.Event()
        home = threading.get_ident()

        def on_read(item: int, result: int | Exception) -> None:
            assert threading.get_ident() == home
            assert item not in results
            results[item] = result
            if len(results) == len(items):
                everything.set()

        readers = DecodingThreads(read, on_read, threads=threads)
        readers.start()
        try:
            for item in items:
                readers.put(item)
            async with asyncio.timeout(DEADLINE):
                await everything.wait()
        finally:
            await asyncio.to_thread(readers.stop)

    asyncio.run(run())
    return results


def test_each_item_is_read_once_and_none_is_forgotten() -> None:
    """Use many short items in many threads: a lost wake-up would leave some unread."""
    items = range(20_000)
    assert read_all(lambda item: -item, items, threads=8) == {item: -item for item in items}


def test_what_reading_raises_comes_back_with_its_item() -> None:
    results = read_all(lambda item: 6 // item, range(3), threads=1)
    assert isinstance(results[0], ZeroDivisionError)
    assert (results[1], results[2]) == (6, 3)


def test_what_would_end_a_thread_comes_back_as_an_error() -> None:
    def read(item: int) -> int:
        if item == 0:
            raise SystemExit(1)
        return item

    results = read_all(read, range(3), threads=1)
    assert isinstance(results[0], RuntimeError)
    assert (results[1], results[2]) == (1, 2)


def test_the_threads_work_side_by_side() -> None:
    together = threading.Barrier(3, timeout=DEADLINE)
    results = read_all(lambda _: together.wait(), range(3), threads=3)
    assert set(results.values()) == {0, 1, 2}


def test_what_is_cleared_is_never_read() -> None:
    """Block the only thread with the first item while the others are cleared."""
    begun: list[int] = []
    started, go_on = threading.Event(), threading.Event()

    def read(item: int) -> None:
        begun.append(item)
        started.set()
        assert go_on.wait(DEADLINE)

    async def run() -> None:
        readers = DecodingThreads(read, lambda _item, _result: None, threads=1)
        readers.start()
        for item in range(5):
            readers.put(item)
        assert await asyncio.to_thread(started.wait, DEADLINE)
        readers.clear()
        go_on.set()
        await asyncio.to_thread(readers.stop)

    asyncio.run(run())
    assert begun == [0]


def test_stopping_before_the_start_does_nothing() -> None:
    DecodingThreads(int, lambda _item, _result: None, threads=2).stop()
