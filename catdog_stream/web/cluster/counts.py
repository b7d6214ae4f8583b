"""Counts of a worker by partition, and of the cluster by label and reason."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from catdog_stream.delivery.committed_table import CommittedTable
from catdog_stream.delivery.counting import MAX_NAME, MAX_NAMES
from catdog_stream.delivery.group_member import GroupMember

__all__ = ["MAX_SHARDS", "Count", "ShardCounts", "Shards", "Statistics", "local_shards"]

#: Maximum number of partitions in a peer's counts; Kafka becomes slow beyond some thousands.
MAX_SHARDS = 20_000
#: Maximum characters of ``TOPIC/PARTITION``, which names a shard: Kafka's topics have at most 249.
MAX_PLACE = 300
#: Maximum count; sums of the maximum number of counts still fit into 64 bits.
MAX_COUNT = 2**48

#: ``labels`` and ``rejections`` to the partition of a topic to its counts by name.
Shards = Mapping[str, Mapping[str, Mapping[str, int]]]

Count = Annotated[int, Meta(ge=0, le=MAX_COUNT)]
_Place = Annotated[str, Meta(max_length=MAX_PLACE)]
_Name = Annotated[str, Meta(max_length=MAX_NAME)]
_Counts = Annotated[dict[_Name, Count], Meta(max_length=MAX_NAMES + 1)]
#: A peer's counts of the labels, or of the rejections, by the partition of a topic.
ShardCounts = Annotated[dict[_Place, _Counts], Meta(max_length=MAX_SHARDS)]


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts of the cluster, and the number of workers that they come from."""

    labels: Mapping[str, int]
    rejections: Mapping[str, int]
    asked: int
    answered: int

    @property
    def total(self) -> int:
        """Number of labelled requests."""
        return sum(self.labels.values())

    @property
    def rejected(self) -> int:
        """Number of rejected requests."""
        return sum(self.rejections.values())


def local_shards(member: GroupMember, tables: Iterable[CommittedTable]) -> Shards | None:
    """Return the counts of this worker's partitions; ``None`` while they may be incomplete."""
    assignment = member.assignment if member.is_settled else None
    if assignment is None:
        return None
    shards: dict[str, dict[str, Mapping[str, int]]] = {"labels": {}, "rejections": {}}
    for table in tables:
        owned = {tp.partition for tp in assignment if tp.topic == table.follows}
        for partition, shard in table.items():
            if partition in owned:
                place = f"{table.follows}/{partition}"
                shards["labels"][place] = shard["labels"]
                shards["rejections"][place] = shard["rejections"]
    return shards
