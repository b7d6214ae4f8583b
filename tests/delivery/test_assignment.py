"""Tests of queries about partitions that are assigned and revoked."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from aiokafka import TopicPartition
from aiokafka.consumer.subscription_state import SubscriptionState
from faust.types import TP

from catdog_stream.app import build_app
from catdog_stream.settings import Settings

REQUESTS, LABELS = TopicPartition("catdogimage", 0), TopicPartition("catdoglabel", 0)


class Partitions:
    """Partitions of a consumer, with aiokafka's own state."""

    def __init__(self) -> None:
        self._state = SubscriptionState()
        self._state.subscribe({REQUESTS.topic, LABELS.topic})
        self.thread = cast(Any, build_app(Settings()).consumer)._consumer_thread
        consumer = SimpleNamespace(_subscription=self._state)
        self.thread._ensure_consumer = lambda: consumer

    def assign(self, ends: dict[TopicPartition, int | None], read: int | None = 0) -> None:
        self._state.assign_from_subscribed(set(ends))
        for tp, end in ends.items():
            state = self._state.subscription.assignment.state_value(tp)
            state.lso = end
            if read is not None:
                state.seek(read)


def scenario(ends: dict[TopicPartition, int | None], read: int | None = 0) -> bool:
    async def told() -> bool:
        partitions = Partitions()
        partitions.assign(ends, read)
        return bool(await partitions.thread._work_waits(REQUESTS.topic))

    return asyncio.run(told())


def test_work_waits_where_the_end_lies_behind_what_was_read() -> None:
    assert scenario({REQUESTS: 5}, read=4)
    assert not scenario({REQUESTS: 5}, read=5)
    assert not scenario({REQUESTS: None}), "nobody has looked yet"
    assert not scenario({REQUESTS: 5, LABELS: 9}, read=5), "labels are no work"


def test_a_place_that_is_never_found_is_work_that_waits() -> None:
    assert scenario({REQUESTS: 5}, read=None)


def test_a_partition_that_was_taken_away_is_no_work_and_has_no_end() -> None:
    async def told() -> None:
        partitions = Partitions()
        assert not await partitions.thread._work_waits(REQUESTS.topic)
        partitions.assign({REQUESTS: 5})
        assert partitions.thread.highwater(TP(*REQUESTS)) == 5
        partitions.assign({LABELS: 9})
        assert partitions.thread.highwater(TP(*REQUESTS)) == -1
        assert not await partitions.thread._work_waits(REQUESTS.topic)

    asyncio.run(told())
