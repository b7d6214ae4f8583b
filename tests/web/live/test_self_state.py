"""Tests of a worker's own state when parts of it are unknown."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

from catdog_stream.web.live.self_state import SelfState


def state(readiness_problems: Callable[[], Awaitable[list[str]]]) -> SelfState:
    """Return the state of a worker with these problems."""
    unused: Any = None
    health: Any = SimpleNamespace(readiness_problems=readiness_problems)
    return SelfState(
        health=health,
        tables=(),
        member=unused,
        lag=unused,
        work=unused,
        stack=unused,
        recorder=unused,
        facts=unused,
    )


def test_a_failed_check_is_reported_and_repeated() -> None:
    checks = 0

    async def check() -> list[str]:
        nonlocal checks
        checks += 1
        if checks == 1:
            raise OSError("No more files.")
        return []

    async def scenario() -> None:
        it = state(check)
        assert list(await it._look()) == [
            "The state of this worker is unknown: OSError('No more files.')."
        ]
        assert list(await it._look()) == []

    asyncio.run(scenario())


def test_simultaneous_callers_share_one_check() -> None:
    checks = 0

    async def check() -> list[str]:
        nonlocal checks
        checks += 1
        await asyncio.sleep(0.01)
        return ["It waits."]

    async def scenario() -> None:
        it = state(check)
        found = await asyncio.gather(*(it._look() for _ in range(5)))
        assert [list(each) for each in found] == [["It waits."]] * 5
        assert checks == 1

    asyncio.run(scenario())
