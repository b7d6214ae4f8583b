"""aiokafka asks the broker for what is wanted now, not for all partitions all the time.

Fault (aiokafka 0.14 under Faust 0.15): a worker reads its requests, its own answers, which it
counts, and the changelogs of its tables, some forty partitions, with one request that the broker
answers as soon as any of them has a record. So each label and each change of a table, written by
the worker itself, costs one more round of packing and unpacking all partitions in Python: 11 ms of
CPU time for each picture, a third of what the model takes.

Repair: partitions that Faust has paused, such as the changelogs after recovery, are not asked for;
those of topics in which nothing is urgent are asked for a few times a second.
"""

import time
from collections.abc import Callable, Collection, Iterator
from typing import Any, cast

from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import KafkaError, NoError, RebalanceInProgressError
from aiokafka.protocol.group import HeartbeatRequest
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.types import TP

__all__ = ["RationedConsumerThread", "RationedFetching"]

#: Seconds between two looks into a topic in which nothing is urgent.
PATIENT_INTERVAL = 0.25


class RationedConsumerThread(AIOKafkaConsumerThread):
    """Faust's consumer thread, whose fetcher leaves out what need not be fetched now.

    Attributes:
        patient_topics: topics whose records may wait for ``PATIENT_INTERVAL``.
    """

    patient_topics: Collection[str] = frozenset()

    async def on_start(self) -> None:
        """Put the ration between aiokafka's fetcher and its list of partitions."""
        await super().on_start()
        if self.app.client_only:
            return
        fetcher = self._ensure_consumer()._fetcher
        # The request in progress must be over when the next look is due.
        fetcher._fetch_max_wait_ms = int(PATIENT_INTERVAL * 1000)
        fetcher._get_actions_per_node = RationedFetching(
            fetcher._get_actions_per_node,
            is_paused=self._is_paused,
            patient_topics=self.patient_topics,
        )

    async def is_member(self) -> bool:
        """Ask the group whether this worker still belongs to it, in its generation."""
        return cast(bool, await self.call_thread(self._is_member))

    async def _is_member(self) -> bool:
        coordinator = self._ensure_consumer()._coordinator
        request = HeartbeatRequest(
            coordinator.group_id, coordinator.generation, coordinator.member_id
        )
        try:
            # Not the coordinator's own, which is shown no generation that is out of date.
            response = await GroupCoordinator._send_req(coordinator, request)
        except KafkaError:
            return False
        return response.error_code in (NoError.errno, RebalanceInProgressError.errno)

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
