"""Faust table whose values are committed together with the offsets.

Fault (Faust 0.15): a table's changelog and the offsets that belong to it are two writes. If a
worker is cut off while a change is in transit, its write may arrive after that of its successor.
Kafka does not refuse it, and the table has lost the counts in between for good.

Repair: the value of a partition is written as the metadata of that partition's commit (see
``consumer``), which Kafka accepts from the partition's owner only. A value that is too large for
that is based on a snapshot (see ``count_snapshots``). The changelog receives a copy of the metadata
after each commit. The copy is read if no offset is committed: Kafka deletes the offsets of a group
that has had no member for a week (``offsets.retention.minutes``).
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, cast

import faust
import orjson
from aiokafka.errors import InvalidPartitionsError
from faust.types import EventT
from faust.types.tuples import RecordMetadata

from catdog_stream.delivery.count_corrections import corrected, from_mail
from catdog_stream.delivery.count_snapshots import (
    Reference,
    Snapshot,
    new_key,
    reference_in,
    references_in,
    resolved,
)
from catdog_stream.delivery.counting import Shard, cut_off, from_metadata, to_metadata
from catdog_stream.delivery.marks import Mark, is_mark

__all__ = ["CommittedTable"]

logger = logging.getLogger(__name__)


class CommittedTable(faust.Table[int, Shard]):
    """Table with one value for each partition of a topic, by the partition's number.

    Args:
        args: see Faust's ``Table``.
        follows: topic whose partitions the table has.
        counts: topic whose records the values count, and whose offsets they name. A jury's table
            follows votes and counts requests. By default the topic that the table follows.
        kwargs: see Faust's ``Table``.
    """

    def __init__(self, *args: Any, follows: str = "", counts: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.follows = follows
        self.counts = counts or follows
        #: Partition to the last snapshot of its counts, and to keys of all that the changelog has.
        self._snapshots: dict[int, Snapshot] = {}
        self._keys: defaultdict[int, set[int]] = defaultdict(set)
        #: Partition to the last write of a snapshot since the partition was restored.
        self._writes: dict[int, asyncio.Future[Snapshot]] = {}
        #: Partition to the copy of its metadata in the changelog, if that names a snapshot.
        self._copies: dict[int, str] = {}

    def partition_for_key(self, key: int) -> int:
        """Return the key itself; Faust would return the partition of the agent's current record."""
        return key

    def on_key_set(self, key: int, value: Shard) -> None:
        """Write nothing yet: the next commit writes the value."""
        self._sensor_on_set(self, key, value)

    def apply_changelog_batch(self, batch: Iterable[EventT[Any]]) -> None:
        """Restore the copies; a snapshot is read when the metadata that names it is known."""
        copies = []
        for event in batch:
            key, value = cast(int, event.key), cast(Any, event.value)
            partition = event.message.partition
            if key < 0:
                (self._keys[partition].add if value else self._keys[partition].discard)(key)
            elif value and "snapshot" in value:
                self._copies[key] = orjson.dumps(value).decode()
            else:
                self._copies.pop(key, None)
                copies.append(event)
        super().apply_changelog_batch(copies)

    def to_commit(self, partition: int) -> str | Shard:
        """Return the metadata to commit with the offset, or the counts if they need a snapshot."""
        shard = self.data.get(partition)
        if shard is None:
            return ""
        text = to_metadata(shard)
        if text is None and (snapshot := self._snapshots.get(partition)) is not None:
            text = snapshot.metadata(shard)
        return shard if text is None else text

    async def write_snapshot(self, partition: int, shard: Shard) -> str | None:
        """Write the counts to the changelog and return the metadata that names them.

        If an earlier write is not confirmed yet, that one is waited for. Return ``None`` if the
        partition was restored meanwhile, or if ``shard`` differs too much from the earlier counts.

        Raises:
            KafkaError: Kafka does not accept the record, or the changelog lacks the partition. A
                worker adds partitions when it starts.
            ProducerSendError: the producer refuses it.
        """
        if partition >= (self.partitions or 0):
            raise InvalidPartitionsError(f"{self.changelog_topic_name}/{partition}")
        write = self._writes.get(partition)
        if write is None or write.done():
            write = self._writes[partition] = asyncio.ensure_future(self._write(partition, shard))
            write.add_done_callback(lambda done: done.cancelled() or done.exception())
        snapshot = await asyncio.shield(write)
        if self._writes.get(partition) is not write:
            return None  # others may have deleted it
        self._snapshots[partition] = snapshot
        return snapshot.metadata(shard)

    async def _write(self, partition: int, shard: Shard) -> Snapshot:
        key = new_key()
        self._keys[partition].add(key)
        sent = await self.changelog_topic.send(
            key=key,
            value=shard,
            partition=partition,
            key_serializer=self.key_serializer,
            value_serializer=self.value_serializer,
            force=True,
        )
        return Snapshot((await sent).offset, key, shard)

    def references(self, committed: Mapping[int, str]) -> Mapping[int, Reference]:
        """Return which snapshots are needed to restore partitions.

        Args:
            committed: partition to the metadata of its committed offset, empty without one.
        """
        return references_in({p: text or self._copies.get(p, "") for p, text in committed.items()})

    def restore(
        self,
        partition: int,
        metadata: str,
        reference: Reference | None = None,
        snapshot: Snapshot | None = None,
    ) -> None:
        """Restore the committed value; without one, keep the value from the changelog.

        Args:
            partition: the partition.
            metadata: metadata of its committed offset.
            reference: what ``references`` has for it.
            snapshot: the snapshot that it needs; ``None`` if the changelog no longer holds it.
        """
        self._snapshots.pop(partition, None)
        self._writes.pop(partition, None)
        if reference is None:
            shard = from_metadata(metadata)
        else:
            shard = resolved(reference, snapshot)
            if snapshot is not None:
                self._snapshots[partition] = snapshot
                self._keys[partition].add(snapshot.key)
            else:
                logger.warning(
                    "%s has lost record %d of partition %d, which held the counts: they begin "
                    "again. catdog-stream recount restores them from the topics.",
                    *(self.changelog_topic_name, reference.position, partition),
                )
        if shard is not None:
            self.data[partition] = shard

    def counted_up_to(self, partition: int) -> int:
        """Return the first offset of ``counts`` that is not counted."""
        shard = self.data.get(partition)
        return shard["offset"] if shard is not None else 0

    def marks(self, partition: int) -> list[Mark]:
        """Return the marks of the followed partition's records, newest first (see ``marks``)."""
        shard = self.data.get(partition)
        marks = shard.get("marks", []) if shard is not None else []
        return [mark for mark in marks if is_mark(mark)]

    def begin_again(self, topic: str, partition: int, offset: int) -> None:
        """Keep the counts, and count the records of ``topic`` again from ``offset`` on.

        The log of that partition was lost, and differs from there on.
        """
        shard = self.data.get(partition)
        if shard is None:
            return
        if topic == self.follows:
            shard = cut_off(shard, offset)
        if topic == self.counts:
            shard = shard.copy()
            shard["offset"] = min(offset, shard["offset"])
        self[partition] = shard

    def correct(self, partition: int, mail: str) -> bool:
        """Add a correction (see ``count_corrections``) once; return whether it was added now."""
        by, shard = from_mail(mail), self.data.get(partition)
        result = corrected(shard, by) if shard is not None and by is not None else None
        if result is None:
            return False
        self[partition] = result
        return True

    def copy_to_changelog(self, partition: int, metadata: str) -> None:
        """Write the committed metadata to the changelog, too. Nothing depends on its arrival.

        Delete the snapshots that it does not name: no later commit names them.
        """
        if not metadata or partition >= (self.partitions or 0):
            return
        sent = self.send_changelog(partition, partition, orjson.loads(metadata))
        if (snapshot := self._snapshots.get(partition)) is not None:
            sent.add_done_callback(partial(self._compare, partition, snapshot))
        named = reference_in(metadata)
        for key in self._keys[partition] - {named.key if named is not None else 0}:
            self._keys[partition].discard(key)
            self.send_changelog(partition, key, None, None, "raw")

    def _compare(
        self, partition: int, snapshot: Snapshot, copied: "asyncio.Future[RecordMetadata]"
    ) -> None:
        """Forget a snapshot that comes after its own copy: the changelog was created again."""
        if copied.cancelled() or copied.exception() is not None:
            return
        is_last = self._snapshots.get(partition) is snapshot
        if is_last and copied.result().offset <= snapshot.position:
            del self._snapshots[partition]
