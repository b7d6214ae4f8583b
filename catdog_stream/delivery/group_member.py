"""This worker as a member of its consumer group."""

import asyncio
import time
from collections.abc import Callable, Set
from typing import Any, cast

from faust.exceptions import ConsumerNotStarted
from faust.types import TP, ConsumerT

from catdog_stream import deadlines
from catdog_stream.delivery.consumer import Consumer
from catdog_stream.patches.group_coordinator import MendedGroupCoordinator

__all__ = ["GroupMember"]


class GroupMember:
    """Membership of this worker in its consumer group, from before its consumer has started.

    Args:
        topic: topic whose records the worker answers.
        consumer: returns the consumer of the app.
        is_settled: returns true if partitions are assigned and tables recovered, and neither is in
            progress.
    """

    def __init__(
        self, topic: str, consumer: Callable[[], ConsumerT], is_settled: Callable[[], bool]
    ) -> None:
        self._topic = topic
        self._consumer = consumer
        self._is_settled = is_settled

    @property
    def consumer(self) -> Consumer:
        """The consumer of the app."""
        return cast(Consumer, self._consumer())

    @property
    def is_settled(self) -> bool:
        """``True`` if partitions are assigned and tables recovered, and neither is in progress."""
        return self._is_settled()

    @property
    def assignment(self) -> Set[TP] | None:
        """All partitions of this worker; ``None`` before the consumer has started."""
        try:
            return cast(Set[TP], self.consumer.assignment())
        except ConsumerNotStarted:
            return None

    @property
    def assigned(self) -> Set[TP]:
        """Partitions of the topic whose records this worker answers."""
        return {tp for tp in self.assignment or () if tp.topic == self._topic}

    def pause(self, partition: int) -> None:
        """Deliver no more records of a partition than those that are on their way."""
        self.consumer.pause(TP(self._topic, partition))

    def resume(self, partition: int) -> None:
        """Deliver the records of a paused partition again."""
        self.consumer.resume(TP(self._topic, partition))

    @property
    def silence(self) -> float | None:
        """Seconds since the last response of the group; ``None`` while this worker joins."""
        coordinator = self._coordinator if self.is_settled else None
        return None if coordinator is None else time.monotonic() - coordinator.answered_at

    @property
    def refusal(self) -> str | None:
        """Why the group refuses this worker; ``None`` if it does not."""
        coordinator = self._coordinator
        return None if coordinator is None else coordinator.refused

    @property
    def _coordinator(self) -> MendedGroupCoordinator | None:
        try:
            coordinator = cast(Any, self.consumer)._thread._consumer._coordinator
        except (AttributeError, ConsumerNotStarted):
            return None
        # Faust uses another coordinator before the consumer has subscribed.
        return coordinator if isinstance(coordinator, MendedGroupCoordinator) else None

    async def is_member(self) -> bool:
        """Return true if the group still counts this worker as a member."""
        return await self.consumer.is_member()

    async def has_unread(self) -> bool:
        """Return true if records of the topic wait to be read."""
        try:
            async with asyncio.timeout(deadlines.LOOK):
                return await self.consumer.work_waits(self._topic)
        except ConsumerNotStarted:
            return False
        except TimeoutError:
            return True  # the consumer's thread does not respond
