"""When a worker commits, acknowledges and writes its counts, and when it must not."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest
from faust.types import TP

from catdog_stream.application import CatDogApp
from catdog_stream.fixes import consumer as consumer_module
from catdog_stream.fixes.consumer import Consumer
from catdog_stream.settings import Settings

REQUESTS = TP("catdogimage", 0)
DEADLINE = 10.0


def consumer() -> Any:
    """The consumer of an application that is connected to nothing."""
    return cast(Consumer, CatDogApp(Settings()).consumer)


def message(generation: int) -> Any:
    return SimpleNamespace(tracked=True, generation_id=generation)


def test_behind_what_was_handed_back_nothing_is_acknowledged_in_that_generation() -> None:
    async def story() -> None:
        it = consumer()
        it.app.consumer_generation_id = 7
        handed_back: list[bool] = []

        async def abandon() -> None:
            handed_back.append(True)

        it.on_drain_timeout = abandon
        first, behind = message(7), message(7)
        assert it.is_current(behind)
        it._unacked_messages = {id(first)}
        await it.wait_empty()
        assert handed_back
        assert not it.ack(behind)
        it.app.consumer_generation_id = 8
        assert it.is_current(message(8))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(consumer_module, "DRAIN_SECONDS", 0.05)
        asyncio.run(asyncio.wait_for(story(), DEADLINE))


def test_a_worker_that_has_lost_its_place_in_the_group_writes_and_commits_nothing() -> None:
    """It was paused for a minute, say: another one counts on, and must not be overwritten."""

    async def story(*, member: bool) -> list[str]:
        it = consumer()
        done: list[str] = []

        async def is_member() -> bool:
            return member

        async def commit(_offsets: object, **_options: object) -> bool:
            done.append("commit")
            return True

        table = SimpleNamespace(send_changes=lambda: done.append("write"), confirmed=nothing)
        it._thread.is_member = is_member
        it._commit_offsets = commit
        it._confirmed_tables = lambda: [table]
        it._acked[REQUESTS] = [0, 1]
        await it._commit_tps([REQUESTS], start_new_transaction=False)
        assert it._acked[REQUESTS] == ([] if member else [0, 1])
        return done

    async def nothing() -> None:
        pass

    assert asyncio.run(story(member=True)) == ["write", "commit"]
    assert asyncio.run(story(member=False)) == []


def test_a_commit_at_a_rebalance_is_bounded_even_behind_one_that_hangs() -> None:
    async def story() -> None:
        it = consumer()
        hangs = asyncio.Event()
        it._commit_fut = asyncio.get_running_loop().create_future()
        it._tables_confirmed = hangs.wait
        began = time.monotonic()
        await it._commit_if_possible()
        assert time.monotonic() - began < 1
        assert not it._commit_fut.cancelled(), "it belongs to somebody else"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(consumer_module, "COMMIT_SECONDS", 0.1)
        asyncio.run(asyncio.wait_for(story(), DEADLINE))
