"""Lag of the whole group, as the brokers state it.

A worker knows the end of a partition only as of its last fetch, and only for its own partitions.
Under load that end is far behind, and no worker knows the partitions of a frozen worker. So each
worker asks the brokers every few seconds for all partitions, over its existing connections. It asks
for the committed offsets first and for the ends afterwards, so that a lag is never too small. A lag
without a recent answer is unknown, never 0.
"""

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from catdog_stream import deadlines
from catdog_stream.delivery.group_flow import GroupFlow, Positions
from catdog_stream.kafka.group_offsets import EARLIEST, LOG_END, STABLE_END, committed, offsets
from catdog_stream.messages.wire import Source

__all__ = ["GroupLag", "PartitionLag"]


class PartitionLag(NamedTuple):
    """Records of a partition behind the committed offset."""

    #: Records up to the end of the partition, as ``kafka-consumer-groups`` states the lag.
    records: int
    #: The same without records behind the start of an open transaction: they cannot be read.
    readable: int


class GroupLag:
    """Lag of a group in each partition of a topic.

    The consumer's thread writes it, and any thread reads it.

    Args:
        topic: name of the topic.
        clock: monotonic time in seconds.
    """

    def __init__(self, topic: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.topic = topic
        self._clock = clock
        #: Rates of the group, by the same offsets.
        self.flow = GroupFlow(clock)
        #: Partition to the time of its last answer and the lag then; replaced as a whole.
        self._seen: Mapping[int, tuple[float, PartitionLag | None]] = {}
        #: Broker that did not answer, to the time from which it may be asked again: waiting for a
        #: connection to such a broker blocks the client's other connections.
        self._again: dict[int, float] = {}
        #: ``True`` once the lag of a partition was known.
        self.was_known = False

    def now(self) -> Mapping[int, PartitionLag | None]:
        """Return the lag of each partition, ``None`` without a recent answer."""
        oldest = self._clock() - deadlines.LAG_HOLDS
        return {number: lag if at >= oldest else None for number, (at, lag) in self._seen.items()}

    def age(self, source: Source, claimed: float | None) -> float | None:
        """Return the seconds since a request arrived; see ``GroupFlow.age``."""
        if source.topic == self.topic:
            return self.flow.age(source.partition, source.offset, claimed)
        return self.flow.believed(claimed)

    async def look(self, consumer: Any) -> None:
        """Ask the brokers once. A partition without an answer keeps its last lag, which expires.

        Args:
            consumer: aiokafka's consumer, a member of the group that reads the topic.
        """
        began = self._clock()
        client = consumer._client
        numbers = sorted(client.cluster.partitions_for_topic(self.topic) or ())
        before = await self._committed(consumer, numbers)
        led: defaultdict[int, list[int]] = defaultdict(list)
        for number in before:
            leader = client.cluster.leader_for_partition(TopicPartition(self.topic, number))
            if leader is not None and self._again.get(leader, began) <= began:
                led[leader].append(number)
        learned: dict[int, tuple[float, PartitionLag | None]] = {}
        known: dict[int, Positions] = {}
        for positions in await asyncio.gather(
            *(self._of(client, leader, of, before) for leader, of in led.items() if leader >= 0)
        ):
            learned |= {number: (began, _lag(each)) for number, each in positions.items()}
            known |= positions
        if known:
            self.was_known = True
            self.flow.note(began, known)
        never = (-math.inf, None)
        self._seen = {n: learned.get(n, self._seen.get(n, never)) for n in numbers}

    async def _committed(self, consumer: Any, numbers: Collection[int]) -> Mapping[int, int | None]:
        coordinator = consumer._coordinator
        broker = getattr(coordinator, "coordinator_id", None)
        if not numbers or broker is None or self._again.get(broker, -math.inf) > self._clock():
            return {}
        try:
            async with asyncio.timeout(deadlines.LOOK):
                return await committed(
                    consumer._client, broker, coordinator.group_id, self.topic, numbers
                )
        except (KafkaError, TimeoutError):
            self._leave_alone(broker)
            return {}

    async def _of(
        self,
        client: Any,
        leader: int,
        numbers: Collection[int],
        before: Mapping[int, int | None],
    ) -> Mapping[int, Positions]:
        fresh = [number for number in numbers if before[number] is None]
        try:
            async with asyncio.timeout(deadlines.LOOK):
                ends, stable, starts = await asyncio.gather(
                    offsets(client, leader, self.topic, numbers, LOG_END),
                    offsets(client, leader, self.topic, numbers, STABLE_END),
                    offsets(client, leader, self.topic, fresh, EARLIEST),
                )
        except (KafkaError, TimeoutError):
            self._leave_alone(leader)
            return {}
        positions = {}
        for number in ends.keys() & stable.keys():
            start = before[number]
            if start is None:
                start = starts.get(number)
            if start is not None:
                positions[number] = Positions(start, ends[number], stable[number])
        return positions

    def _leave_alone(self, broker: int) -> None:
        self._again[broker] = self._clock() + deadlines.LAG_HOLDS


def _lag(at: Positions) -> PartitionLag | None:
    """Return the lag; ``None`` if the offset lies beyond the end, as after a lost log."""
    if at.committed > at.end:
        return None
    return PartitionLag(at.end - at.committed, max(0, at.readable - at.committed))
