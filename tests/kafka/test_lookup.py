"""Tests that a request and its answer are found by the request's place, among other records."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from catdog_stream.errors import BrokerError, Reason, RejectedRequest
from catdog_stream.kafka import lookup as finding_module
from catdog_stream.kafka.client import producer
from catdog_stream.kafka.lookup import Lookup, lookup
from catdog_stream.messages.wire import Source
from catdog_stream.settings import Settings
from catdog_stream.testing import own_broker
from catdog_stream.testing.answered import Answered, publish_answers
from tests.support.names import LABELS, REQUESTS
from tests.support.requests import request_value

pytestmark = [pytest.mark.integration, pytest.mark.long]

BAD = RejectedRequest(Reason.NOT_AN_IMAGE, "No.")
ANSWERS = [{"cat": n / 100, "dog": 1 - n / 100} if n % 5 else BAD for n in range(40)]
SECONDS = 60.0

Scenario = Callable[[Lookup, list[Answered], AIOKafkaProducer], Awaitable[None]]


def test_each_answer_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with own_broker(tmp_path) as broker:
        cluster = Settings(broker=f"kafka://{broker.address}", partitions=3).cluster

        async def told(scenario: Scenario) -> None:
            answered = await publish_answers(cluster, ANSWERS)
            async with (
                asyncio.timeout(SECONDS),
                producer(cluster) as sender,
                lookup(cluster) as finder,
            ):
                await scenario(finder, answered, sender)

        asyncio.run(told(_in_any_order))
        asyncio.run(told(_waiting_and_missing))
        asyncio.run(told(_aborted_and_undecided))
        asyncio.run(told(_among_what_strangers_write))
        monkeypatch.setattr(finding_module, "MAX_RECORDS", 50)
        asyncio.run(told(_not_for_ever))


async def _in_any_order(finder: Lookup, answered: list[Answered], _: AIOKafkaProducer) -> None:
    for each in (*answered[::3], *reversed(answered)):
        found = await finder.find(each.source)
        assert found is not None
        assert found.reply is not None
        assert found.complete
        assert found.request.value == each.value
        assert found.reply.source == each.source
        assert (found.reply.rejection is not None) == isinstance(each.answer, RejectedRequest)


async def _waiting_and_missing(
    finder: Lookup, _answered: list[Answered], sender: AIOKafkaProducer
) -> None:
    record = await sender.send_and_wait(REQUESTS, request_value(b"x", "waits"))
    source = Source(REQUESTS, record.partition, record.offset)
    found = await finder.find(source)
    assert found is not None
    assert found.reply is None
    assert found.complete
    for missing in (
        Source(REQUESTS, record.partition, record.offset + 1),
        Source(REQUESTS, 99, 0),
        Source("another", 0, 0),
    ):
        assert await finder.find(missing) is None


async def _aborted_and_undecided(
    finder: Lookup, answered: list[Answered], sender: AIOKafkaProducer
) -> None:
    bootstrap = sender.client._bootstrap_servers
    partition = answered[0].source.partition
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id="t") as stranger:
        await stranger.begin_transaction()
        record = await stranger.send_and_wait(REQUESTS, b"{}", partition=partition)
        source = Source(REQUESTS, partition, record.offset)
        assert await finder.find(source) is None, "it is not taken yet"
        await stranger.abort_transaction()
        # Kafka shows the end of a transaction a moment after it has confirmed it.
        assert await finder.find(source) is None, "it never was"
        await stranger.begin_transaction()
        record = await stranger.send_and_wait(REQUESTS, b"{}", partition=partition)
        await stranger.commit_transaction()
    source = Source(REQUESTS, partition, record.offset)
    async with asyncio.timeout(SECONDS):
        while await finder.find(source) is None:
            await asyncio.sleep(0.02)


async def _among_what_strangers_write(
    finder: Lookup, answered: list[Answered], sender: AIOKafkaProducer
) -> None:
    wanted = answered[-1].source
    for number in range(3):
        await sender.send_and_wait(
            LABELS,
            b"\xff",
            partition=wanted.partition,
            timestamp_ms=number,  # an old time in a new record
            headers=[("source", b"\xff"), ("source", b"")],
        )
    record = await sender.send_and_wait(
        REQUESTS, b"not json", partition=wanted.partition, timestamp_ms=1
    )
    old = await finder.find(Source(REQUESTS, record.partition, record.offset))
    assert old is not None
    assert old.reply is None
    found = await finder.find(wanted)
    assert found is not None
    assert found.reply is not None


async def _not_for_ever(finder: Lookup, answered: list[Answered], sender: AIOKafkaProducer) -> None:
    first = answered[1].source
    record = await sender.send_and_wait(REQUESTS, b"{}", partition=first.partition, timestamp_ms=1)
    for _ in range(60):
        await sender.send(LABELS, b"{}", partition=first.partition)
    await sender.flush()
    found = await finder.find(Source(REQUESTS, record.partition, record.offset))
    assert found is not None
    assert not found.complete


def test_one_that_failed_finds_nothing_more(tmp_path: Path) -> None:
    with own_broker(tmp_path) as broker:
        cluster = Settings(broker=f"kafka://{broker.address}", partitions=1).cluster

        async def scenario() -> None:
            answered = await publish_answers(cluster, ANSWERS[:2])
            async with lookup(cluster) as finder:
                looking = asyncio.create_task(finder.find(answered[0].source))
                await asyncio.sleep(0)
                looking.cancel()
                await asyncio.wait([looking])
                assert finder.broken
                with pytest.raises(BrokerError):
                    await finder.find(answered[0].source)

        asyncio.run(scenario())
