"""aiokafka asks the broker for what is wanted now, not for all partitions all the time.

Fault (aiokafka 0.14 under Faust 0.15): a worker reads its requests, its own answers, which it
counts, and the changelogs of its tables, some forty partitions, with one request that the broker
answers as soon as any of them has a record. So each label and each change of a table, written by
the worker itself, costs one more round of packing and unpacking all partitions in Python: 11 ms of
CPU time for each picture, a third of what the model takes.

Repair: partitions that Faust has paused, such as the changelogs after recovery, are not asked for;
those of topics in which nothing is urgent are asked for a few times a second.
"""

import asyncio
import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any, cast

import aiokafka
from aiokafka.client import ConnectionGroup, CoordinationType
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    IllegalGenerationError,
    KafkaError,
    NoError,
    NotCoordinatorForGroupError,
    RebalanceInProgressError,
    UnknownMemberIdError,
    for_code,
)
from aiokafka.protocol.commit import OffsetCommitRequest, OffsetFetchRequest
from aiokafka.protocol.group import HeartbeatRequest
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, ensure_aiokafka_TPset
from faust.types import TP
from mode import Service

from catdog_stream import deadlines
from catdog_stream.delivery.group_lag import GroupLag
from catdog_stream.metrics import count_broker_error
from catdog_stream.topics import RECOUNT_GROUP

__all__ = ["RationedConsumerThread", "RationedFetching"]

#: Seconds between two looks into a topic in which nothing is urgent.
PATIENT_INTERVAL = 0.25

#: The worker is no member any more, or not in this generation; its heartbeats learn the same.
_LOST_PLACE = (IllegalGenerationError, UnknownMemberIdError, RebalanceInProgressError)


