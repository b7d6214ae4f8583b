"""Patch: aiokafka keeps the metadata of all topics that it writes to.

Fault (aiokafka 0.14): while a producer tracks no topic, a metadata request returns all topics. Once
it tracks a topic, each request asks only for the tracked topics, and the others are forgotten. A
topic that was known at the first write to it is not tracked. So a record that waits to be sent to
it has no leader any more after a metadata request for another topic: it stays in the buffer, and
the producer asks for leaders without a pause and never for this one. After the time limit of a
request the record has failed. On a new cluster a rejection, and the requests behind it, could wait
like that for a minute and a half.

Repair: a producer tracks each topic that it writes to.
"""

from collections.abc import Collection
from typing import Any

from aiokafka.client import AIOKafkaClient

__all__ = ["install"]

_original = AIOKafkaClient._wait_on_metadata


async def _tracking(client: Any, topic: str) -> Collection[int]:
    if client.cluster.partitions_for_topic(topic) is not None:
        client._topics.add(topic)  # ``add_topic`` would ask at once for what is known
    partitions: Collection[int] = await _original(client, topic)
    return partitions


def install() -> None:
    """Patch every client of this process."""
    AIOKafkaClient._wait_on_metadata = _tracking
