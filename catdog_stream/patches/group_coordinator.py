"""Patch: a consumer joins its group only when it knows its topics, and retries when refused.

Fault (aiokafka 0.14): a member assigns topics that it does not know yet. Kafka creates a topic
before each of its brokers lists the topic. A member that asks too early assigns only the partitions
of the other topics, and asks again after five minutes: on a new cluster, labels without the
changelog of their counts.

Repair: a member asks for its topics until it knows them all, and then joins.

Fault: a consumer that has read nothing for ``max_poll_interval_ms`` leaves its group. A consumer
without a partition never reads, so it leaves, and does not return when it is needed.

Repair: the owner of the consumer can state the idle time.

Fault (aiokafka 0.14): a refusal by the group is final. A foreign member, any program that consumes
with the name of the group, may use another assignor. While it is there, the group refuses this
member, and the task that joins waits for a request that the application never makes.

Repair: a refused member logs the reason, and tries again until the group accepts it.

The patch also records the time of the group's last answer. It is the only sign of connections that
have gone silent: a new connection, made as a test, may well be answered.
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

#: Seconds until the next request, doubled each time: aiokafka logs each missing topic.
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 0.5


#: Seconds until a member that was refused tries again.
REFUSED_PAUSE = 1.0


class MendedGroupCoordinator(GroupCoordinator):  # type: ignore[misc]  # aiokafka is untyped
    """`GroupCoordinator` that knows its topics before it joins, and the time of the last answer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.answered_at = time.monotonic()
        #: Why the group refuses this member, in one sentence; ``None`` if it does not.
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
            logger.warning("Kafka does not describe the topics %s.", unknown)

    def _unknown(self, topics: Collection[str]) -> list[str]:
        return sorted(name for name in topics if not self._cluster.partitions_for_topic(name))


class Subscriptions(SubscriptionState):  # type: ignore[misc]  # aiokafka is untyped
    """`SubscriptionState` whose owner may state the idle time of the consumer."""

    #: Returns seconds; ``None`` selects aiokafka's own rule.
    idle_seconds: Callable[[], float] | None = None

    @property
    def fetcher_idle_time(self) -> float:
        """Idle time in seconds; above ``max_poll_interval_ms`` the consumer leaves its group."""
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
    """Make every consumer that is created from now on use both classes."""
    consumer.GroupCoordinator = MendedGroupCoordinator
    consumer.SubscriptionState = Subscriptions
