"""Reading of a topic up to its present end."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from catdog_stream import deadlines
from catdog_stream.errors import BrokerError
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.explanations import Access, explained
from catdog_stream.memory import fetch_bytes

__all__ = ["Extent", "consumer", "extent", "records", "records_of"]

POLL_MS = 500
#: Records in memory at a time; each may be as large as a picture.
MAX_RECORDS = 16

_READ = Access.topic("Read")


@dataclass(frozen=True, slots=True)
class Extent:
    """Part of a topic: the first offset and the offset after the last, by partition."""

    partitions: Mapping[TopicPartition, tuple[int, int]]

    def __len__(self) -> int:
        """Return the number of offsets: as many records, unless some were compacted away."""
        return sum(end - start for start, end in self.partitions.values())


@asynccontextmanager
async def consumer(
    cluster: ClusterConfig, access: Access = _READ, **options: Any
) -> AsyncIterator[AIOKafkaConsumer]:
    """Yield a started consumer without a group.

    Args:
        cluster: the cluster.
        access: operation of the block, for the error message if Kafka refuses it.
        options: further options of aiokafka's consumer.

    Raises:
        BrokerError: no broker answers, or it stopped answering.
    """
    options.setdefault("fetch_max_bytes", fetch_bytes(cluster.max_answer_bytes))
    started = AIOKafkaConsumer(**cluster.connection, enable_auto_commit=False, **options)
    try:
        with explained(cluster, access):
            await started.start()
            yield started
    finally:
        await started.stop()


async def extent(
    cluster: ClusterConfig,
    topic: str,
    partitions: int,
    *,
    since_ms: int | None = None,
    isolation: str = "read_uncommitted",
) -> Extent:
    """Return the extent of ``topic`` at this moment.

    Args:
        cluster: the cluster.
        topic: name of the topic.
        partitions: number of its partitions.
        since_ms: leave out the records in front of the first record of this time or later, in
            milliseconds since the epoch. Older records behind that one are part of the extent.
        isolation: ``read_committed``: up to the first open transaction.

    Raises:
        BrokerError: the broker stopped answering.
    """
    tps = [TopicPartition(topic, number) for number in range(partitions)]
    if not tps:
        return Extent({})
    described = Access.topic("Describe", topic)
    async with consumer(cluster, described, isolation_level=isolation) as asked:
        starts = await asked.beginning_offsets(tps)
        ends = await asked.end_offsets(tps)
        if since_ms is not None:
            found = await asked.offsets_for_times(dict.fromkeys(tps, since_ms))
            starts = {tp: found[tp].offset if found[tp] else ends[tp] for tp in tps}
    return Extent({tp: (min(starts[tp], ends[tp]), ends[tp]) for tp in tps})


async def records(cluster: ClusterConfig, part: Extent) -> AsyncGenerator[ConsumerRecord, None]:
    """Yield every record of ``part``, each partition in order. Raises ``BrokerError``."""
    if not any(start < end for start, end in part.partitions.values()):
        return
    async with (
        consumer(
            cluster,
            # If records are deleted during the read, only those are skipped.
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=cluster.max_answer_bytes,
        ) as reader,
        aclosing(records_of(reader, part, MAX_RECORDS)) as found,
    ):
        async for record in found:
            yield record


async def records_of(
    reader: AIOKafkaConsumer, part: Extent, at_once: int
) -> AsyncGenerator[ConsumerRecord, None]:
    """Yield every record of ``part`` with a given consumer, which is paused afterwards.

    Args:
        reader: a started consumer.
        part: the extent to read.
        at_once: records in memory at a time.

    Raises:
        BrokerError: Kafka sends nothing although there is more.
        KafkaError: Kafka refuses the read.
    """
    left = {tp: end for tp, (start, end) in part.partitions.items() if start < end}
    reader.assign(list(left))
    for tp in left:
        reader.seek(tp, part.partitions[tp][0])
    try:
        while left:
            for record in await _next(reader, list(left), at_once):
                if record.offset < left[TopicPartition(record.topic, record.partition)]:
                    yield record
            for tp in list(left):
                if await reader.position(tp) >= left[tp]:
                    reader.pause(tp)
                    del left[tp]
    finally:
        reader.pause(*left)


async def _next(
    reader: AIOKafkaConsumer, tps: Sequence[TopicPartition], at_once: int
) -> list[ConsumerRecord]:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + deadlines.SILENT_TOPIC
    before = [await reader.position(tp) for tp in tps]
    while loop.time() < deadline:
        batches = await reader.getmany(*tps, timeout_ms=POLL_MS, max_records=at_once)
        if batches:
            return [record for batch in batches.values() for record in batch]
        if [await reader.position(tp) for tp in tps] != before:
            return []  # nothing but transaction markers
    raise BrokerError(f"Kafka sent nothing for {deadlines.SILENT_TOPIC:g} s, though there is more.")
