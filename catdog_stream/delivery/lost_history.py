"""Reading positions of a worker whose committed offsets, or whose logs, were lost.

- No offset is committed (the group was deleted, or had no member for a week): the copy of the
  counts in the changelog states up to which record they count, and reading continues there. Without
  a copy a partition is read from its beginning, like a new one, and the log says so.
- The log is not the one whose offsets were committed (see ``history``): its records are answered
  from the first difference on. The counts stay.

The content of the topics is not used: everyone who may write a label could otherwise make workers
skip requests.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import replace

from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata
from faust.types import TP

from catdog_stream import deadlines
from catdog_stream.delivery.committed_table import CommittedTable
from catdog_stream.delivery.earlier_answers import answered_before
from catdog_stream.delivery.history import History, Known, compare
from catdog_stream.errors import BrokerError
from catdog_stream.kafka.config import ClusterConfig

__all__ = ["positions"]

logger = logging.getLogger(__name__)


async def positions(
    cluster: ClusterConfig,
    group: str,
    partitions: Collection[TP],
    committed: Mapping[TP, OffsetAndMetadata],
    tables: Mapping[str, CommittedTable],
    begun_again: Collection[TP] = (),
) -> Mapping[TP, int]:
    """Return the partitions to read from another than the committed offset, with that offset.

    The counts of ``tables`` must be restored already; they are changed where a log was lost.

    Args:
        cluster: the cluster.
        group: name of the consumer group.
        partitions: acknowledged partitions that were taken over.
        committed: their committed offsets and metadata in Kafka.
        tables: tables by the topic that they follow.
        begun_again: partitions of which this worker has read records in front of its position.
            Without marks, nothing else may show that the log was lost.
    """
    remembered = {tp: _known(tp, committed, tables.get(tp.topic)) for tp in partitions}
    asked = {TopicPartition(*tp): known for tp, known in remembered.items() if known.reach}
    if group == cluster.names.group and not any(
        k.reach for tp, k in remembered.items() if tp.topic == cluster.names.requests
    ):
        await _say_what_is_forgotten(
            cluster, [tp for tp in remembered if tp.topic == cluster.names.requests]
        )
    asked |= {tp: Known(offset) for tp, offset in _counted_elsewhere(partitions, tables).items()}
    if not asked:
        return {}
    try:
        histories = await compare(cluster, asked)
    except (BrokerError, TimeoutError) as error:
        logger.warning(
            "What was committed could not be compared with the logs in Kafka, and is believed: %s",
            str(error) or "not answered in time.",
        )
        histories = {}
    moved: dict[TP, int] = {}
    for tp in sorted(remembered):
        offset = committed[tp].offset if tp in committed else 0
        known, history = remembered[tp], histories.get(TopicPartition(*tp))
        if history is not None and tp in begun_again and not known.marks:
            history = replace(history, lost_from=history.begin)
        if history is not None and history.lost_from is not None:
            moved[tp] = min(known.offset, history.lost_from)
            _lost(tp, known, history)
            if (table := tables.get(tp.topic)) is not None:
                table.begin_again(tp.topic, tp.partition, history.lost_from)
        elif known.offset > offset:
            moved[tp] = known.offset
            _forgotten(group, tp, known.offset)
        elif history is not None and known.offset < history.begin and tp in committed:
            _deleted(tp, known.offset, history.begin)
    _count_again(histories, partitions, tables)
    return moved


def _known(
    tp: TP, committed: Mapping[TP, OffsetAndMetadata], table: CommittedTable | None
) -> Known:
    if table is None:
        return Known(committed[tp].offset if tp in committed else 0)
    marks = table.marks(tp.partition)
    counted = table.counted_up_to(tp.partition) if table.counts == table.follows else 0
    return Known(committed[tp].offset if tp in committed else counted, marks, counted)


def _counted_elsewhere(
    partitions: Collection[TP], tables: Mapping[str, CommittedTable]
) -> Mapping[TopicPartition, int]:
    """Return how far logs are counted that this worker does not follow: a jury's requests."""
    return {
        TopicPartition(table.counts, tp.partition): offset
        for tp in partitions
        if (table := tables.get(tp.topic)) is not None
        and table.counts != table.follows
        and (offset := table.counted_up_to(tp.partition))
    }


def _count_again(
    histories: Mapping[TopicPartition, History],
    partitions: Collection[TP],
    tables: Mapping[str, CommittedTable],
) -> None:
    for tp, offset in _counted_elsewhere(partitions, tables).items():
        history = histories.get(tp)
        if history is not None and history.lost_from is not None:
            _lost(tp, Known(offset), history)
            for table in tables.values():
                if table.counts == tp.topic != table.follows:
                    table.begin_again(tp.topic, tp.partition, history.lost_from)


def _lost(tp: TopicPartition | TP, known: Known, history: History) -> None:
    logger.warning(
        "Kafka has lost records of %s/%d: those in front of offset %d were answered, and the log "
        "from %d to %d is another one from %s on. All of it is answered from there; the counts of "
        "what was answered before stay.",
        tp.topic,
        tp.partition,
        known.offset,
        history.begin,
        history.end,
        history.lost_from,
    )


def _forgotten(group: str, tp: TP, offset: int) -> None:
    logger.warning(
        "Kafka has no offset of the group %s for %s/%d: it was deleted, or the group had no member "
        "for too long. By the copy of the counts the records in front of offset %d were answered: "
        "reading continues there. To have them answered again, stop the workers and set the "
        "group's offset with kafka-consumer-groups.sh --reset-offsets --to-earliest.",
        group,
        tp.topic,
        tp.partition,
        offset,
    )


async def _say_what_is_forgotten(cluster: ClusterConfig, partitions: Collection[TP]) -> None:
    try:
        async with asyncio.timeout(deadlines.HISTORY):
            found = await answered_before(cluster, [tp.partition for tp in partitions])
    except (BrokerError, TimeoutError) as error:
        logger.info("Earlier answers were not looked for: %s", str(error) or "no answer in time.")
        return
    for partition, offset in sorted(found.items()):
        logger.warning(
            "Kafka has neither an offset of the group %s nor a copy of its counts for %s/%d, but "
            "%s holds answers to requests up to offset %d there. All requests that Kafka holds are "
            "answered again. To continue behind the answers instead, stop the workers and set the "
            "group's offset with kafka-consumer-groups.sh --reset-offsets --to-offset %d.",
            *(
                cluster.names.group,
                cluster.names.requests,
                partition,
                cluster.names.labels,
                offset,
                offset + 1,
            ),
        )


def _deleted(tp: TP, offset: int, begin: int) -> None:
    logger.warning(
        "The records of %s/%d from offset %d to %d were deleted before they were answered: "
        "its retention is too short, or the worker was away for too long.",
        tp.topic,
        tp.partition,
        offset,
        begin - 1,
    )
