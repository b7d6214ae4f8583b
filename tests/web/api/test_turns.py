"""Tests of the order in which pictures are sent to Kafka."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from catdog_stream.web.api.turns import Turns

SECONDS = 10.0


def play(scenario: Callable[[Turns], Awaitable[None]]) -> None:
    async def run() -> None:
        turns = Turns(10)
        async with asyncio.timeout(SECONDS):
            await scenario(turns)

    asyncio.run(run())


def test_who_finds_no_room_has_its_turn_later_and_in_order() -> None:
    async def scenario(turns: Turns) -> None:
        release = await turns.take(6, seconds=SECONDS)
        large = asyncio.ensure_future(turns.take(8, seconds=SECONDS))
        small = asyncio.ensure_future(turns.take(1, seconds=SECONDS))
        await asyncio.sleep(0)
        assert not small.done(), "it came behind the large one"
        release()
        release()
        (await large)()
        (await small)()
        assert turns.used == 0

    play(scenario)


def test_what_is_larger_than_all_has_its_turn_alone() -> None:
    async def scenario(turns: Turns) -> None:
        release = await turns.take(100, seconds=SECONDS)
        with pytest.raises(TimeoutError):
            await turns.take(1, seconds=0.01)
        release()
        assert turns.used == 0
        (await turns.take(1, seconds=SECONDS))()

    play(scenario)


def test_who_gives_up_lets_the_next_one_have_its_turn() -> None:
    async def scenario(turns: Turns) -> None:
        release = await turns.take(6, seconds=SECONDS)
        large = asyncio.ensure_future(turns.take(8, seconds=SECONDS))
        small = asyncio.ensure_future(turns.take(1, seconds=SECONDS))
        await asyncio.sleep(0)
        large.cancel()
        (await small)()
        release()
        assert turns.used == 0

    play(scenario)


def test_who_is_cancelled_at_the_moment_of_its_turn_keeps_nothing() -> None:
    async def scenario(turns: Turns) -> None:
        release = await turns.take(6, seconds=SECONDS)
        other = asyncio.ensure_future(turns.take(8, seconds=SECONDS))
        await asyncio.sleep(0)
        release()
        other.cancel()
        with pytest.raises(asyncio.CancelledError):
            await other
        assert turns.used == 0

    play(scenario)


def test_waiters_that_give_up_at_the_same_moment_keep_nothing() -> None:
    async def scenario(turns: Turns) -> None:
        release = await turns.take(6, seconds=SECONDS)
        waiting = [asyncio.ensure_future(turns.take(size, seconds=SECONDS)) for size in (8, 1, 2)]
        await asyncio.sleep(0)
        for each in waiting[:2]:
            each.cancel()
        (await waiting[2])()
        assert [each.cancelled() for each in waiting] == [True, True, False]
        release()
        assert turns.used == 0

    play(scenario)
