"""A consumer with nothing to read leaves the processor to others, whatever broker it has."""

import asyncio
import time
import uuid

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from catdog_stream.fixes import empty_fetches

pytestmark = pytest.mark.integration

SECONDS = 1.0


def test_an_idle_consumer_is_idle(broker_address: str) -> None:
    empty_fetches.install()
    used = asyncio.run(_cpu_seconds(broker_address))
    assert used < 0.4 * SECONDS, f"{used:.2f} s of CPU time in {SECONDS} s of waiting"


async def _cpu_seconds(address: str) -> float:
    topic = f"idle-{uuid.uuid4().hex[:8]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 8, 1)])
    await admin.close()
    consumer = AIOKafkaConsumer(bootstrap_servers=address)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(8)]
        consumer.assign(partitions)
        for partition in partitions:
            await consumer.position(partition)
        started, before = time.monotonic(), time.process_time()
        while time.monotonic() < started + SECONDS:
            await consumer.getmany(timeout_ms=100)
        return time.process_time() - before
    finally:
        await consumer.stop()
