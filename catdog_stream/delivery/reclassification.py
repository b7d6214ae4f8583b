"""Reclassification of stored requests: their labels by another stack, in another topic.

The topic is its own ledger: the headers ``source`` and ``stack`` of a label state which request it
answers and which stack answered. The labels in the topic are read first, and the requests that
have one of this stack are skipped. So a request gets a second label only if Kafka shows its first
one later than that: the process was killed while it wrote the label and replicas were behind, or
two reclassifications run at the same time.

A group without members holds the progress: the offset in front of which each partition is done,
and in its metadata the range of the call. The same call after a kill continues that range, although
a duration such as ``2h`` is relative to the present.
"""

import asyncio
import logging
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Self

import msgspec
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.structs import OffsetAndMetadata
from tqdm import tqdm

from catdog_stream.delivery.counting import label_of
from catdog_stream.delivery.label_writer import LabelWriter
from catdog_stream.delivery.publishing import Lazy
from catdog_stream.documents import convert
from catdog_stream.errors import BrokerError, Reason, Refusal, RejectedRequest, SettingError
from catdog_stream.kafka.bounded_reader import Extent, consumer, extent, records, records_of
from catdog_stream.kafka.client import producer
from catdog_stream.kafka.cluster import create_kept, topic_partitions
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.explanations import Access, explained
from catdog_stream.kafka.names import reclassify_group
from catdog_stream.messages.wire import Incoming, Source
from catdog_stream.pipeline.outcome import Outcome
from catdog_stream.pipeline.pipeline import Pipeline

__all__ = ["Call", "Reclassification"]

logger = logging.getLogger(__name__)

#: Seconds between two commits of the progress, and between two checks for the last answers.
COMMIT_SECONDS = 1.0
DONE_SECONDS = 0.05
#: Requests in memory that the pipeline has not taken.
AT_ONCE = 16


class Call(msgspec.Struct, frozen=True):
    """Range of requests that a call reclassifies.

    Args:
        since: the time as the user gave it.
        until: the same; ``None`` without.
        since_ms: milliseconds since the epoch.
        until_ms: the first millisecond behind the range; ``None`` without.
        stack: name and version, as in the ``stack`` header.
    """

    since: str
    until: str | None
    since_ms: int
    until_ms: int | None
    stack: str = ""

    def has(self, timestamp_ms: int) -> bool:
        """Return whether a request of this time is in the range."""
        return timestamp_ms >= self.since_ms and (
            self.until_ms is None or timestamp_ms < self.until_ms
        )

    def is_same(self, other: "Call") -> bool:
        """Return whether the user gave the same command."""
        return (self.since, self.until, self.stack) == (other.since, other.until, other.stack)


class _Progress(msgspec.Struct):
    """Progress in one partition: metadata of the committed offset.

    Args:
        call: the range.
        end: offset of the end of the range.
        rejected: reason to number of rejected requests.
    """

    call: Call
    end: int
    rejected: dict[str, int]

    @classmethod
    def parse(cls, metadata: str) -> "_Progress | None":
        try:
            return convert(orjson.loads(metadata), cls)
        except ValueError:
            return None


