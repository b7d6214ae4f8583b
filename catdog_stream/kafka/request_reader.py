"""Reader of requests by their place in Kafka, for requests that another consumer has taken."""

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
from catdog_stream.messages.wire import Source

__all__ = ["RequestReader"]

#: Seconds between two checks of the position while no record arrives.
POSITION_INTERVAL = 0.5


class RequestReader:
    """Reader of requests by their sources, connected within its ``async with`` block.

    Answers have the order of their requests. So the next record of the partition is nearly always
    the requested one, and reading it needs no seek. The reader keeps no request.

    Args:
        cluster: the cluster.
        committed: skip aborted transactions. Do not ask for a request that is not yet committed:
            the reader would wait for it until the timeout.
    """

    def __init__(self, cluster: ClusterConfig, *, committed: bool = False) -> None:
        self._cluster = cluster
        self._committed = committed
        self._next: dict[TopicPartition, int] = {}
        #: End of each partition at the last check.
        self._ends: dict[TopicPartition, int] = {}
        #: Last offset given to ``next_from`` by partition, and the offset that it returned.
        self._found: dict[TopicPartition, tuple[int, int]] = {}
        #: A lock, because a partition has one position, which reading moves.
        self._reading = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Connect. Raises ``BrokerError``."""
        partitions = (await topic_partitions(self._cluster, self._cluster.names.requests)).get(
            self._cluster.names.requests, 0
        )
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
            raise broker_error(
                error, self._cluster, Access.topic("Read", self._cluster.names.requests)
            ) from error
        self._assign(partitions)
        return self

    def _assign(self, partitions: int) -> None:
        """Assign all partitions, paused: a partition is fetched only on demand."""
        self._known = [
            TopicPartition(self._cluster.names.requests, number) for number in range(partitions)
        ]
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
        """Return the request at ``source``; ``None`` if it was deleted or never existed.

        Raises:
            BrokerError: the broker stopped answering.
        """
        if source is None or source.topic != self._cluster.names.requests:
            return None
        tp = TopicPartition(source.topic, source.partition)
        async with self._asking():
            if not await self._knows(tp):
                return None
            # Any client can write a source behind the end; reading it would wait for a record.
            if source.offset >= self._ends.get(tp, 0) and source.offset >= await self._end(tp):
                return None
            try:
                record = await self._read(tp, source.offset)
            except (OffsetOutOfRangeError, _NoRecordError):
                return None
        return record if record.offset == source.offset else None

    async def exists(self, partition: int, offset: int) -> bool:
        """Return whether the partition's end is behind ``offset``. Raises ``BrokerError``."""
        tp = TopicPartition(self._cluster.names.requests, partition)
        if offset < self._ends.get(tp, 0):
            return True
        async with self._asking():
            return await self._knows(tp) and offset < await self._end(tp)

    async def next_from(self, partition: int, offset: int) -> int:
        """Return the offset of the first request at or behind ``offset``, which must ``exist``.

        Offsets between two requests may hold transaction markers and aborted records.
        Raises ``BrokerError``, also if there is no such request yet.
        """
        tp = TopicPartition(self._cluster.names.requests, partition)
        asked, found = self._found.get(tp, (0, -1))
        if asked <= offset <= found:
            return found
        async with self._asking():
            try:
                record = await self._read(tp, offset)
            except OffsetOutOfRangeError:  # deleted: the remaining records start behind it
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
                raise broker_error(
                    error, self._cluster, Access.topic("Read", self._cluster.names.requests)
                ) from error

    async def _knows(self, tp: TopicPartition) -> bool:
        if tp not in self._known:  # partitions may have been added
            partitions = (await topic_partitions(self._cluster, self._cluster.names.requests)).get(
                self._cluster.names.requests, 0
            )
            if partitions > len(self._known):
                self._assign(partitions)
        return tp in self._known

    async def _end(self, tp: TopicPartition) -> int:
        self._ends |= await self._consumer.end_offsets([tp])
        return self._ends[tp]

    async def _read(self, tp: TopicPartition, offset: int) -> ConsumerRecord:
        """Return the first record at or behind ``offset``. Raises ``_NoRecordError``."""
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
                # aiokafka skips offsets without a record silently, then waits for the next record.
                if await self._consumer.position(tp) > offset:
                    raise _NoRecordError from None


class _NoRecordError(Exception):
    """The partition continues behind an offset, but holds no readable record there."""
