"""Recount of the answers in the topics, with corrections for the owners of the counts.

The committed counts of a partition (see ``counting``) state up to which offset they count. The
answers to requests in front of it are counted again from ``catdoglabel`` and
``catdogimage-rejected``, one for each request (see ``answer_choice``). The difference (see
``count_corrections``) is left where the owner of the partition reads it: in the metadata of an
offset of a group without members. Each partition has one value there, which the next recount
replaces. So it does not matter if workers run.

The topics may no longer hold all counted answers, because of their retention or because a topic
was deleted. Then the difference is no error of the counts: ``Found.forgotten`` states how
large it is.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from catdog_stream import deadlines
from catdog_stream.delivery.answer_choice import Answer, Kind, chosen
from catdog_stream.delivery.count_corrections import (
    KINDS,
    Correction,
    correction,
    fitting,
    to_mail,
)
from catdog_stream.delivery.count_snapshots import read_snapshots, references_in, resolved
from catdog_stream.delivery.counting import (
    Shard,
    counted,
    counting_source,
    from_metadata,
    label_of,
    reason_of,
)
from catdog_stream.kafka.bounded_reader import Extent, extent, records
from catdog_stream.kafka.cluster import admin, group_members, group_offsets, topic_partitions
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.explanations import Access, broker_error
from catdog_stream.kafka.names import changelog_of, recount_group
from catdog_stream.messages.wire import Source

__all__ = ["Found", "Recount", "total"]

POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Found:
    """Result of the recount for one partition.

    Attributes:
        committed: the committed counts.
        found: the counts of the answers in the topics.
        correction: the difference; ``None`` if there is none. If too many names differ for one
            correction, it has some of them.
        left_out: number of the other names.
        forgotten: number of answers that the correction subtracts although they may have been
            given: the topics no longer hold every answer.
    """

    committed: Shard
    found: Shard
    correction: Correction | None
    forgotten: int
    left_out: int = 0


@dataclass(slots=True)
class _Answers:
    """Distinct answers to each request of a partition, by the request's offset."""

    of: dict[int, tuple[Answer, ...]] = field(default_factory=dict)

    def add(self, offset: int, answer: Answer) -> None:
        others = (a for a in self.of.get(offset, ()) if a[1:] != answer[1:])
        self.of[offset] = (*others, answer)

    def before(self, end: int) -> Mapping[int, tuple[Answer, ...]]:
        """Return the answers to requests in front of an offset."""
        return {offset: answers for offset, answers in self.of.items() if offset < end}

    def shard(self, like: Shard) -> Shard:
        """Return the counts of the answers in front of the offset up to which ``like`` counts."""
        result: Shard | None = None
        for offset, answer in chosen(self.before(like["offset"]), like).items():
            result = counted(result, answer.kind, answer.name, offset) or result
        return result or {"labels": {}, "rejections": {}, "offset": 0}


