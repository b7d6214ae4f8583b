"""Replies: the records of ``catdoglabel`` and ``catdogimage-rejected``, as they arrive."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from catdog_stream.kafka.bounded_reader import consumer
from catdog_stream.kafka.cluster import create_topics
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.names import Names
from catdog_stream.messages.answers import Rejection
from catdog_stream.messages.raw_json import loads
from catdog_stream.messages.wire import Source

__all__ = ["Reply", "replies"]


@dataclass(frozen=True, slots=True)
class Reply:
    """Untrusted record of either topic. A field that cannot be read is ``None``."""

    record: ConsumerRecord
    names: Names = field(default_factory=Names)

    @property
    def is_label(self) -> bool:
        """True for a record of the topic of labels."""
        return bool(self.record.topic == self.names.labels)

    @property
    def source(self) -> Source | None:
        """The place of the request that it answers."""
        return Source.parse(dict(self.record.headers).get("source"))

    @property
    def label(self) -> str | None:
        """The label as text, of any value; ``None`` for a rejection."""
        return str(self._field("label")) if self.is_label else None

    @property
    def url(self) -> str | None:
        """The request's url."""
        url = self._field("url")
        return url if isinstance(url, str) else None

    @property
    def rejection(self) -> Rejection | None:
        """The rejection with its reason; ``None`` for a label."""
        if self.record.topic != self.names.rejected:
            return None
        return Rejection.parse(self.record.value, self.record.headers)

    def _field(self, name: str) -> Any:
        try:
            body = loads(self.record.value or b"")
        except orjson.JSONDecodeError:
            return None
        return body.get(name) if isinstance(body, dict) else None


@asynccontextmanager
async def replies(
    cluster: ClusterConfig, *, from_beginning: bool = False
) -> AsyncIterator[AsyncIterator[Reply]]:
    """Yield labels and rejections that arrive from now on; create missing topics first.

    Args:
        cluster: the cluster.
        from_beginning: yield the existing records, too.

    Raises:
        BrokerError: no broker answers, or it stopped answering.
    """
    partitions = await create_topics(cluster)
    async with consumer(cluster, max_partition_fetch_bytes=cluster.max_answer_bytes) as reader:
        tps = [
            TopicPartition(topic, n)
            for topic in (cluster.names.labels, cluster.names.rejected)
            for n in range(partitions[topic])
        ]
        reader.assign(tps)
        seek = reader.seek_to_beginning if from_beginning else reader.seek_to_end
        await seek(*tps)
        for tp in tps:  # seeking is lazy: without this, the next reply could be missed
            await reader.position(tp)
        yield _read(reader, cluster.names)


async def _read(reader: AIOKafkaConsumer, names: Names) -> AsyncIterator[Reply]:
    async for record in reader:
        yield Reply(record, names)
