"""Backlog of requests in ``catdogimage`` that the measured program reads, and no other requests."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import CommitFailedError

from catdog_stream.kafka import cluster
from catdog_stream.settings import Settings
from tests.support.client import LABELS, MAX_BYTES, REJECTED, REQUESTS, request

__all__ = ["create_topics", "names", "queue", "skip_what_is_there"]

# The coordinator of a new cluster takes a while to start; aiokafka logs each attempt as an error.
logging.getLogger("aiokafka").addHandler(logging.NullHandler())

#: Seconds after which Kafka has certainly removed a dead member from its group.
_MEMBER_GONE = 60.0


def names(count: int, prefix: str = "") -> list[str]:
    """Return ``count`` urls that no other request has; they match each label to its request."""
    run = prefix + uuid4().hex
    return [f"{run}/{number}" for number in range(count)]


async def create_topics(address: str) -> None:
    """Create the application's topics where they are missing on the broker at ``host:port``."""
    await cluster.create_topics(Settings(broker=f"kafka://{address}").cluster)


async def skip_what_is_there(address: str, group: str) -> None:
    """Commit the current end offsets of the application's topics for ``group``.

    The group then starts behind all records of today. Waits until the group has no member: Kafka
    notices only after a while that a member was killed.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=address, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        metadata = await consumer._client.fetch_all_metadata()
        partitions = [
            TopicPartition(topic, number)
            for topic in (REQUESTS, LABELS, REJECTED)
            for number in metadata.partitions_for_topic(topic)
        ]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        async with asyncio.timeout(_MEMBER_GONE):
            while True:
                try:
                    await consumer.commit(ends)
                except CommitFailedError:
                    await asyncio.sleep(0.5)
                else:
                    return
    finally:
        await consumer.stop()


async def queue(
    address: str, urls: Sequence[str], files: Iterable[bytes], *, raw: bool = False
) -> None:
    """Publish a request for each url and picture, spread evenly over the partitions.

    With ``raw``, requests are the picture files themselves.
    """
    producer = AIOKafkaProducer(bootstrap_servers=address, max_request_size=MAX_BYTES)
    await producer.start()
    try:
        partitions = len(await producer.partitions_for(REQUESTS))
        sent = [
            await producer.send(
                REQUESTS,
                file if raw else request(file, url),
                partition=number % partitions,
                headers=[("url", url.encode())] if raw else [],
            )
            for number, (url, file) in enumerate(zip(urls, files, strict=True))
        ]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()
