"""Patch: a producer waits for an unknown partition as it waits for an unknown topic.

Fault (aiokafka 0.14): a topic that was deleted and created again first has the broker's default
number of partitions, and gets the others later. A record for one of the others is not sent: the
producer raises ``AssertionError('Unrecognized partition')``, as if the record were wrong.

Repair: the producer asks again for as long as it asks for an unknown topic, and then raises the
same error, ``UnknownTopicOrPartitionError``.
"""

import asyncio
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import UnknownTopicOrPartitionError

__all__ = ["install"]

#: Seconds until the next metadata request.
PAUSE = 0.1

_original = AIOKafkaProducer.send


async def _patient(
    producer: Any,
    topic: str,
    value: Any = None,
    key: Any = None,
    partition: int | None = None,
    timestamp_ms: int | None = None,
    headers: Any = None,
) -> Any:
    client = producer.client
    known = await client._wait_on_metadata(topic)
    if partition is not None and partition not in known:
        await _until_known(client, topic, partition)
    return await _original(producer, topic, value, key, partition, timestamp_ms, headers)


async def _until_known(client: Any, topic: str, partition: int) -> None:
    try:
        async with asyncio.timeout(client._request_timeout_ms / 1000):
            while partition not in await client._wait_on_metadata(topic):
                await asyncio.sleep(PAUSE)
                await client.force_metadata_update()
    except TimeoutError:
        raise UnknownTopicOrPartitionError(topic) from None


def install() -> None:
    """Patch every producer of this process."""
    AIOKafkaProducer.send = _patient