class RationedConsumerThread(AIOKafkaConsumerThread):
    """Faust's consumer thread, whose fetcher leaves out what need not be fetched now.

    Attributes:
        patient_topics: topics whose records may wait for ``PATIENT_INTERVAL``.
        lag: asks for the lag of the group; ``None`` where nobody wants to know.
    """

    patient_topics: Collection[str] = frozenset()
    #: When the worker's event loop was seen to run; infinity before it is.
    loop_ran_at = math.inf
    lag: GroupLag | None = None
    _confirmed_at = -math.inf

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        """Make a consumer that reads what was committed: an aborted transaction is no request."""
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"
        # Without tables Faust would let every client that divides in turn into the group: a foreign
        # one with the group's name would get records that its agents never see.
        self._assignor = self.app.assignor
        consumer._partition_assignment_strategy = (self.app.assignor,)
        return consumer

    async def on_start(self) -> None:
        """Put the ration between aiokafka's fetcher and its list of partitions."""
        await super().on_start()
        if self.app.client_only:
            return
        self._ensure_consumer()._subscription.idle_seconds = self._stalled_seconds
        self._note_heartbeats(self._ensure_consumer()._coordinator)
        fetcher = self._ensure_consumer()._fetcher
        # The request in progress must be over when the next look is due.
        fetcher._fetch_max_wait_ms = int(PATIENT_INTERVAL * 1000)
        fetcher._get_actions_per_node = RationedFetching(
            fetcher._get_actions_per_node,
            is_paused=self._is_paused,
            patient_topics=self.patient_topics,
        )

    def _stalled_seconds(self) -> float:
        """Return how long the worker's event loop has stood still.

        That is what aiokafka is to leave the group for. It would leave for every silence: that of a
        worker without a partition, which then never comes back, and that of a slow agent.
        """
        return time.monotonic() - self.loop_ran_at

    async def on_thread_stop(self) -> None:
        """Leave the group and close the connections; aiokafka waits for these without limit."""
        with suppress(TimeoutError):
            async with asyncio.timeout(deadlines.CLOSE):
                await super().on_thread_stop()

    @Service.task
    async def _watch_lag(self) -> None:
        if self.lag is None or self.app.client_only:
            return
        async for _ in self.itertimer(deadlines.LAG_INTERVAL, name="lag"):
            await self.lag.look(self._ensure_consumer())

    def highwater(self, tp: TP) -> int:
        """Return the end of what can be read, in front of transactions that are still open.

        -1 before the first look, and where ``tp`` has been taken away: aiokafka raises then, and
        Faust, which asks for it with each record, would end the worker at a rebalance.
        """
        end = self.stable_end(tp)
        return -1 if end is None else end

    def positions(self, partitions: Collection[TP]) -> dict[TP, int]:
        """Return the next offset to be read of each partition where that is known."""
        assigned = self._assignment()
        states = {tp: assigned.state_value(tp) for tp in partitions if tp in assigned.tps}
        return {tp: state.position for tp, state in states.items() if state.has_valid_position}

    def stable_end(self, tp: TP) -> int | None:
        """Return the same as ``highwater``; ``None`` where that is not known."""
        assigned = self._assignment()
        if assigned is None or tp not in assigned.tps:
            return None
        return cast(int | None, assigned.state_value(tp).lso)

    def _assignment(self) -> Any:
        """aiokafka's own state of the partitions; ``None`` before there are any."""
        subscription = self._ensure_consumer()._subscription.subscription
        return subscription.assignment if subscription is not None else None

    async def work_waits(self, topic: str) -> bool:
        """Whether records of ``topic`` can be read and were not yet.

        It is one look of the thread that partitions come to and go from: none goes meanwhile.
        """
        return cast(bool, await self.call_thread(self._work_waits, topic))

    async def _work_waits(self, topic: str) -> bool:
        assigned = self._assignment()
        if assigned is None:
            return False
        states = [assigned.state_value(tp) for tp in assigned.tps if tp.topic == topic]
        return any(
            not state.has_valid_position or (state.lso is not None and state.lso > state.position)
            for state in states
        )

    async def rejoin(self) -> None:
        """Join the group again, and take the partitions over from what was committed."""
        await self.call_thread(self._rejoin)

    async def _rejoin(self) -> None:
        self._ensure_consumer()._coordinator.request_rejoin()

    def surely_member(self) -> bool:
        """Whether the group has confirmed lately that this worker belongs to it."""
        return time.monotonic() - self._confirmed_at < deadlines.CONFIRMED

    async def is_member(self) -> bool:
        """Ask the group whether this worker still belongs to it, in its generation."""
        return cast(bool, await self.call_thread(self._is_member))

    async def _is_member(self) -> bool:
        coordinator = self._ensure_consumer()._coordinator
        request = HeartbeatRequest(
            coordinator.group_id, coordinator.generation, coordinator.member_id
        )
        try:
            response = await coordinator._send_req(request)
        except KafkaError:
            return False
        return response.error_code in (NoError.errno, RebalanceInProgressError.errno)

    def _note_heartbeats(self, coordinator: Any) -> None:
        beat = coordinator._do_heartbeat

        async def noted() -> bool:
            began = time.monotonic()
            answered: bool = await beat()
            if answered:
                self._confirmed_at = began
            return answered

        coordinator._do_heartbeat = noted

    async def commit_as(self, generation: int, offsets: Mapping[TP, tuple[int, str]]) -> bool:
        """Commit offsets with their metadata as a member of ``generation`` of the group.

        Returns:
            Whether Kafka has taken all of them. It has not if the worker has lost its place, or
            the coordinator cannot be reached: what is not committed now goes with the next commit.

        Raises:
            KafkaError: the cluster will never take them.
        """
        return cast(bool, await self.call_thread(self._commit_as, generation, offsets))

    async def _commit_as(self, generation: int, offsets: Mapping[TP, tuple[int, str]]) -> bool:
        coordinator = self._ensure_consumer()._coordinator
        if coordinator.generation != generation:
            return False
        topics: dict[str, list[tuple[int, int, str]]] = {}
        for tp, (offset, metadata) in offsets.items():
            topics.setdefault(tp.topic, []).append((tp.partition, offset, metadata))
        request = OffsetCommitRequest(
            coordinator.group_id,
            generation,
            coordinator.member_id,
            OffsetCommitRequest.DEFAULT_RETENTION_TIME,
            list(topics.items()),
        )
        try:
            response = await coordinator._send_req(request)
        except KafkaError:
            count_broker_error("commit")
            return False
        errors = {for_code(code) for _, answers in response.topics for _, code in answers if code}
        if errors.difference(_LOST_PLACE):
            count_broker_error("commit")
        for error in errors:
            if error in (NotCoordinatorForGroupError, GroupCoordinatorNotAvailableError):
                coordinator.coordinator_dead()
            elif error not in _LOST_PLACE and not error.retriable:
                raise error(f"The group's coordinator refuses the offsets {dict(offsets)}.")
        return not errors

    async def go_to_committed(self, partitions: Collection[TP]) -> Mapping[TP, OffsetAndMetadata]:
        """Read ``partitions`` from what was committed of them, and return that.

        It is one look: an offset and the metadata beside it were written together. Partitions of
        which nothing was committed are left out, and left where they are.

        Raises:
            KafkaError: the coordinator refuses to tell.
            IllegalStateError: a partition was taken away meanwhile.
            TimeoutError: the coordinator was silent.
        """
        found = await self.call_thread(self._go_to_committed, partitions)
        return cast(Mapping[TP, OffsetAndMetadata], found)

    async def _go_to_committed(self, partitions: Collection[TP]) -> Mapping[TP, OffsetAndMetadata]:
        consumer = self._ensure_consumer()
        # Whoever waits for it gives up then; what went on here would hold up the thread's calls,
        # and move the positions of a later generation.
        async with asyncio.timeout(deadlines.COMMITTED):
            found = await consumer._coordinator.fetch_committed_offsets(
                list(ensure_aiokafka_TPset(partitions))
            )
        for tp, committed in found.items():
            consumer.seek(tp, committed.offset)
        return {TP(tp.topic, tp.partition): committed for tp, committed in found.items()}

    async def mails(self, partitions: Collection[TP]) -> Mapping[TP, str]:
        """What a recount has left for the owner of each partition. Raises ``KafkaError``."""
        return cast(Mapping[TP, str], await self.call_thread(self._mails, partitions))

    async def _mails(self, partitions: Collection[TP]) -> Mapping[TP, str]:
        client = self._ensure_consumer()._client
        group = RECOUNT_GROUP
        node = await client.coordinator_lookup(CoordinationType.GROUP, group)
        await client.ready(node, group=ConnectionGroup.COORDINATION)
        topics: dict[str, list[int]] = {}
        for tp in partitions:
            topics.setdefault(tp.topic, []).append(tp.partition)
        request = OffsetFetchRequest(group, list(topics.items()))
        response = await client.send(node, request, group=ConnectionGroup.COORDINATION)
        return {
            TP(topic, partition): metadata
            for topic, answers in response.topics
            for partition, offset, metadata, code in answers
            if metadata and not code
        }

    def _is_paused(self, partition: TP) -> bool:
        return partition in self.consumer._paused_partitions


