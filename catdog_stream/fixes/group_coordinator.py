"""aiokafka joins its group knowing the topics, and as who it is.

Two faults of aiokafka 0.14.

It forgets its member id. On ``ILLEGAL_GENERATION`` the coordinator joins the group again as
somebody new. The old member stays behind and the group waits for it: on Apache Kafka until its
session times out, on noida-db, which starts a new generation with every rebalance and never
expires a member, for ever. So a second worker could never join the first. Kafka's own client keeps
the member id there and drops it only on ``UNKNOWN_MEMBER_ID``
(https://issues.apache.org/jira/browse/KAFKA-13419); so does kafka-python since
https://github.com/dpkp/kafka-python/pull/3017.

Repair: ``ILLEGAL_GENERATION`` asks of a member what ``REBALANCE_IN_PROGRESS`` asks, to join again
as who it is, and aiokafka does that right. So the coordinator is shown the latter in place of the
former. Its generation stays the outdated one until it has joined, and the broker goes on refusing
commits made in it.

It divides topics that it has not heard of. Kafka creates a topic before each of its brokers tells
of it. A member that asks too early assigns the partitions of the other topics alone, and asks
again after five minutes: on a new cluster, labels without the changelog of their counts.

Repair: a member asks for its topics until it knows them all, and joins then.
"""

import asyncio
import logging
from collections.abc import Collection
from typing import Any, cast

from aiokafka.consumer import consumer
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import IllegalGenerationError, RebalanceInProgressError
from aiokafka.protocol.commit import OffsetCommitRequest
from aiokafka.protocol.group import HeartbeatRequest, SyncGroupRequest

logger = logging.getLogger(__name__)

#: Seconds for topics that have been created to be known; Kafka takes a fraction of one. A member
#: must join again within its session, and within the time of a rebalance, less what draining takes.
TOPICS_SECONDS = 5.0
#: Seconds until it asks again, doubled each time: aiokafka logs each topic that it is not told of.
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 0.5


class MendedGroupCoordinator(GroupCoordinator):  # type: ignore[misc]  # aiokafka is untyped
    """A `GroupCoordinator` that knows its topics, and joins again under its own member id."""

    async def _do_rejoin_group(self, subscription: Any) -> bool:
        await self._know(subscription)
        return cast(bool, await super()._do_rejoin_group(subscription))

    async def _know(self, subscription: Any) -> None:
        pause = _FIRST_PAUSE
        try:
            async with asyncio.timeout(TOPICS_SECONDS):
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

    async def _send_req(self, request: Any) -> Any:
        response = await super()._send_req(request)
        if isinstance(request, HeartbeatRequest | SyncGroupRequest):
            response.error_code = _translate(response.error_code)
        elif isinstance(request, OffsetCommitRequest):
            response.topics = [
                (topic, [(partition, _translate(code)) for partition, code in partitions])
                for topic, partitions in response.topics
            ]
        return response


def install() -> None:
    """Makes every consumer that is created from now on use `MendedGroupCoordinator`."""
    consumer.GroupCoordinator = MendedGroupCoordinator


def _translate(error_code: int) -> int:
    if error_code == IllegalGenerationError.errno:
        return int(RebalanceInProgressError.errno)
    return error_code
