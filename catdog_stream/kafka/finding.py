"""A request and its answer, found by the request's place in Kafka: whoever sent it, and when."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from catdog_stream import deadlines
from catdog_stream.errors import BrokerError
from catdog_stream.kafka.cluster import topic_partitions
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.replies import Reply
from catdog_stream.kafka.requests import RequestReader
from catdog_stream.topics import LABELS, REJECTED
from catdog_stream.wire import Source

__all__ = ["Finder", "Found", "finding"]

#: Records that are read for one answer, and the seconds that it may take.
MAX_RECORDS = 20_000
SECONDS = 5.0
#: Records in memory at a time; a rejection may be as large as its picture.
AT_ONCE = 64
POLL_MS = 500


@dataclass(frozen=True, slots=True)
class Found:
    """A request that is in Kafka."""

    request: ConsumerRecord
    #: Its first answer; ``None`` if there is none.
    reply: Reply | None
    #: Whether everything was read that could hold the answer.
    complete: bool


class Finder:
    """Finds one request at a time. Made by ``finding``."""

    def __init__(
        self, cluster: ClusterConfig, requests: RequestReader, consumer: AIOKafkaConsumer
    ) -> None:
        self._cluster = cluster
        self._requests = requests
        self._consumer = consumer
        self._partitions: Mapping[str, int] = {}
        self._looked = -deadlines.LOOK_AT_CLUSTER
        self._lock = asyncio.Lock()
        #: Whether something went wrong: it may stand anywhere.
        self.broken = False

    async def find(self, source: Source) -> Found | None:
        """The request at ``source`` and its answer; ``None`` if there is no such request.

        An answer has its request's partition, and its time or a later one: it is looked for from
        the first record of that time on.

        Raises:
            BrokerError: the broker stopped answering.
        """
        async with self._lock:
            if self.broken:
                raise BrokerError("Kafka stopped answering.")
            try:
                async with asyncio.timeout(deadlines.CLIENT_REQUEST):
                    return await self._find(source)
            except (KafkaError, TimeoutError) as error:
                self.broken = True
                raise BrokerError(f"Kafka stopped answering: {error!r}.") from error
            except BaseException:
                self.broken = True
                raise

    async def _find(self, source: Source) -> Found | None:
        request = await self._requests.of(source)
        if request is None:
            return None
        left = await self._where(source, request.timestamp)
        try:
            return await self._read(source, request, left)
        finally:
            self._consumer.pause(*self._consumer.assignment())  # it reads no further

    async def _where(self, source: Source, timestamp: int) -> dict[TopicPartition, int]:
        """Have the consumer stand where the answer may be; up to where, by partition."""
        if time.monotonic() - self._looked >= deadlines.LOOK_AT_CLUSTER:
            self._partitions = await topic_partitions(self._cluster)
            self._looked = time.monotonic()
        tps = [
            TopicPartition(topic, source.partition % self._partitions[topic])
            for topic in (LABELS, REJECTED)
            if self._partitions.get(topic)
        ]
        ends = await self._consumer.end_offsets(tps)
        since = await self._consumer.offsets_for_times(dict.fromkeys(tps, max(0, timestamp)))
        starts = {tp: place.offset for tp, place in since.items() if place is not None}
        left = {tp: ends[tp] for tp, start in starts.items() if start < ends[tp]}
        self._consumer.assign(list(left))
        for tp in left:
            self._consumer.seek(tp, starts[tp])
        return left

    async def _read(
        self, source: Source, request: ConsumerRecord, left: dict[TopicPartition, int]
    ) -> Found:
        until, read = time.monotonic() + SECONDS, 0
        while left:
            if read >= MAX_RECORDS or time.monotonic() > until:
                return Found(request, None, complete=False)
            batches = await self._consumer.getmany(*left, timeout_ms=POLL_MS, max_records=AT_ONCE)
            for batch in batches.values():
                read += len(batch)
                for record in batch:
                    reply = Reply(record)
                    if reply.source == source:
                        return Found(request, reply, complete=True)
            for tp in tuple(left):
                if await self._consumer.position(tp) >= left[tp]:
                    self._consumer.pause(tp)
                    del left[tp]
        return Found(request, None, complete=True)


@asynccontextmanager
async def finding(cluster: ClusterConfig) -> AsyncIterator[Finder]:
    """Connect to ``cluster``.

    Raises:
        BrokerError: no broker answers, or it stopped answering.
    """
    async with RequestReader(cluster, committed=True) as requests:
        consumer = AIOKafkaConsumer(
            **cluster.connection,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=cluster.max_answer_bytes,
        )
        try:
            await consumer.start()
            yield Finder(cluster, requests, consumer)
        except KafkaError as error:
            raise BrokerError(f"Kafka cannot be read: {error!r}.") from error
        finally:
            await consumer.stop()