class RationedFetching:
    """Wraps ``Fetcher._get_actions_per_node`` of aiokafka, which plans the next requests.

    Args:
        plan: the method. Its first result is a list of nodes and requests.
        is_paused: whether Faust does not want a partition's records now.
        patient_topics: topics that are looked into every ``PATIENT_INTERVAL`` only.
        clock: seconds that only ever grow.
    """

    def __init__(
        self,
        plan: Callable[[Any], tuple[Any, ...]],
        *,
        is_paused: Callable[[TP], bool],
        patient_topics: Collection[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plan = plan
        self._is_paused = is_paused
        self._patient_topics = patient_topics
        self._clock = clock
        self._due: dict[TP, float] = {}

    def __call__(self, assignment: Any) -> tuple[Any, ...]:
        """Plan the requests for those partitions of ``assignment`` that are wanted now."""
        now = self._clock()
        wanted = [tp for tp in assignment.tps if self._is_wanted(assignment, tp, now)]
        actions = self._plan(_Selection(assignment, wanted))
        for _node, request in actions[0]:
            partitions = tuple(_partitions(request.topics))
            patient = [tp for tp in partitions if tp.topic in self._patient_topics]
            self._due.update(dict.fromkeys(patient, now + PATIENT_INTERVAL))
            if len(patient) == len(partitions):
                # It would keep the node from what is urgent while it waits for what is not.
                request._max_wait_ms = 0
        return actions

    def _is_wanted(self, assignment: Any, tp: TP, now: float) -> bool:
        if not assignment.state_value(tp).has_valid_position:
            return True  # somebody waits for the position to be looked up
        return not self._is_paused(tp) and self._due.get(tp, now) <= now


class _Selection:
    """An assignment of aiokafka, reduced to some of its partitions."""

    def __init__(self, assignment: Any, partitions: Collection[TP]) -> None:
        self.tps = partitions
        self.state_value = assignment.state_value


def _partitions(topics: Collection[tuple[str, Collection[tuple[int, ...]]]]) -> Iterator[TP]:
    for topic, partitions in topics:
        for number, *_ in partitions:
            yield TP(topic, number)
