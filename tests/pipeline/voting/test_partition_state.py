"""Tests of a partition's state: it wakes up for new records, and at its deadline."""

import asyncio

from catdog_stream.pipeline.outcome import Outcome
from catdog_stream.pipeline.voting.partition_state import PartitionState, VoteRecord, acknowledge
from catdog_stream.pipeline.voting.vote_join import VoteJoin
from catdog_stream.testing import run_in_virtual_time


def vote_record(acknowledged: list[str], name: str = "a") -> VoteRecord:
    async def note() -> None:
        acknowledged.append(name)

    def count(_offset: int, _outcome: Outcome) -> None: ...

    return VoteRecord(3, None, lambda: True, count, note)


def state() -> PartitionState:
    return PartitionState(VoteJoin(("a",), deadline=10.0, first=None), vote_record([]))


def test_it_is_of_the_partition_of_its_first_record() -> None:
    async def scenario() -> None:
        assert state().partition == 3

    run_in_virtual_time(scenario())


def test_news_end_the_wait_once() -> None:
    async def scenario() -> None:
        it = state()
        now = asyncio.get_running_loop().time
        begun = now()
        it.notify()
        await it.wait(5.0)
        assert now() - begun < 1
        await it.wait(5.0)
        assert now() - begun >= 5

    run_in_virtual_time(scenario())


def test_news_that_come_while_it_is_waited_for_end_the_wait() -> None:
    async def scenario() -> None:
        it = state()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        loop.call_later(2.0, it.notify)
        await it.wait(5.0)
        assert 2 <= loop.time() - begun < 3

    run_in_virtual_time(scenario())


def test_records_are_acknowledged_in_their_order() -> None:
    acknowledged: list[str] = []

    async def scenario() -> None:
        await acknowledge([vote_record(acknowledged, name) for name in "abc"])

    run_in_virtual_time(scenario())
    assert acknowledged == ["a", "b", "c"]