@dataclass(slots=True)
class Recount:
    """Recount: one run of the command. Keeps the offsets of all answers in memory.

    Args:
        cluster: the cluster.
    """

    cluster: ClusterConfig
    #: By partition of ``catdogimage``, and of ``catdoglabel`` for labels of other programs.
    found: dict[TopicPartition, Found] = field(default_factory=dict)
    #: Partitions of answers whose oldest records Kafka has deleted.
    shortened: list[TopicPartition] = field(default_factory=list)

    #: Partitions whose committed offset holds no counts: another program has set it.
    without_counts: list[TopicPartition] = field(default_factory=list)
    #: Partitions whose counts only their running owner knows: the changelog has lost their record.
    lost: list[TopicPartition] = field(default_factory=list)

    async def look(self) -> None:
        """Count the answers in the topics; change nothing. Raises ``BrokerError``."""
        partitions = await topic_partitions(self.cluster, *self.cluster.names.topics)
        committed = await self._committed()
        answers: defaultdict[TopicPartition, _Answers] = defaultdict(_Answers)
        held: dict[TopicPartition, tuple[int, int]] = {}
        for topic in (self.cluster.names.labels, self.cluster.names.rejected):
            part = await extent(self.cluster, topic, partitions.get(topic, 0))
            held |= part.partitions
            await self._read(part, answers, partitions.get(topic, 0))
        self.shortened = [tp for tp, (start, _) in held.items() if start]
        number = int(time.time() * 1000)
        for tp, shard in committed.items():
            found = answers[tp].shard(shard)
            if tp.topic == self.cluster.names.labels:
                start, end = held.get(tp, (0, 0))
                whole = start == 0 and end >= shard["offset"]
            else:
                gaps = shard["offset"] - len(answers[tp].before(shard["offset"]))
                whole = not gaps or (
                    not self._is_shortened(tp, partitions) and total(found) >= total(shard)
                )
            forgotten = 0 if whole else _subtracted(shard, found)
            all_of_it = correction(shard, found, number)
            fits = fitting(all_of_it) if all_of_it is not None else None
            left_out = _names(all_of_it) - _names(fits)
            self.found[tp] = Found(shard, found, fits, forgotten, left_out)

    def _is_shortened(self, tp: TopicPartition, partitions: Mapping[str, int]) -> bool:
        """Return ``True`` if Kafka has deleted answers that may belong to a partition."""
        return any(
            TopicPartition(topic, tp.partition % partitions[topic]) in self.shortened
            for topic in (self.cluster.names.labels, self.cluster.names.rejected)
            if partitions.get(topic)
        )

    async def leave(self) -> None:
        """Leave the corrections to the owners of the partitions. Raises ``BrokerError``."""
        offsets = {
            tp: OffsetAndMetadata(found.committed["offset"], to_mail(found.correction))
            for tp, found in self.found.items()
            if found.correction is not None
        }
        group = recount_group(self.cluster.names.group)
        consumer = AIOKafkaConsumer(
            **self.cluster.connection,
            group_id=group,
            enable_auto_commit=False,
        )
        try:
            await consumer.start()
            consumer.assign(list(offsets))
            await consumer.commit(offsets)
        except KafkaError as error:
            raise broker_error(error, self.cluster, Access.group("Read", group)) from error
        finally:
            await consumer.stop()

    async def taken_over(self) -> Collection[TopicPartition]:
        """Wait until running workers have added the corrections; return the partitions in time."""
        wanted = {
            tp: found.correction["recount"]
            for tp, found in self.corrections.items()
            if found.correction is not None
        }
        deadline = time.monotonic() + deadlines.RECOUNTED
        while True:
            now = await self._committed()
            numbers = {tp: shard.get("recount") for tp, shard in now.items()}
            done = [tp for tp, number in wanted.items() if numbers.get(tp) == number]
            if len(done) == len(wanted) or time.monotonic() > deadline:
                return done
            await asyncio.sleep(POLL_SECONDS)

    @property
    def left_out(self) -> int:
        """Number of names that differ and are not in the corrections: there were too many."""
        return sum(found.left_out for found in self.found.values())

    @property
    def forgotten(self) -> Mapping[TopicPartition, int]:
        """Number of subtracted answers that may be deleted and not miscounted, by partition."""
        return {tp: found.forgotten for tp, found in self.found.items() if found.forgotten}

    @property
    def corrections(self) -> Mapping[TopicPartition, Found]:
        """Results that differ from the committed counts."""
        return {tp: found for tp, found in self.found.items() if found.correction is not None}

    async def _committed(self) -> dict[TopicPartition, Shard]:
        async with admin(
            self.cluster, Access.group("Describe", self.cluster.names.group)
        ) as client:
            offsets = await group_offsets(client, self.cluster.names.group)
        texts = {
            tp: offset.metadata
            for tp, offset in sorted(offsets.items())
            if tp.topic in (self.cluster.names.requests, self.cluster.names.labels)
            and (offset.metadata or tp.topic == self.cluster.names.requests)
        }
        shards = {tp: from_metadata(text) for tp, text in texts.items()}
        self.lost = []
        for table, topic in self.cluster.names.counted.items():
            references = references_in(
                {tp.partition: text for tp, text in texts.items() if tp.topic == topic}
            )
            changelog = changelog_of(self.cluster.names.group, table)
            snapshots = await read_snapshots(self.cluster, changelog, references)
            for partition, reference in references.items():
                tp = TopicPartition(topic, partition)
                shards[tp] = resolved(reference, snapshots.get(partition))
                if partition not in snapshots:
                    self.lost.append(tp)
        self.without_counts = [tp for tp, shard in shards.items() if shard is None]
        return {tp: shard for tp, shard in shards.items() if shard is not None}

    async def workers(self) -> bool:
        """Return whether any worker runs. Raises ``BrokerError``."""
        async with admin(
            self.cluster, Access.group("Describe", self.cluster.names.group)
        ) as client:
            return bool(await group_members(client, self.cluster.names.group))

    async def _read(
        self, part: Extent, answers: Mapping[TopicPartition, _Answers], partitions: int
    ) -> None:
        async for record in records(self.cluster, part):
            own = Source(record.topic, record.partition, record.offset)
            source = counting_source(
                record.headers,
                own,
                requests_topic=self.cluster.names.requests,
                partitions=partitions,
            )
            kind, name = _tally(record, rejected=record.topic == self.cluster.names.rejected)
            if source is not own or record.topic == self.cluster.names.labels:
                tp = TopicPartition(source.topic, source.partition)
                answers[tp].add(source.offset, Answer(record.timestamp, kind, name))


def total(shard: Shard) -> int:
    """Return the number of answers that a shard counts."""
    return sum(shard["labels"].values()) + sum(shard["rejections"].values())


def _names(by: Correction | None) -> int:
    return 0 if by is None else sum(len(by[kind]) for kind in KINDS)


def _subtracted(before: Shard, after: Shard) -> int:
    """Return by how much the counts of names decrease, without those that increase."""
    return sum(
        max(0, number - after[kind].get(name, 0))
        for kind in KINDS
        for name, number in before[kind].items()
    )


def _tally(record: ConsumerRecord, *, rejected: bool) -> tuple[Kind, str]:
    if rejected:
        return "rejections", reason_of(record.headers)
    return "labels", label_of(record.value, record.headers)
