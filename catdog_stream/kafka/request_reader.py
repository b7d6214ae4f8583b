"""Requests that were taken by others, read again by their place in Kafka."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from catdog_stream import deadlines
from catdog_stream.errors import BrokerError
from catdog_stream.kafka.cluster import topic_partitions
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.explanations import Access, broker_error
from catdog_stream.topics import REQUESTS
from catdog_stream.wire import Source

__all__ = ["RequestReader"]

_READ = Access.topic("Read", REQUESTS)

#: Seconds between two looks at how far reading came without a record.
POSITION_INTERVAL = 0.5


class RequestReader:
    """Reads requests by their sources, from when its block begins.

    Answers stand in the order of their requests, so that nearly always the next record of the
    partition is the one that is asked for: then it costs no look-up. It keeps no request.

    Args:
        cluster: where.
        committed: pass over what was aborted. What is not yet committed is waited for, in vain: it
            must not be asked for.
    """

    def __init__(self, cluster: ClusterConfig, *, committed: bool = False) -> None:
        self._cluster = cluster
        self._committed = committed
        self._next: dict[TopicPartition, int] = {}
        #: Where each partition ended, when it was last asked.
        self._ends: dict[TopicPartition, int] = {}
        #: From where on ``next_from`` was asked last, and what it found.
        self._found: dict[TopicPartition, tuple[int, int]] = {}
        #: Reading moves the one position that a partition has.
        self._reading = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Connect. Raises ``BrokerError``."""
        partitions = (await topic_partitions(self._cluster, REQUESTS)).get(REQUESTS, 0)
        self._consumer = AIOKafkaConsumer(
            **self._cluster.connection,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed" if self._committed else "read_uncommitted",
            max_partition_fetch_bytes=self._cluster.max_request_bytes,
        )
        try:
            await self._consumer.start()
        except KafkaError as error:
            raise broker_error(error, self._cluster, _READ) from error
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
        async with self._asking():
            if not await self._knows(tp):
                return None
            # Anybody can write a source that lies behind the end, which would be waited for.
            if source.offset >= self._ends.get(tp, 0) and source.offset >= await self._end(tp):
                return None
            try:
                record = await self._read(tp, source.offset)
            except (OffsetOutOfRangeError, _NoRecordError):
                return None
        return record if record.offset == source.offset else None

    async def exists(self, partition: int, offset: int) -> bool:
        """Whether the partition is longer than ``offset``. Raises ``BrokerError``."""
        tp = TopicPartition(REQUESTS, partition)
        if offset < self._ends.get(tp, 0):
            return True
        async with self._asking():
            return await self._knows(tp) and offset < await self._end(tp)

    async def next_from(self, partition: int, offset: int) -> int:
        """The place of the first request at ``offset``, which ``exists``, or behind it.

        Between two requests may lie what is none: marks of transactions, and what was aborted.
        Raises ``BrokerError``, also if there is none yet.
        """
        tp = TopicPartition(REQUESTS, partition)
        asked, found = self._found.get(tp, (0, -1))
        if asked <= offset <= found:
            return found
        async with self._asking():
            try:
                record = await self._read(tp, offset)
            except OffsetOutOfRangeError:  # deleted: what is left begins behind it
                (start,) = (await self._consumer.beginning_offsets([tp])).values()
                record = await self._read(tp, start)
        self._found[tp] = (offset, record.offset)
        return int(record.offset)

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[None]:
        async with self._reading:
            try:
                yield
            except _NoRecordError as error:
                raise BrokerError(
                    "Kafka holds no further request of this partition yet."
                ) from error
            except (KafkaError, TimeoutError) as error:
                raise broker_error(error, self._cluster, _READ) from error

    async def _knows(self, tp: TopicPartition) -> bool:
        if tp not in self._known:  # partitions may have been added
            partitions = (await topic_partitions(self._cluster, REQUESTS)).get(REQUESTS, 0)
            if partitions > len(self._known):
                self._assign(partitions)
        return tp in self._known

    async def _end(self, tp: TopicPartition) -> int:
        self._ends |= await self._consumer.end_offsets([tp])
        return self._ends[tp]

    async def _read(self, tp: TopicPartition, offset: int) -> ConsumerRecord:
        """Return the first record at ``offset`` or behind it; raises ``_NoRecordError``."""
        if self._next.get(tp) != offset:
            self._consumer.seek(tp, offset)
            self._consumer.resume(tp)
        try:
            async with asyncio.timeout(deadlines.CLIENT_REQUEST):
                record = await self._first_from(tp, offset)
        except (OffsetOutOfRangeError, _NoRecordError):
            self._next.pop(tp, None)
            self._consumer.pause(tp)
            raise
        self._next[tp] = record.offset + 1
        return record

    async def _first_from(self, tp: TopicPartition, offset: int) -> ConsumerRecord:
        while True:
            try:
                async with asyncio.timeout(POSITION_INTERVAL):
                    return await self._consumer.getone(tp)
            except TimeoutError:
                # It reads over what is no record without a word, and then waits for the next one.
                if await self._consumer.position(tp) > offset:
                    raise _NoRecordError from None


class _NoRecordError(Exception):
    """The partition continues behind an offset, but with nothing that can be read."""
