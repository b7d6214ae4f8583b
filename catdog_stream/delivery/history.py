"""Comparison of the committed state of a partition with its log.

Kafka does not compare them. The log may not be the one whose offsets were committed: its disk was
lost, an unclean election has truncated it, or its topic was deleted and created again. New records
then have offsets that were answered before, and would be skipped. So each worker compares when it
takes partitions over: the log must reach the committed offset, and must still hold the newest and
the oldest marked record (see ``marks``). The oldest shows a log that was lost under a running
worker, which continued with the new log before any comparison.

A mark that retention or compaction has deleted proves nothing. The log then counts as the old one.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from catdog_stream import deadlines
from catdog_stream.delivery.marks import Mark, mark_of
from catdog_stream.kafka.bounded_reader import Extent, consumer, records_of
from catdog_stream.kafka.config import ClusterConfig

__all__ = ["History", "Known", "compare", "lost"]

PAUSE = 0.2


@dataclass(frozen=True, slots=True)
class Known:
    """Offsets and marks that are remembered of a partition."""

    #: First offset that is not answered.
    offset: int
    #: Marks of answered records, newest first.
    marks: Sequence[Mark] = ()
    #: First offset that is not counted. Other programs may set ``offset`` back.
    counted: int = 0

    @property
    def reach(self) -> int:
        """The smallest end that the log can have had."""
        return max([self.offset, self.counted, *(mark[0] + 1 for mark in self.marks)])


@dataclass(frozen=True, slots=True)
class History:
    """Extent of a partition's log now, and where it differs from the remembered log."""

    begin: int
    end: int
    #: First offset at which the log differs from the old one; ``None`` if it is the old one.
    lost_from: int | None = None


def lost(known: Known, begin: int, end: int, found: Mapping[int, Mark | None]) -> int | None:
    """Return the first offset from which the log differs from the remembered one.

    Args:
        known: remembered offsets and marks.
        begin: first offset of the log.
        end: offset behind the last record of the log.
        found: offset to the mark of the record there; ``None`` if the record is gone.
            Offsets that were not read are left out.

    Returns:
        ``None`` if nothing shows a difference.
    """
    same = {mark[0]: found[mark[0]] == mark for mark in known.marks if found.get(mark[0])}
    if known.reach <= end and all(same.values()):
        return None
    if not same or not same[min(same)]:
        return begin
    return max(offset for offset, is_same in same.items() if is_same) + 1


async def compare(
    cluster: ClusterConfig, remembered: Mapping[TopicPartition, Known]
) -> Mapping[TopicPartition, History]:
    """Compare each partition with its remembered state.

    Raises:
        BrokerError: the broker does not answer.
        TimeoutError: the comparison takes longer than ``deadlines.HISTORY``.
    """
    async with (
        asyncio.timeout(deadlines.HISTORY),
        # One batch of each partition is needed; Kafka sends it whole, however small the limit is.
        consumer(cluster, auto_offset_reset="earliest", max_partition_fetch_bytes=1) as reader,
    ):
        begins = await reader.beginning_offsets(list(remembered))
        ends = await _ends(reader, remembered)
        found: dict[TopicPartition, dict[int, Mark | None]] = {tp: {} for tp in remembered}

        def offsets(tp: TopicPartition) -> list[int]:
            return [mark[0] for mark in remembered[tp].marks if begins[tp] <= mark[0] < ends[tp]]

        def suspects() -> list[TopicPartition]:
            return [
                tp
                for tp in remembered
                if lost(remembered[tp], begins[tp], ends[tp], found[tp]) is not None
            ]

        there = [tp for tp in remembered if offsets(tp)]
        await _read(reader, {tp: max(offsets(tp)) for tp in there}, found)
        await _read(reader, {tp: min(offsets(tp)) for tp in there}, found)
        for tp in suspects():
            for offset in offsets(tp):
                await _read(reader, {tp: offset}, found)
        return {
            tp: History(begins[tp], ends[tp], lost(known, begins[tp], ends[tp], found[tp]))
            for tp, known in remembered.items()
        }


async def _ends(
    reader: AIOKafkaConsumer, remembered: Mapping[TopicPartition, Known]
) -> Mapping[TopicPartition, int]:
    """Return the ends of the logs. A new leader may report a smaller end for a moment."""
    loop = asyncio.get_running_loop()
    until = loop.time() + deadlines.SHORT_LOG
    while True:
        ends: Mapping[TopicPartition, int] = await reader.end_offsets(list(remembered))
        reached = all(known.reach <= ends[tp] for tp, known in remembered.items())
        if reached or loop.time() > until:
            return ends
        await asyncio.sleep(PAUSE)


async def _read(
    reader: AIOKafkaConsumer,
    wanted: Mapping[TopicPartition, int],
    found: Mapping[TopicPartition, dict[int, Mark | None]],
) -> None:
    """Add the marks of the records at ``wanted`` to ``found``, unless they are there already."""
    left = {tp: offset for tp, offset in wanted.items() if offset not in found[tp]}
    for tp, offset in left.items():
        found[tp][offset] = None
    part = Extent({tp: (offset, offset + 1) for tp, offset in left.items()})
    async with aclosing(records_of(reader, part, len(left) or 1)) as records:
        async for record in records:
            tp = TopicPartition(record.topic, record.partition)
            found[tp][record.offset] = mark_of(record.offset, record.timestamp / 1000, record.value)
