"""aiokafka joins its group knowing the topics.

Fault (aiokafka 0.14): it divides topics that it has not heard of. Kafka creates a topic before each
of its brokers tells of it. A member that asks too early assigns the partitions of the other topics
alone, and asks again after five minutes: on a new cluster, labels without the changelog of their
counts.

Repair: a member asks for its topics until it knows them all, and joins then.

Fault: a consumer that has read nothing for ``max_poll_interval_ms`` leaves its group. One that has
no partition never reads, leaves, and does not come back when it is needed.

Repair: who owns the consumer says for how long it has been idle, where it knows better.

Fault (aiokafka 0.14): what the group refuses once is final. A foreign member, any program that
consumes with the name of the group, divides partitions in another way; while it is there the group
refuses this one, and the task that joins waits for an application that never asks.

Repair: a member that is refused says why, and tries again until the group takes it.

It also remembers when the group has answered last: connections that have gone silent are noticed by
nobody else, since one that is made to try may well be answered.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from typing import Any, cast

from aiokafka.consumer import consumer
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import InconsistentGroupProtocolError, KafkaError

from catdog_stream import deadlines

logger = logging.getLogger(__name__)

#: Seconds until it asks again, doubled each time: aiokafka logs each topic that it is not told of.
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 0.5


#: Seconds until a member that was refused tries again.
REFUSED_PAUSE = 1.0


class MendedGroupCoordinator(GroupCoordinator):  # type: ignore[misc]  # aiokafka is untyped
    """A `GroupCoordinator` that knows its topics when it joins, and when it was answered last."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.answered_at = time.monotonic()
        #: Why the group does not take this member, in a sentence; ``None`` where it does.
        self.refused: str | None = None
        super().__init__(*args, **kwargs)

    async def _send_req(self, request: Any) -> Any:
        response = await super()._send_req(request)
        self.answered_at = time.monotonic()
        return response

    async def _do_rejoin_group(self, subscription: Any) -> bool:
        await self._know(subscription)
        try:
            joined = cast(bool, await super()._do_rejoin_group(subscription))
        except KafkaError as error:
            await self._wait_refused(error)
            return False
        self.refused = None
        return joined

    async def _wait_refused(self, error: KafkaError) -> None:
        sentence = _why_refused(self.group_id, error)
        if sentence != self.refused:
            self.refused = sentence
            logger.warning("%s Trying again until it does.", sentence)
        await asyncio.wait((self._closing,), timeout=REFUSED_PAUSE)

    async def _know(self, subscription: Any) -> None:
        pause = _FIRST_PAUSE
        try:
            async with asyncio.timeout(deadlines.TOPIC_KNOWN_TO_MEMBER):
                while self._unknown(subscription.topics):
                    if self._closing.done() or not subscription.active:
                        return
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE)
                    await self._client.force_metadata_update()
        except TimeoutError:
            unknown = ", ".join(self._unknown(subscription.topics))
            logger.warning("Kafka tells nothing of the topics %s.", unknown)

    def _unknown(self, topics: Collection[str]) -> list[str]:
        return sorted(name for name in topics if not self._cluster.partitions_for_topic(name))


class Subscriptions(SubscriptionState):  # type: ignore[misc]  # aiokafka is untyped
    """A `SubscriptionState` whose owner may say for how long the consumer has been idle."""

    #: Returns seconds; ``None`` where aiokafka's own rule holds.
    idle_seconds: Callable[[], float] | None = None

    @property
    def fetcher_idle_time(self) -> float:
        """Seconds after ``max_poll_interval_ms`` of which the consumer leaves its group."""
        if self.idle_seconds is not None:
            return self.idle_seconds()
        return cast(float, super().fetcher_idle_time)


def _why_refused(group: str, error: KafkaError) -> str:
    if isinstance(error, InconsistentGroupProtocolError):
        return (
            f"The group {group} does not take this worker: another program, which divides "
            f"partitions in another way, is a member of it. Stop that program, or give it a group "
            f"of its own (kafka-consumer-groups.sh --group {group} --describe --members)."
        )
    return f"The group {group} does not take this worker: {error!r}."


def install() -> None:
    """Have every consumer that is created from now on use both classes."""
    consumer.GroupCoordinator = MendedGroupCoordinator
    consumer.SubscriptionState = Subscriptions
