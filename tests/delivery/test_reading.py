"""Tests of reading, which stops as soon as a seek starts."""

import asyncio
from typing import Any, cast

import pytest
from aiokafka import ConsumerRecord
from faust.types import TP

from catdog_stream.app import build_app
from catdog_stream.delivery.reading import MAX_FETCH_WAIT, ReadingConsumer
from catdog_stream.settings import Settings

#: Half of the seconds that Faust sleeps if there is no partition to read.
SECONDS = 0.5


def test_a_seek_does_not_wait_where_every_partition_is_paused() -> None:
    asyncio.run(_seek_while_all_is_paused())


async def _seek_while_all_is_paused() -> None:
    app: Any = build_app(Settings())
    consumer = cast(ReadingConsumer, app.consumer)
    consumer._active_partitions = set()
    consumer.resume_flow()
    reading = asyncio.create_task(consumer._drain_messages(app._fetcher))
    async with asyncio.timeout(SECONDS):
        while consumer._parked.is_set():
            await asyncio.sleep(0)
    for _ in range(5):
        await asyncio.sleep(0)  # into the pause
    try:
        async with asyncio.timeout(SECONDS):
            await consumer._halt()
        assert not reading.done()
    finally:
        reading.cancel()


def test_the_end_of_the_worker_during_a_rebalance_is_no_crash() -> None:
    asyncio.run(_stop_while_partitions_move())


async def _stop_while_partitions_move() -> None:
    app: Any = build_app(Settings())
    app.consumer._active_partitions = {TP("catdogimage", 0)}
    app.consumer.stop_flow()
    app.rebalancing = True
    await app._fetcher.start()
    async with asyncio.timeout(SECONDS):
        while not app.consumer._parked.is_set():
            await asyncio.sleep(0)
    app._stopped.set()  # the first step of stopping
    async with asyncio.timeout(10 * SECONDS):
        await app._stop_fetcher()
    assert not app._crashed.is_set()


@pytest.mark.parametrize("turns", range(6))
def test_a_halt_soon_after_the_flow_resumed_does_not_hinder_the_next_one(turns: int) -> None:
    """Run ``turns`` turns of the event loop in between."""
    asyncio.run(_halt_twice(turns))


async def _halt_twice(turns: int) -> None:
    async def nothing_to_read(_partitions: object, timeout: float) -> dict[TP, list[object]]:
        await asyncio.sleep(timeout)
        return {}

    app: Any = build_app(Settings())
    app.consumer._active_partitions = {TP("catdogimage", 0)}
    app.consumer._getmany = nothing_to_read
    app.consumer.stop_flow()
    reading = asyncio.create_task(app.consumer._drain_messages(app._fetcher))
    try:
        await asyncio.sleep(0.05)
        app.consumer.resume_flow()
        for _ in range(turns):
            await asyncio.sleep(0)
        for _ in range(2):
            async with asyncio.timeout(SECONDS):
                await app.consumer._halt()
            await asyncio.sleep(2 * MAX_FETCH_WAIT)
    finally:
        reading.cancel()
        await asyncio.wait((reading,))


A, B = TP("catdogimage", 0), TP("catdogimage", 1)


def record(tp: TP, offset: int) -> ConsumerRecord[bytes, bytes]:
    return ConsumerRecord(tp.topic, tp.partition, offset, 0, 0, None, b"{}", None, 0, 2, ())


@pytest.mark.parametrize("paused", [A, B])
def test_a_pause_drops_no_record_that_was_fetched_before(paused: TP) -> None:
    asyncio.run(_pause_between_two_records(paused))


async def _pause_between_two_records(paused: TP) -> None:
    async def two_of_each(**_: object) -> dict[TP, list[object]]:
        return {tp: [record(tp, offset) for offset in range(2)] for tp in (A, B)}

    app: Any = build_app(Settings())
    consumer = app.consumer
    consumer._active_partitions, consumer._taken_over = {A, B}, app.consumer_generation_id
    consumer._getmany, consumer.highwater = two_of_each, lambda _: 2
    consumer._note_positions = lambda: None
    consumer.resume_flow()
    delivered: list[tuple[TP, int]] = []
    async for tp, message in consumer.getmany(SECONDS):
        if not delivered:
            consumer.on_buffer_full(A)  # as when the stream's queue is nearly full
            consumer.pause(paused)
            consumer.on_buffer_drop(A)
        delivered.append((tp, message.offset))
    assert sorted(delivered) == [(A, 0), (A, 1), (B, 0), (B, 1)]
    assert consumer._get_active_partitions() == {A, B} - {paused}
    consumer.resume(paused)
    assert consumer._get_active_partitions() == {A, B}


class Fetches:
    """Consumer of an app with one fetch of records, and none afterwards."""

    def __init__(self, found: dict[TP, list[ConsumerRecord[bytes, bytes]]]) -> None:
        self.app = cast(Any, build_app(Settings()))
        self.consumer = cast(Any, self.app.consumer)
        self.consumer._active_partitions = set(found)
        self.consumer._taken_over = self.app.consumer_generation_id
        self.consumer._getmany, self.consumer.highwater = self._fetch, lambda _: 2
        self.consumer._note_positions = lambda: None
        self.consumer.callback = self._receive
        self.delivered: list[tuple[TP, int]] = []
        self.has_room = asyncio.Event()
        self._found = found

    async def _fetch(self, active_partitions: object, timeout: float) -> object:  # noqa: ARG002
        found, self._found = self._found, {}
        await asyncio.sleep(0 if found else timeout)
        return found

    async def _receive(self, message: Any) -> None:
        if self.delivered:
            await self.has_room.wait()
        self.delivered.append((message.tp, message.offset))

    async def __aenter__(self) -> "Fetches":
        self.consumer.resume_flow()
        self._reading = asyncio.create_task(self.consumer._drain_messages(self.app._fetcher))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reading.cancel()
        await asyncio.wait((self._reading,))

    async def until_delivered(self, count: int) -> None:
        async with asyncio.timeout(SECONDS):
            while len(self.delivered) < count:
                await asyncio.sleep(0.01)


def test_a_seek_ends_the_delivery_to_a_stream_that_has_no_room() -> None:
    async def story() -> None:
        async with Fetches({A: [record(A, 0), record(A, 1), record(A, 2)]}) as fetches:
            await fetches.until_delivered(1)
            async with asyncio.timeout(SECONDS):
                await fetches.consumer._halt()
            fetches.has_room.set()
            await asyncio.sleep(0.05)
            assert fetches.delivered == [(A, 0)], "the seek returns to the others"
            assert fetches.consumer._read_offset[A] == 0
            fetches.consumer.resume_flow()
            fetches._found = {A: [record(A, 1)]}
            await fetches.until_delivered(2)

    asyncio.run(story())


def test_records_that_their_only_stream_does_not_need_are_not_delivered() -> None:
    async def story() -> None:
        own = TP("catdoglabel", 0)
        async with Fetches({own: [record(own, 0), record(own, 1)], A: [record(A, 7)]}) as fetches:
            fetches.has_room.set()
            fetches.consumer.passes_over[own.topic] = lambda label: label.offset == 0
            fetches.app.topics._topic_name_index[own.topic] = {"its only stream"}
            await fetches.until_delivered(2)
            assert sorted(fetches.delivered) == [(A, 7), (own, 1)]

    asyncio.run(story())
