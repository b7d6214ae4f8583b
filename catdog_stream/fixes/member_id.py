"""aiokafka keeps its member id when its generation is out of date.

Fault (aiokafka 0.14): on ``ILLEGAL_GENERATION`` the coordinator forgets its member id and joins the
group again as somebody new. The old member stays behind and the group waits for it: on Apache Kafka
until its session times out, on noida-db, which starts a new generation with every rebalance and
never expires a member, for ever. So a second worker could never join the first.

Kafka's own client keeps the member id there and drops it only on ``UNKNOWN_MEMBER_ID``
(https://issues.apache.org/jira/browse/KAFKA-13419); so does kafka-python since
https://github.com/dpkp/kafka-python/pull/3017.

Repair: ``ILLEGAL_GENERATION`` asks of a member what ``REBALANCE_IN_PROGRESS`` asks, to join again
as who it is, and aiokafka does that right. So the coordinator is shown the latter in place of the
former. Its generation stays the outdated one until it has joined, and the broker goes on refusing
commits made in it.
"""

from typing import Any

from aiokafka.consumer import consumer
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import IllegalGenerationError, RebalanceInProgressError
from aiokafka.protocol.commit import OffsetCommitRequest
from aiokafka.protocol.group import HeartbeatRequest, SyncGroupRequest


class FaithfulGroupCoordinator(GroupCoordinator):  # type: ignore[misc]  # aiokafka is untyped
    """A `GroupCoordinator` that joins again under its own member id."""

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
    """Makes every consumer that is created from now on use `FaithfulGroupCoordinator`."""
    consumer.GroupCoordinator = FaithfulGroupCoordinator


def _translate(error_code: int) -> int:
    if error_code == IllegalGenerationError.errno:
        return int(RebalanceInProgressError.errno)
    return error_code
