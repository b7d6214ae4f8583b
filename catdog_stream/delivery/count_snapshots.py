"""Counts that are too large for the metadata of an offset: a snapshot, and the changes since then.

Kafka accepts 4 KB of metadata with a committed offset: the counts of two classes, not those of a
thousand. Larger counts are written to the table's changelog first, as a `Snapshot`, and confirmed.
The commit then names the record by its offset, and holds what has changed since. So counts and
offset still change in one write, which the coordinator accepts from the partition's owner only.

A snapshot has a random key. So no later write replaces it, however late it arrives, until the owner
deletes it, after a commit that names another one. The changelog is compacted, which keeps offsets.
"""

import secrets
from collections.abc import Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

import orjson

from catdog_stream.delivery.count_corrections import KINDS, difference, summed
from catdog_stream.delivery.counting import MAX_COUNTS_TEXT, Shard, from_document
from catdog_stream.documents import convert
from catdog_stream.kafka.bounded_reader import Extent, consumer, extent, records_of
from catdog_stream.kafka.config import ClusterConfig

__all__ = [
    "Reference",
    "Snapshot",
    "new_key",
    "read_snapshots",
    "reference_in",
    "references_in",
    "resolved",
]

#: Kind of counts to the differences by name.
Changes = dict[str, dict[str, int]]


def new_key() -> int:
    """Return a key for a snapshot, which no other record has; keys of copies are not negative."""
    return -1 - secrets.randbits(62)


@dataclass(frozen=True, slots=True)
class Reference:
    """Committed counts that are based on a snapshot."""

    #: Offset and key of the snapshot in the changelog.
    position: int
    key: int
    since: Changes
    #: The rest of the shard: ``offset``, and what else there is.
    rest: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Whole counts of a partition in a record of the changelog."""

    position: int
    key: int
    shard: Shard

    def metadata(self, shard: Shard) -> str | None:
        """Return the metadata that states ``shard`` by this snapshot; ``None`` if it is too long.

        Without changes since the snapshot it is never too long.
        """
        since = {kind: difference(self.shard[kind], shard[kind]) for kind in KINDS}
        rest = {name: value for name, value in shard.items() if name not in KINDS}
        document = {"snapshot": [self.position, self.key], "since": since, **rest}
        text = orjson.dumps(document).decode()
        return text if len(text.encode()) <= MAX_COUNTS_TEXT else None


def reference_in(text: str) -> Reference | None:
    """Return the reference in the metadata of a committed offset; ``None`` if it holds none."""
    try:
        document = orjson.loads(text)
        position, key = convert(document.pop("snapshot"), tuple[int, int])
        since = convert(document.pop("since"), Changes)
        from_document({**document, "labels": {}, "rejections": {}})
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if since.keys() != set(KINDS) or position < 0:
        return None
    return Reference(position, key, since, document)


def references_in(texts: Mapping[int, str]) -> Mapping[int, Reference]:
    """Return the reference of each partition whose metadata holds one.

    Args:
        texts: partition to the metadata of its committed offset.
    """
    found = {partition: reference_in(text) for partition, text in texts.items()}
    return {partition: each for partition, each in found.items() if each is not None}


def resolved(reference: Reference, snapshot: Snapshot | None) -> Shard:
    """Return the counts that ``reference`` states; without its snapshot, those since then."""
    counts = {
        kind: summed({} if snapshot is None else snapshot.shard[kind], reference.since[kind])
        for kind in KINDS
    }
    return from_document({**reference.rest, **counts})


async def read_snapshots(
    cluster: ClusterConfig, changelog: str, references: Mapping[int, Reference]
) -> Mapping[int, Snapshot]:
    """Return the snapshots by partition, without those that the changelog no longer holds.

    Args:
        cluster: the cluster.
        changelog: name of the topic with the snapshots.
        references: partition to the reference to its snapshot.

    Raises:
        BrokerError: the changelog cannot be read.
    """
    if not references:
        return {}
    held = await extent(cluster, changelog, max(references) + 1)
    wanted = {
        tp: (reference.position, reference.position + 1)
        for tp, (start, end) in held.partitions.items()
        if (reference := references.get(tp.partition)) is not None
        and start <= reference.position < end
    }
    found: dict[int, Snapshot] = {}
    if not wanted:
        return found
    async with (
        # Kafka sends the first record whole, and no more: copies of days may follow it.
        consumer(cluster, auto_offset_reset="earliest", max_partition_fetch_bytes=1) as reader,
        aclosing(records_of(reader, Extent(wanted), len(wanted))) as records,
    ):
        async for record in records:
            reference = references[record.partition]
            if (record.offset, record.key) != (reference.position, str(reference.key).encode()):
                continue
            with suppress(ValueError, KeyError, TypeError, AttributeError):
                shard = from_document(orjson.loads(record.value or b""))
                found[record.partition] = Snapshot(reference.position, reference.key, shard)
    return found
