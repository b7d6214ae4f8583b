"""A bench is waited at for news, and not for longer than it may take."""

import asyncio

from catdog_stream.pipeline.outcome import Outcome
from catdog_stream.pipeline.voting.bench import Bench, Paper, acknowledge
from catdog_stream.pipeline.voting.docket import Docket
from catdog_stream.testing import run_in_virtual_time


def paper(acknowledged: list[str], name: str = "a") -> Paper:
    async def note() -> None:
        acknowledged.append(name)

    def count(_offset: int, _outcome: Outcome) -> None: ...

    return Paper(3, None, lambda: True, count, note)


def bench() -> Bench:
    return Bench(Docket(("a",), deadline=10.0, first=None), paper([]))


def test_it_is_of_the_partition_of_its_first_record() -> None:
    async def story() -> None:
        assert bench().partition == 3

    run_in_virtual_time(story())


def test_news_end_the_wait_once() -> None:
    async def story() -> None:
        it = bench()
        now = asyncio.get_running_loop().time
        begun = now()
        it.tell()
        await it.wait(5.0)
        assert now() - begun < 1
        await it.wait(5.0)
        assert now() - begun >= 5

    run_in_virtual_time(story())


def test_news_that_come_while_it_is_waited_for_end_the_wait() -> None:
    async def story() -> None:
        it = bench()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        loop.call_later(2.0, it.tell)
        await it.wait(5.0)
        assert 2 <= loop.time() - begun < 3

    run_in_virtual_time(story())


def test_records_are_acknowledged_in_their_order() -> None:
    acknowledged: list[str] = []

    async def story() -> None:
        await acknowledge([paper(acknowledged, name) for name in "abc"])

    run_in_virtual_time(story())
    assert acknowledged == ["a", "b", "c"]
