"""Tests of a budget of which one user cannot use up all."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from catdog_stream.fetching.fair_budget import FairBudget


def play(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario())


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Users:
    """Tasks that acquire one unit each."""

    def __init__(self, most: int) -> None:
        self.budget: FairBudget[str] = FairBudget(most)
        self.tasks: list[asyncio.Task[None]] = []

    async def ask(self, key: str, number: int = 1, size: int = 1) -> int:
        """Ask for as many shares; return the number of those that were granted."""
        tasks = [asyncio.create_task(self.budget.acquire(key, size)) for _ in range(number)]
        self.tasks += tasks
        await settled()
        return sum(task.done() for task in tasks)

    def stop(self) -> None:
        for task in self.tasks:
            task.cancel()


def test_one_key_gets_half_and_each_further_one_half_of_the_rest() -> None:
    async def scenario() -> None:
        users = Users(64)
        assert await users.ask("a", 100) == 32
        assert [await users.ask(key, 100) for key in "bcde"] == [16, 8, 4, 2]
        users.stop()

    play(scenario)


def test_what_is_released_goes_to_those_that_wait_in_their_order() -> None:
    async def scenario() -> None:
        users = Users(6)
        assert await users.ask("a", 5) == 3
        assert await users.ask("b", 2) == 1
        users.budget.release("a", 2)
        await settled()
        assert [task.done() for task in users.tasks] == [*[True] * 4, False, True, True]
        users.stop()

    play(scenario)


def test_one_that_is_alone_may_exceed_the_budget_and_the_first_of_a_key_takes_what_is_free() -> (
    None
):
    async def scenario() -> None:
        users = Users(10)
        assert await users.ask("a", size=50) == 1
        assert await users.ask("b", size=1) == 0
        users.budget.release("a", 50)
        await settled()
        assert users.budget.held == 1
        assert await users.ask("c", size=9) == 1
        users.stop()

    play(scenario)


def test_one_that_stops_waiting_holds_nothing_and_lets_those_behind_it_pass() -> None:
    async def scenario() -> None:
        users = Users(10)
        assert await users.ask("a", size=3) == 1
        large, small = (asyncio.create_task(users.budget.acquire("a", size)) for size in (9, 1))
        await settled()
        assert not small.done()
        large.cancel()
        await settled()
        assert small.done()
        assert users.budget.held == 4
        granted = asyncio.create_task(users.budget.acquire("b", 9))
        await settled()
        users.budget.release("a", 4)  # grants it
        granted.cancel()  # in the same moment
        await settled()
        assert users.budget.held == 0

    play(scenario)


async def granted_in_order(most: int, large: int) -> list[str]:
    """Return the keys as their shares are granted: 20 small ones of eight keys, and a large one."""
    budget: FairBudget[str] = FairBudget(most)
    granted: list[str] = []

    async def use(key: str, size: int) -> None:
        await budget.acquire(key, size)
        granted.append(key)
        for _ in range(len(granted) % 5):
            await asyncio.sleep(0)
        budget.release(key, size)

    async with asyncio.TaskGroup() as group:
        for key in "abcdefgh":
            for _ in range(20):
                group.create_task(use(key, 1))
        group.create_task(use("large", large))
    assert len(granted) == 161
    assert budget.held == 0
    return granted


def test_keys_that_wait_are_served_in_turn_and_none_is_overtaken_for_ever() -> None:
    async def scenario() -> None:
        assert "large" in (await granted_in_order(24, 12))[:60]
        assert set((await granted_in_order(3, 1))[:60]) == {*"abcdefgh", "large"}

    play(scenario)
