"""Thread of the consumer: membership in the group, commits with metadata, and its own fetcher."""

import asyncio
import math
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from functools import partial
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
from catdog_stream.delivery.fetch_budget import FetchBudget
from catdog_stream.delivery.fetch_rationing import LESS_POLLED_INTERVAL, RationedFetching
from catdog_stream.delivery.first_connection import connect
from catdog_stream.delivery.group_lag import GroupLag
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.names import recount_group
from catdog_stream.metrics import count_broker_error

__all__ = ["RationedConsumerThread"]

#: The worker is not a member any more, or not in this generation; its heartbeats get these, too.
_LOST_PLACE = (IllegalGenerationError, UnknownMemberIdError, RebalanceInProgressError)


class RationedConsumerThread(AIOKafkaConsumerThread):
    """Faust's consumer thread with a fetcher that skips partitions that are not needed now.

    Attributes:
        less_polled_topics: topics whose records may wait for ``LESS_POLLED_INTERVAL``.
        lag: monitor of the group's lag; ``None`` if the lag is not needed.
        budget: memory of fetched records; ``None`` without a limit.
    """

    less_polled_topics: Collection[str] = frozenset()
    #: Last time at which the worker's event loop ran; infinity before the first sign.
    loop_ran_at = math.inf
    lag: GroupLag | None = None
    budget: FetchBudget | None = None
    _confirmed_at = -math.inf

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        """Return a consumer that reads committed records only: aborted records are no requests."""
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"
        # Without tables Faust would use a round-robin assignor, and so admit a foreign client with
        # the group's name to the group. That client would get records that no agent ever sees.
        self._assignor = self.app.assignor
        consumer._partition_assignment_strategy = (self.app.assignor,)
        cluster: ClusterConfig | None = cast(Any, self.consumer).cluster
        if cluster is not None:
            consumer.start = partial(connect, self, consumer.start, cluster)
        return consumer

    async def on_start(self) -> None:
        """Put the rationing between aiokafka's fetcher and its list of partitions."""
        await super().on_start()
        if self.app.client_only or self.should_stop:
            return
        self._ensure_consumer()._subscription.idle_seconds = self._stalled_seconds
        self._note_heartbeats(self._ensure_consumer()._coordinator)
        fetcher = self._ensure_consumer()._fetcher
        # The fetch in progress must end before the next one is due.
        fetcher._fetch_max_wait_ms = int(LESS_POLLED_INTERVAL * 1000)
        if self.budget is not None:
            self.budget.watch(fetcher)
        fetcher._get_actions_per_node = RationedFetching(
            fetcher._get_actions_per_node,
            is_paused=self._is_paused,
            less_polled_topics=self.less_polled_topics,
            budget=self.budget,
        )

    async def _fetch_records(self, *args: Any, **options: Any) -> Any:
        found = await super()._fetch_records(*args, **options)
        if self.budget is not None:
            self.budget.take(found)
        return found

    def _stalled_seconds(self) -> float:
        """Return the time for which the worker's event loop has been blocked, in seconds.

        aiokafka must leave the group for this reason alone. It would otherwise leave after any idle
        time: that of a worker without a partition, which then never returns, or of a slow agent.
        """
        return time.monotonic() - self.loop_ran_at

    async def on_thread_stop(self) -> None:
        """Leave the group and close the connections, with a time limit that aiokafka lacks."""
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
        """Return the end of the readable records, in front of open transactions.

        Return -1 before the first fetch, and if ``tp`` was revoked. aiokafka raises an error for a
        revoked partition, and Faust calls this for each record: a rebalance would end the worker.
        """
        end = self.stable_end(tp)
        return -1 if end is None else end

    def positions(self, partitions: Collection[TP]) -> dict[TP, int]:
        """Return the next offset to read for each partition whose position is known."""
        assigned = self._assignment()
        states = {tp: assigned.state_value(tp) for tp in partitions if tp in assigned.tps}
        return {tp: state.position for tp, state in states.items() if state.has_valid_position}

    def stable_end(self, tp: TP) -> int | None:
        """Return the same as ``highwater``; ``None`` if it is unknown."""
        assigned = self._assignment()
        if assigned is None or tp not in assigned.tps:
            return None
        return cast(int | None, assigned.state_value(tp).lso)

    def _assignment(self) -> Any:
        """Return aiokafka's state of the partitions; ``None`` before the first assignment."""
        subscription = self._ensure_consumer()._subscription.subscription
        return subscription.assignment if subscription is not None else None

    async def work_waits(self, topic: str) -> bool:
        """Return whether readable records of ``topic`` are not read yet.

        The check runs at one moment in the thread that partitions are assigned in, so no partition
        moves meanwhile.
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
        """Join the group again, and take the partitions over from the committed offsets."""
        await self.call_thread(self._rejoin)

    async def _rejoin(self) -> None:
        self._ensure_consumer()._coordinator.request_rejoin()

    def surely_member(self) -> bool:
        """Return whether the group has lately confirmed the membership of this worker."""
        return time.monotonic() - self._confirmed_at < deadlines.CONFIRMED

    async def is_member(self) -> bool:
        """Ask the group if this worker is still a member in its generation; return the answer."""
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
            ``True`` if Kafka has accepted all of them. ``False`` if the worker has lost its
            membership, or the coordinator is unreachable: the next commit then includes them.

        Raises:
            KafkaError: the cluster will never accept them.
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
        """Seek ``partitions`` to their committed offsets, and return these.

        One request reads all of them: an offset and its metadata were written together. Partitions
        without a committed offset are left out, and their position is not changed.

        Raises:
            KafkaError: the coordinator refuses the request.
            IllegalStateError: a partition was revoked meanwhile.
            TimeoutError: the coordinator did not answer.
        """
        found = await self.call_thread(self._go_to_committed, partitions)
        return cast(Mapping[TP, OffsetAndMetadata], found)

    async def _go_to_committed(self, partitions: Collection[TP]) -> Mapping[TP, OffsetAndMetadata]:
        consumer = self._ensure_consumer()
        # The caller gives up after the same time. A request that continued here would block the
        # thread's calls, and move the positions of a later generation.
        async with asyncio.timeout(deadlines.COMMITTED):
            found = await consumer._coordinator.fetch_committed_offsets(
                list(ensure_aiokafka_TPset(partitions))
            )
        for tp, committed in found.items():
            consumer.seek(tp, committed.offset)
        return {TP(tp.topic, tp.partition): committed for tp, committed in found.items()}

    async def mails(self, partitions: Collection[TP]) -> Mapping[TP, str]:
        """Return the correction that a recount left for each partition. Raises ``KafkaError``."""
        return cast(Mapping[TP, str], await self.call_thread(self._mails, partitions))

    async def _mails(self, partitions: Collection[TP]) -> Mapping[TP, str]:
        client = self._ensure_consumer()._client
        group = recount_group(self.app.conf.id)
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
