"""Requests that were answered, read again by their place in Kafka."""

import asyncio
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from catdog_stream import deadlines
from catdog_stream.errors import BrokerError
from catdog_stream.kafka.cluster import topic_partitions
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.topics import REQUESTS
from catdog_stream.wire import Source

__all__ = ["RequestReader"]


class RequestReader:
    """Reads requests by their sources, from when its block begins.

    Answers stand in the order of their requests, so that nearly always the next record of the
    partition is the one that is asked for: then it costs no look-up. It keeps no request.
    """

    def __init__(self, cluster: ClusterConfig) -> None:
        self._cluster = cluster
        self._next: dict[TopicPartition, int] = {}

    async def __aenter__(self) -> Self:
        """Connect. Raises ``BrokerError``."""
        partitions = (await topic_partitions(self._cluster)).get(REQUESTS, 0)
        self._consumer = AIOKafkaConsumer(
            **self._cluster.connection,
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=self._cluster.max_request_bytes,
        )
        try:
            await self._consumer.start()
        except KafkaError as error:
            raise BrokerError(f"Kafka cannot be read: {error!r}.") from error
        self._assign(partitions)
        return self

    def _assign(self, partitions: int) -> None:
        """Partitions are fetched once they are asked for."""
        self._known = [TopicPartition(REQUESTS, number) for number in range(partitions)]
        self._next.clear()
        self._consumer.assign(self._known)
        self._consumer.pause(*self._known)

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await self._consumer.stop()

    async def of(self, source: Source | None) -> ConsumerRecord | None:
        """The request at ``source``; ``None`` if it is not there: deleted, or never was.

        Raises:
            BrokerError: the broker stopped answering.
        """
        if source is None or source.topic != REQUESTS:
            return None
        tp = TopicPartition(source.topic, source.partition)
        try:
            if tp not in self._known:  # partitions may have been added
                partitions = (await topic_partitions(self._cluster)).get(REQUESTS, 0)
                if partitions > len(self._known):
                    self._assign(partitions)
            if tp not in self._known:
                return None
            return await self._read(tp, source.offset)
        except OffsetOutOfRangeError:
            self._next.pop(tp, None)
            self._consumer.pause(tp)
            return None
        except (KafkaError, TimeoutError) as error:
            raise BrokerError(f"Kafka stopped answering: {error!r}.") from error

    async def _read(self, tp: TopicPartition, offset: int) -> ConsumerRecord | None:
        if self._next.get(tp) != offset:
            # Anybody can write a source that lies behind the end, which would be waited for.
            ends = await self._consumer.end_offsets([tp])
            if offset >= ends[tp]:
                return None
            self._consumer.seek(tp, offset)
            self._consumer.resume(tp)
        async with asyncio.timeout(deadlines.CLIENT_REQUEST):
            record = await self._consumer.getone(tp)
        self._next[tp] = record.offset + 1
        return record if record.offset == offset else None
