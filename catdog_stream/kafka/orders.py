"""Which stack is to serve, told to all workers through a compacted topic, and what they say.

``catdogstack`` has one partition. Its record with the key ``use`` is the order in force::

    {"stack": "pets/2", "history": ["pets/1", null]}

``null`` is the stack of a worker's own settings. Under a worker's address stands what it made of
its last order, which is known by its offset::

    {"order": 17, "stack": "pets 2", "problem": null}
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from catdog_stream.errors import BrokerError
from catdog_stream.kafka.client import producer
from catdog_stream.kafka.cluster import create_compacted, topic_partitions
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.reading import extent, records

__all__ = ["Order", "Report", "follow", "give", "latest", "report"]

TOPIC = "catdogstack"
_USE = b"use"
#: Orders that can be taken back one after the other.
HISTORY = 20
#: A look into the topic waits so long for news: it is what following costs.
WAIT_MS = 2000


@dataclass(frozen=True, slots=True)
class Order:
    """Which stack is to serve, as text that anybody may have written; ``None``: the settings'."""

    offset: int
    stack: str | None
    #: Those before it, the last one first.
    history: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker made of an order."""

    worker: str
    order: int
    #: What serves now: name and version, as in the ``stack`` header.
    stack: str
    #: Why the order could not be followed, in a sentence.
    problem: str | None = None


async def give(cluster: ClusterConfig, stack: str | None, history: tuple[str | None, ...]) -> Order:
    """Have every worker use ``stack``. Raises ``BrokerError``."""
    history = history[:HISTORY]
    offset = await _write(cluster, _USE, {"stack": stack, "history": history})
    return Order(offset, stack, history)


async def report(cluster: ClusterConfig, told: Report) -> None:
    """Tell what became of an order. Raises ``BrokerError``."""
    body = {"order": told.order, "stack": told.stack, "problem": told.problem}
    await _write(cluster, told.worker.encode(), body)


async def _write(cluster: ClusterConfig, key: bytes, body: Any) -> int:
    await create_compacted(cluster, TOPIC)
    async with producer(cluster) as sender:
        record = await sender.send_and_wait(TOPIC, orjson.dumps(body), key=key, partition=0)
    return int(record.offset)


async def latest(cluster: ClusterConfig) -> Order | None:
    """The order in force; ``None`` if none was ever given. Raises ``BrokerError``."""
    partitions = (await topic_partitions(cluster)).get(TOPIC, 0)
    order = None
    async for record in records(cluster, await extent(cluster, TOPIC, min(partitions, 1))):
        news = _parse(record)
        order = news if isinstance(news, Order) else order
    return order


async def follow(cluster: ClusterConfig, offset: int) -> AsyncIterator[Order | Report]:
    """Orders and reports from ``offset`` on, as they come. Raises ``BrokerError``."""
    await create_compacted(cluster, TOPIC)
    consumer = AIOKafkaConsumer(
        **cluster.connection,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=WAIT_MS,
    )
    try:
        await consumer.start()
        consumer.assign([TopicPartition(TOPIC, 0)])
        consumer.seek(TopicPartition(TOPIC, 0), offset)
        async for record in consumer:
            if (news := _parse(record)) is not None:
                yield news
    except KafkaError as error:
        raise BrokerError(f"Kafka stopped answering: {error!r}.") from error
    finally:
        await consumer.stop()


def _parse(record: ConsumerRecord) -> Order | Report | None:
    """What a record says; ``None`` if it is neither."""
    try:
        body = orjson.loads(record.value or b"")
        if record.key == _USE:
            history = tuple(_text_or_none(stack) for stack in body.get("history", ()))
            return Order(record.offset, _text_or_none(body["stack"]), history)
        return Report(
            (record.key or b"").decode(),
            int(body["order"]),
            str(body["stack"]),
            _text_or_none(body["problem"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _text_or_none(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError
    return value
