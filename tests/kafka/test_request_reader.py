"""Tests of requests that are read again by their places, in any order, and of missing ones."""

import asyncio
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition

from catdog_stream.kafka.cluster import create_topics, grow
from catdog_stream.kafka.request_reader import RequestReader
from catdog_stream.messages.wire import Source
from catdog_stream.settings import Settings
from catdog_stream.testing import own_broker
from tests.support.names import REQUESTS

pytestmark = pytest.mark.integration

SECONDS = 60.0
DELETED = 5


def test_each_is_found_and_what_is_gone_is_none(tmp_path: Path) -> None:
    with own_broker(tmp_path) as broker:
        cluster = Settings(broker=f"kafka://{broker.address}", partitions=2).cluster

        async def scenario() -> None:
            await create_topics(cluster)
            async with AIOKafkaProducer(bootstrap_servers=broker.address) as producer:
                for partition in (0, 1):
                    for number in range(20):
                        await producer.send_and_wait(
                            REQUESTS, b"%d %d" % (partition, number), partition=partition
                        )
                async with RequestReader(cluster) as requests:

                    async def found(partition: int, offset: int) -> bytes | None:
                        record = await requests.of(Source(REQUESTS, partition, offset))
                        return None if record is None else record.value

                    for number in (*range(20), 3, 19, 0, 1):
                        for partition in (0, 1):
                            assert await found(partition, number) == b"%d %d" % (partition, number)
                    assert await found(0, 20) is None, "it was never written, and is not waited for"
                    assert await found(0, 10**15) is None
                    assert await found(7, 0) is None
                    assert await requests.of(Source("other", 0, 0)) is None
                    assert await requests.of(None) is None
                    await delete(broker.address)
                    assert await found(0, 0) is None
                    assert await found(0, DELETED) == b"0 %d" % DELETED
                    await grow(cluster, REQUESTS, 3)
                    await producer.client.force_metadata_update()
                    await producer.send_and_wait(REQUESTS, b"new", partition=2)
                    assert await found(2, 0) == b"new"
                    assert await found(1, 7) == b"1 7"

        asyncio.run(asyncio.wait_for(scenario(), SECONDS))


def test_the_next_one_is_found_behind_what_is_none(tmp_path: Path) -> None:
    with own_broker(tmp_path) as broker:
        cluster = Settings(broker=f"kafka://{broker.address}", partitions=2).cluster

        async def scenario() -> None:
            await create_topics(cluster)
            async with AIOKafkaProducer(
                bootstrap_servers=broker.address, transactional_id="next"
            ) as producer:
                for committed in (True, False, True, False):  # 0 1 - | x x - | 6 7 - | x x -
                    await producer.begin_transaction()
                    for _ in range(2):
                        await producer.send_and_wait(REQUESTS, b"x", partition=0)
                    await (
                        producer.commit_transaction if committed else producer.abort_transaction
                    )()
                async with RequestReader(cluster, committed=True) as requests:
                    assert await requests.exists(0, 11)
                    assert not await requests.exists(0, 12)
                    assert not await requests.exists(1, 0)
                    assert not await requests.exists(9, 0)
                    found = [await requests.next_from(0, offset) for offset in range(8)]
                    assert found == [0, 1, 6, 6, 6, 6, 6, 7]
                    assert await requests.of(Source(REQUESTS, 0, 7)) is not None
                    for offset in (8, 9, 11):  # a marker, an aborted record, the marker at the end
                        assert await requests.of(Source(REQUESTS, 0, offset)) is None
                    assert await requests.next_from(0, 0) == 0
                    await delete(broker.address)
                    assert await requests.next_from(0, 2) == 6
                    async with AIOKafkaProducer(bootstrap_servers=broker.address) as plain:
                        await plain.send_and_wait(REQUESTS, b"x", partition=0)
                    assert await requests.exists(0, 12)
                    assert await requests.next_from(0, 8) == 12

        asyncio.run(asyncio.wait_for(scenario(), SECONDS))


async def delete(address: str) -> None:
    """Delete the oldest requests, as Kafka does after a week."""
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(REQUESTS, 0): RecordsToDelete(DELETED)})
    finally:
        await admin.close()
