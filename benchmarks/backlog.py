"""Requests in ``catdogimage``, such that who is measured finds these and no others."""

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

# A new cluster's coordinator lets itself be waited for; aiokafka logs each attempt as an error.
logging.getLogger("aiokafka").addHandler(logging.NullHandler())

#: Seconds after which Kafka has surely noticed that a member of a group is dead.
_MEMBER_GONE = 60.0


def names(count: int) -> list[str]:
    """``count`` urls that no other request has: by its url a label is known again."""
    run = uuid4().hex
    return [f"{run}/{number}" for number in range(count)]


async def create_topics(address: str) -> None:
    """Create the application's topics where they are missing on the broker at ``host:port``."""
    await cluster.create_topics(Settings(broker=f"kafka://{address}").cluster)


async def skip_what_is_there(address: str, group: str) -> None:
    """Have ``group`` begin behind all that the application's topics hold now.

    Waits until the group has no member: of one that was killed, Kafka learns after a while.
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


async def queue(address: str, urls: Sequence[str], files: Iterable[bytes]) -> None:
    """Publish a request for each url and picture, as many to one partition as to another."""
    producer = AIOKafkaProducer(bootstrap_servers=address, max_request_size=MAX_BYTES)
    await producer.start()
    try:
        partitions = len(await producer.partitions_for(REQUESTS))
        sent = [
            await producer.send(REQUESTS, request(file, url), partition=number % partitions)
            for number, (url, file) in enumerate(zip(urls, files, strict=True))
        ]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()