@dataclass(slots=True)
class Reclassification:
    """Reclassification: one run of the command, connected within its ``async with`` block.

    It publishes the labels for the pipeline. Keeps the verdicts in the topic in memory.

    Args:
        cluster: the cluster.
        topic: the topic of the new labels.
        call: the range, without the stack.
        labels: writer of the labels.
    """

    cluster: ClusterConfig
    topic: str
    call: Call
    labels: LabelWriter
    #: Number of labels written by this run.
    written: int = 0
    #: Verdicts of the stack in the topic: partition of the requests to offset to verdict.
    verdicts: dict[int, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    _progress: dict[TopicPartition, _Progress] = field(default_factory=dict)
    #: Offset in front of which each partition is done.
    _done: dict[TopicPartition, int] = field(default_factory=dict)
    _partitions: Mapping[str, int] = field(default_factory=dict)
    _connections: AsyncExitStack = field(default_factory=AsyncExitStack)
    _reader: AIOKafkaConsumer = field(init=False)
    _sender: AIOKafkaProducer = field(init=False)

    async def __aenter__(self) -> Self:
        """Connect, and create the topic if it is missing.

        Raises:
            SettingError: the topic is one of the application's own.
            BrokerError: no broker answers, it refuses, or there is no topic of requests.
        """
        names = self.cluster.names
        if names.owns(self.topic):
            raise SettingError(
                f"{self.topic} is a topic of the application {names.group}: "
                "--to must name another one."
            )
        known = await topic_partitions(self.cluster, names.requests, names.labels)
        if names.requests not in known:
            raise BrokerError(
                f"Kafka has no topic {names.requests}: there are no requests.", Refusal.CLUSTER
            )
        own = await create_kept(self.cluster, self.topic, known[names.requests])
        self._partitions = {**known, self.topic: own}
        self._sender = await self._connections.enter_async_context(producer(self.cluster))
        self._reader = await self._connections.enter_async_context(
            consumer(
                self.cluster,
                Access.topic("Read", names.requests),
                group_id=self._group,
                auto_offset_reset="earliest",
                isolation_level="read_committed",
                max_partition_fetch_bytes=self.cluster.max_request_bytes,
            )
        )
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._connections.aclose()

    @property
    def rejected(self) -> Mapping[str, int]:
        """Number of rejected requests in the range, by reason."""
        return sum((Counter(each.rejected) for each in self._progress.values()), Counter[str]())

    @property
    def _group(self) -> str:
        return reclassify_group(self.cluster.names.group, self.topic)

    async def run(self, pipeline: Pipeline, stack: str) -> None:
        """Submit each request of the range that has no label of ``stack``; return once all have.

        Raises:
            BrokerError: no broker answers, it stopped answering, or it refused.
        """
        self.call = msgspec.structs.replace(self.call, stack=stack)
        part = await self._begin()
        await self._read_own()
        committed_at = time.monotonic()
        with tqdm(total=len(part), unit="request", desc="reclassifying", disable=None) as bar:
            if not len(part):
                return
            async with aclosing(records_of(self._reader, part, AT_ONCE)) as requests:
                async for record in requests:
                    if self._is_open(record):
                        await pipeline.submit(
                            _incoming(record), partial(self._settle, record, bar.update)
                        )
                    else:
                        bar.update()
                    if time.monotonic() - committed_at > COMMIT_SECONDS:
                        await self._commit()
                        committed_at = time.monotonic()
            while pipeline.in_flight:
                await asyncio.sleep(DONE_SECONDS)
            self._done = {tp: end for tp, (_, end) in part.partitions.items()}
            await self._commit()

    async def _begin(self) -> Extent:
        """Return the part to read: the rest of the same call, if that did not end, or a new one."""
        names = self.cluster.names
        tps = [TopicPartition(names.requests, n) for n in range(self._partitions[names.requests])]
        self._reader.assign(tps)
        with explained(self.cluster, Access.group("Read", self._group)):
            # Unlike an admin client, it waits while a new cluster has no coordinator yet.
            offsets = await self._reader._coordinator.fetch_committed_offsets(tps)
        here = {
            tp: (at.offset, progress)
            for tp, at in offsets.items()
            if (progress := _Progress.parse(at.metadata)) and progress.call.is_same(self.call)
        }
        goes_on = len(here) == len(tps) and any(
            offset < progress.end for offset, progress in here.values()
        )
        if goes_on:
            self.call = next(iter(here.values()))[1].call
        part = await extent(
            self.cluster,
            names.requests,
            len(tps),
            since_ms=self.call.since_ms,
            isolation="read_committed",
        )
        if goes_on:
            self._progress = {tp: progress for tp, (_, progress) in here.items()}
            ends = {tp: min(end, here[tp][1].end) for tp, (_, end) in part.partitions.items()}
            part = Extent(
                {
                    tp: (min(max(start, here[tp][0]), ends[tp]), ends[tp])
                    for tp, (start, _) in part.partitions.items()
                }
            )
        else:
            self._progress = {
                tp: _Progress(self.call, end, {}) for tp, (_, end) in part.partitions.items()
            }
        self._done = {tp: start for tp, (start, _) in part.partitions.items()}
        await self._commit()
        return part

    async def _commit(self) -> None:
        """Commit the progress of the partitions that are being read; first, of all."""
        offsets = {
            tp: OffsetAndMetadata(
                done, orjson.dumps(msgspec.to_builtins(self._progress[tp])).decode()
            )
            for tp, done in self._done.items()
            if tp in self._reader.assignment()
        }
        with explained(self.cluster, Access.group("Read", self._group)):
            await self._reader.commit(offsets)

    async def _read_own(self) -> None:
        stack = self.call.stack.encode()
        async for record, source in self._answers(self.topic):
            if dict(record.headers).get("stack") == stack:
                verdict = sys.intern(label_of(record.value, record.headers))
                self.verdicts[source.partition].setdefault(source.offset, verdict)

    async def _answers(self, topic: str) -> AsyncGenerator[tuple[ConsumerRecord, Source], None]:
        """Yield the records of a topic of labels, with their requests."""
        since = self.call.since_ms
        part = await extent(self.cluster, topic, self._partitions.get(topic, 0), since_ms=since)
        with tqdm(total=len(part), unit="label", desc=f"reading {topic}", disable=None) as bar:
            async for record in records(self.cluster, part):
                bar.update()
                source = Source.parse(dict(record.headers).get("source"))
                if source is not None and source.topic == self.cluster.names.requests:
                    yield record, source

    def _is_open(self, record: ConsumerRecord) -> bool:
        return (
            self.call.has(record.timestamp) and record.offset not in self.verdicts[record.partition]
        )

    async def _settle(
        self, record: ConsumerRecord, update: Callable[[], object], outcome: Outcome
    ) -> None:
        tp = TopicPartition(record.topic, record.partition)
        if isinstance(outcome, RejectedRequest):
            rejected = self._progress[tp].rejected
            rejected[outcome.reason] = rejected.get(outcome.reason, 0) + 1
        else:
            self.written += 1
            self.verdicts[tp.partition][record.offset] = sys.intern(outcome.verdict.label)
        self._done[tp] = record.offset + 1
        update()

    async def publish(self, incoming: Incoming, outcome: Outcome) -> Awaitable[Outcome]:
        """Pass a label to the producer; a rejection is only counted."""
        if isinstance(outcome, RejectedRequest):
            return Lazy(partial(self._confirmed, outcome))
        reason, answer = Reason.TOO_LARGE, None
        try:
            answer = self.labels.write(incoming, outcome)
        except Exception:  # the format may be the user's
            logger.exception("No record for the answer to %s.", incoming.source)
            reason = Reason.INTERNAL_ERROR
        if answer is None or answer.size > self.cluster.max_answer_bytes:
            refused = RejectedRequest(reason, "The label cannot be written.")
            return Lazy(partial(self._confirmed, refused))
        with explained(self.cluster, Access.topic("Write", self.topic)):
            sent = await self._sender.send(
                self.topic,
                answer.value,
                key=answer.key,
                partition=incoming.source.partition % self._partitions[self.topic],
                timestamp_ms=incoming.timestamp_ms,
                headers=list(answer.headers),
            )
        return Lazy(partial(self._confirmed, outcome, sent))

    async def _confirmed(self, outcome: Outcome, sent: Awaitable[object] | None = None) -> Outcome:
        if sent is not None:
            with explained(self.cluster, Access.topic("Write", self.topic)):
                await sent
        return outcome

    async def compare(self) -> Mapping[str, Mapping[str, int]]:
        """Return the number of requests by old and new verdict.

        The old verdict is that of the request's first label in the topic of labels. Call it last:
        it takes the new verdicts out of memory.
        """
        found: defaultdict[str, Counter[str]] = defaultdict(Counter)
        async for record, source in self._answers(self.cluster.names.labels):
            new = self.verdicts[source.partition].pop(source.offset, None)
            if new is not None and self.call.has(record.timestamp):
                found[label_of(record.value, record.headers)][new] += 1
        return dict(sorted(found.items()))


def _incoming(record: ConsumerRecord) -> Incoming:
    return Incoming(
        Source(record.topic, record.partition, record.offset),
        record.key,
        record.value,
        tuple(record.headers),
        record.timestamp if record.timestamp >= 0 else None,
    )
