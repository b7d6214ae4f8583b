"""Lookup of a request and its answer by the request's place in Kafka, for any client's request."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from catdog_stream import deadlines
from catdog_stream.errors import BrokerError
from catdog_stream.kafka.bounded_reader import Extent, consumer, records_of
from catdog_stream.kafka.cluster import topic_partitions
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.explanations import Access, broker_error
from catdog_stream.kafka.replies import Reply
from catdog_stream.messages.wire import Source

__all__ = ["Found", "Lookup", "lookup"]

#: Most records to read for one answer, and the longest time in seconds.
MAX_RECORDS = 20_000
SECONDS = 5.0
#: Records in memory at a time; a rejection may be as large as its picture.
AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Found:
    """Request that is in Kafka, with its answer."""

    request: ConsumerRecord
    #: First answer; ``None`` if none was found.
    reply: Reply | None
    #: True if every record that could be the answer was read.
    complete: bool


class Lookup:
    """Client that finds one request at a time. Made by ``lookup``.

    Args:
        cluster: the cluster.
        committed: consumer of requests that skips aborted transactions.
        replies: consumer of answers.
    """

    def __init__(
        self, cluster: ClusterConfig, committed: AIOKafkaConsumer, replies: AIOKafkaConsumer
    ) -> None:
        self._cluster = cluster
        self._committed = committed
        self._replies = replies
        self._partitions: Mapping[str, int] = {}
        self._looked: float | None = None
        self._lock = asyncio.Lock()
        #: True after an error: the position of the consumers is then unknown.
        self.broken = False

    async def find(self, source: Source) -> Found | None:
        """Return the request at ``source`` and its answer; ``None`` if there is no such request.

        An answer has the partition of its request, and the same or a later timestamp. So the search
        starts at the first record of that time.

        Raises:
            BrokerError: the broker stopped answering.
        """
        async with asyncio.timeout(deadlines.CLIENT_REQUEST):
            await self._lock.acquire()  # who waits too long leaves the connection to the others
        try:
            if self.broken:
                raise BrokerError("Kafka stopped answering.")
            try:
                async with asyncio.timeout(deadlines.CLIENT_REQUEST):
                    return await self._find(source)
            except (KafkaError, TimeoutError) as error:
                self.broken = True
                raise broker_error(
                    error, self._cluster, Access.topic("Read", *self._cluster.names.topics)
                ) from error
            except BaseException:
                self.broken = True
                raise
        finally:
            self._lock.release()

    async def _find(self, source: Source) -> Found | None:
        if self._looked is None or time.monotonic() - self._looked > deadlines.LOOK_AT_CLUSTER:
            self._partitions = await topic_partitions(self._cluster, *self._cluster.names.topics)
            self._looked = time.monotonic()
        if source.topic != self._cluster.names.requests or source.partition >= self._partitions.get(
            self._cluster.names.requests, 0
        ):
            return None
        request = await self._request(source)
        return None if request is None else await self._answered(source, request)

    async def _request(self, source: Source) -> ConsumerRecord | None:
        tp = TopicPartition(source.topic, source.partition)
        # For a consumer with read_committed the end is the last stable offset.
        ends = await self._committed.end_offsets([tp])
        part = Extent({tp: (source.offset, ends[tp])})
        async with aclosing(records_of(self._committed, part, AT_ONCE)) as records:
            async for record in records:  # the first record, which may lie behind the offset
                return record if record.offset == source.offset else None
        return None

    async def _answered(self, source: Source, request: ConsumerRecord) -> Found:
        tps = [
            TopicPartition(topic, source.partition % self._partitions[topic])
            for topic in (self._cluster.names.labels, self._cluster.names.rejected)
            if self._partitions.get(topic)
        ]
        ends = await self._replies.end_offsets(tps)
        since = dict.fromkeys(tps, max(0, request.timestamp))
        found = await self._replies.offsets_for_times(since)
        part = Extent(
            {tp: (place.offset, ends[tp]) for tp, place in found.items() if place is not None}
        )
        until, read = time.monotonic() + SECONDS, 0
        async with aclosing(records_of(self._replies, part, AT_ONCE)) as records:
            async for record in records:
                reply = Reply(record, self._cluster.names)
                if reply.source == source:
                    return Found(request, reply, complete=True)
                read += 1
                if read >= MAX_RECORDS or time.monotonic() > until:
                    return Found(request, None, complete=False)
        return Found(request, None, complete=True)


@asynccontextmanager
async def lookup(cluster: ClusterConfig) -> AsyncIterator[Lookup]:
    """Connect to ``cluster``.

    Raises:
        BrokerError: no broker answers, or it stopped answering.
    """
    async with (
        _consumer(cluster, "read_committed", cluster.max_request_bytes) as committed,
        _consumer(cluster, "read_uncommitted", cluster.max_answer_bytes) as replies,
    ):
        yield Lookup(cluster, committed, replies)


def _consumer(
    cluster: ClusterConfig, isolation: str, max_bytes: int
) -> AbstractAsyncContextManager[AIOKafkaConsumer]:
    return consumer(
        cluster,
        auto_offset_reset="earliest",
        isolation_level=isolation,
        max_partition_fetch_bytes=max_bytes,
    )
