"""Offsets that a group has committed, and the ends of partitions, as the brokers state them.

The requests use the connections of a client that reads from the same brokers already, so they
need no further connection.
"""

from collections.abc import Collection, Mapping

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.offset import OffsetRequest

__all__ = ["EARLIEST", "LOG_END", "STABLE_END", "Position", "committed", "offsets"]

#: Position in a partition: the time and the isolation level of a ListOffsets request.
Position = tuple[int, int]
EARLIEST: Position = (-2, 0)
#: The high watermark, from which ``kafka-consumer-groups`` computes the lag.
LOG_END: Position = (-1, 0)
#: The last stable offset: the end of the readable records, in front of open transactions.
STABLE_END: Position = (-1, 1)

_ANY_REPLICA = -1


async def committed(
    client: AIOKafkaClient, coordinator: int, group: str, topic: str, partitions: Collection[int]
) -> Mapping[int, int | None]:
    """Return the committed offset of each partition, ``None`` where nothing was committed.

    Partitions whose offset the coordinator does not state now are left out of the result.

    Args:
        client: connected to the cluster.
        coordinator: id of the broker that coordinates the group.
        group: name of the group.
        topic: name of the topic.
        partitions: numbers of its partitions.

    Raises:
        KafkaError: the coordinator does not answer, or refuses.
    """
    # The connection for fetches answers within a fraction of a second. The one for coordination
    # waits for other members while this member joins.
    answer = await client.send(coordinator, OffsetFetchRequest(group, [(topic, list(partitions))]))
    if code := getattr(answer, "error_code", 0):
        raise for_code(code)
    return {
        number: offset if offset >= 0 else None
        for _, found in answer.topics
        for number, offset, _metadata, code in found
        if not code
    }


async def offsets(
    client: AIOKafkaClient, leader: int, topic: str, partitions: Collection[int], position: Position
) -> Mapping[int, int]:
    """Return the offset of a position in each partition.

    Partitions that the broker does not lead are left out of the result.

    Args:
        client: connected to the cluster.
        leader: id of the broker that leads the partitions.
        topic: name of the topic.
        partitions: numbers of its partitions.
        position: ``EARLIEST``, ``LOG_END`` or ``STABLE_END``.

    Raises:
        KafkaError: the broker does not answer.
    """
    if not partitions:
        return {}
    time, isolation = position
    asked = [(topic, [(number, time) for number in partitions])]
    answer = await client.send(leader, OffsetRequest(_ANY_REPLICA, isolation, asked))
    return {
        number: offset
        for _, found in answer.topics
        for number, code, _time, offset in found
        if not code and offset >= 0
    }
