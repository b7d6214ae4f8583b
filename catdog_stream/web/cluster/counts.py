"""Counts of a worker by partition, and of the cluster by label and reason."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from faust.exceptions import ConsumerNotStarted

from catdog_stream.delivery.committed_table import CommittedTable
from catdog_stream.delivery.counting import MAX_NAME_BYTES, MAX_NAMES

if TYPE_CHECKING:
    from catdog_stream.worker.application import CatDogApp

__all__ = ["MAX_SHARDS", "Shards", "Statistics", "count", "local_shards", "parse_shards"]

#: Maximum number of partitions in a peer's counts; Kafka becomes slow beyond some thousands.
MAX_SHARDS = 20_000
#: Maximum characters of ``TOPIC/PARTITION``, which names a shard: Kafka's topics have at most 249.
MAX_PLACE = 300
#: Maximum count; sums of the maximum number of counts still fit into 64 bits.
MAX_COUNT = 2**48

#: ``labels`` and ``rejections`` to the partition of a topic to its counts by name.
Shards = Mapping[str, Mapping[str, Mapping[str, int]]]


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


def local_shards(app: "CatDogApp", tables: Iterable[CommittedTable]) -> Shards | None:
    """Return the counts of this worker's partitions; ``None`` while they may be incomplete."""
    if not app.settled:
        return None
    try:
        assignment = app.consumer.assignment()
    except ConsumerNotStarted:
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


def parse_shards(document: Any) -> Shards:
    """Validate the format of a peer's response. Raise ``ValueError``."""
    try:
        if max(len(document[table]) for table in ("labels", "rejections")) > MAX_SHARDS:
            raise ValueError("more shards than there can be")
        return {
            table: {
                _place(partition): _counts(counts) for partition, counts in document[table].items()
            }
            for table in ("labels", "rejections")
        }
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError("not a worker's shards") from error


def _place(text: Any) -> str:
    place = str(text)
    if len(place) > MAX_PLACE:
        raise ValueError("not a partition")
    return place


def _counts(document: Any) -> Mapping[str, int]:
    if len(document) > MAX_NAMES + 1:
        raise ValueError("more names than there can be")
    return {_name(name): count(number) for name, number in document.items()}


def count(value: Any) -> int:
    """Parse a count in a peer's response. Raise ``ValueError`` if it is out of range."""
    number = int(value)
    if not 0 <= number <= MAX_COUNT:
        raise ValueError("not a number of things")
    return number


def _name(name: Any) -> str:
    return str(name).encode("utf-8", "replace")[:MAX_NAME_BYTES].decode("utf-8", "ignore")
