"""aiokafka remembers which topics it writes to.

Fault (aiokafka 0.14): while a producer tracks no topic, a look at the cluster tells it of all; once
it tracks one, every look asks for those that it tracks, and forgets the others. A topic that was
known when it was first written to is not tracked. So what waits to be sent to it, while a look for
some other topic is made, has no leader any more: it stays where it is, the producer asks for
leaders without a pause and never for this one, and after the time limit of a request the record
has failed. On a new cluster a rejection could wait like that for a minute and a half, and the
requests behind it.

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
    """Have every client of this process do so from now on."""
    AIOKafkaClient._wait_on_metadata = _tracking
