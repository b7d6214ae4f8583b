"""Recreation of topics that are deleted while a worker runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiokafka.admin import NewTopic
from aiokafka.cluster import ClusterMetadata

from catdog_stream.kafka.cluster import create, grow, topic_partitions
from catdog_stream.kafka.config import ClusterConfig

__all__ = ["Needed", "lacking", "restore"]


@dataclass(frozen=True, slots=True)
class Needed:
    """Topic as a running worker needs it."""

    partitions: int
    #: The configuration to create it with.
    config: Mapping[str, str] = field(default_factory=dict)


def lacking(metadata: ClusterMetadata, needed: Mapping[str, Needed]) -> Mapping[str, int]:
    """Return the topics of ``needed`` that lack partitions, with the number they have."""
    have = {name: len(metadata.partitions_for_topic(name) or ()) for name in needed}
    return {name: number for name, number in have.items() if number < needed[name].partitions}


async def restore(cluster: ClusterConfig, needed: Mapping[str, Needed]) -> None:
    """Create the topics of ``needed`` that are gone, and add missing partitions to the others.

    A broker with automatic topic creation gives a new topic too few partitions. Records for the
    missing partitions would then wait forever.

    Raises:
        BrokerError: no broker answers, or it refuses.
    """
    known = await topic_partitions(cluster)
    missing = [
        NewTopic(name, topic.partitions, cluster.replicas, topic_configs=dict(topic.config))
        for name, topic in needed.items()
        if name not in known
    ]
    if missing:
        await create(cluster, missing)
    for name, topic in needed.items():
        if 0 < known.get(name, 0) < topic.partitions:
            await grow(cluster, name, topic.partitions)
