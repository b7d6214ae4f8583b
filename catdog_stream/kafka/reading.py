"""Reading a topic up to where it ends now, and no further."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from catdog_stream import deadlines
from catdog_stream.errors import BrokerError
from catdog_stream.kafka.config import ClusterConfig

__all__ = ["Extent", "extent", "records"]

POLL_MS = 500
#: Records in memory at a time; each may be as large as a picture.
MAX_RECORDS = 16


@dataclass(frozen=True, slots=True)
class Extent:
    """The part of a topic that is to be read: first offset, and the one after the last."""

    partitions: Mapping[TopicPartition, tuple[int, int]]

    def __len__(self) -> int:
        """Offsets in it: as many records, unless some were compacted away."""
        return sum(end - start for start, end in self.partitions.values())


async def extent(
    cluster: ClusterConfig, topic: str, partitions: int, *, since_ms: int | None = None
) -> Extent:
    """What ``topic`` holds now.

    Args:
        cluster: where.
        topic: its name.
        partitions: how many it has.
        since_ms: leave out what lies in front of the first record of this time or later, in
            milliseconds since the epoch. Older records behind that one are part of the extent.

    Raises:
        BrokerError: the broker stopped answering.
    """
    tps = [TopicPartition(topic, number) for number in range(partitions)]
    if not tps:
        return Extent({})
    consumer = AIOKafkaConsumer(**cluster.connection, enable_auto_commit=False)
    try:
        await consumer.start()
        starts = await consumer.beginning_offsets(tps)
        ends = await consumer.end_offsets(tps)
        if since_ms is not None:
            found = await consumer.offsets_for_times(dict.fromkeys(tps, since_ms))
            starts = {tp: found[tp].offset if found[tp] else ends[tp] for tp in tps}
    except KafkaError as error:
        raise BrokerError(f"Kafka stopped answering: {error!r}.") from error
    finally:
        await consumer.stop()
    return Extent({tp: (min(starts[tp], ends[tp]), ends[tp]) for tp in tps})


async def records(cluster: ClusterConfig, part: Extent) -> AsyncGenerator[ConsumerRecord, None]:
    """Every record of ``part``, each partition in order. Raises ``BrokerError``."""
    left = {tp: end for tp, (start, end) in part.partitions.items() if start < end}
    if not left:
        return
    consumer = AIOKafkaConsumer(
        **cluster.connection,
        enable_auto_commit=False,
        # What is deleted while it is read is skipped, and not the rest with it.
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=cluster.max_answer_bytes,
    )
    try:
        await consumer.start()
        consumer.assign(list(left))
        for tp in left:
            consumer.seek(tp, part.partitions[tp][0])
        while left:
            for record in await _next(consumer, list(left)):
                if record.offset < left[TopicPartition(record.topic, record.partition)]:
                    yield record
            for tp in list(left):
                if await consumer.position(tp) >= left[tp]:
                    del left[tp]
    except KafkaError as error:
        raise BrokerError(f"Kafka stopped answering: {error!r}.") from error
    finally:
        await consumer.stop()


async def _next(consumer: AIOKafkaConsumer, tps: Sequence[TopicPartition]) -> list[ConsumerRecord]:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + deadlines.SILENT_TOPIC
    before = [await consumer.position(tp) for tp in tps]
    while loop.time() < deadline:
        batches = await consumer.getmany(*tps, timeout_ms=POLL_MS, max_records=MAX_RECORDS)
        if batches:
            return [record for batch in batches.values() for record in batch]
        if [await consumer.position(tp) for tp in tps] != before:
            return []  # nothing but the marks of a transaction
    raise BrokerError(f"Kafka sent nothing for {deadlines.SILENT_TOPIC:g} s, though there is more.")
