"""Faust table whose values are committed together with the offsets.

Fault (Faust 0.15): a table's changelog and the offsets that belong to it are two writes. If a
worker is cut off while a change is in transit, its write may arrive after that of its successor.
Kafka does not refuse it, and the table has lost the counts in between for good.

Repair: the value of a partition is written as the metadata of that partition's commit (see
``consumer``), which Kafka accepts from the partition's owner only. The changelog receives a copy
after each commit. The copy is read if no offset is committed: Kafka deletes the offsets of a group
that has had no member for a week (``offsets.retention.minutes``).
"""

from typing import Any

import faust

from catdog_stream.delivery.count_corrections import corrected, from_mail
from catdog_stream.delivery.counting import Shard, cut_off, from_metadata, to_metadata
from catdog_stream.delivery.marks import Mark, is_mark

__all__ = ["CommittedTable"]


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

    def partition_for_key(self, key: int) -> int:
        """Return the key itself; Faust would return the partition of the agent's current record."""
        return key

    def on_key_set(self, key: int, value: Shard) -> None:
        """Write nothing yet: the next commit writes the value."""
        self._sensor_on_set(self, key, value)

    def metadata(self, partition: int) -> str:
        """Return the metadata to commit with the partition's offset."""
        shard = self.data.get(partition)
        return to_metadata(shard) if shard is not None else ""

    def restore(self, partition: int, metadata: str) -> None:
        """Restore the committed value; without one, keep the value from the changelog."""
        shard = from_metadata(metadata)
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

    def copy_to_changelog(self, partition: int) -> None:
        """Write the committed value to the changelog, too. Nothing depends on its arrival."""
        shard = self.data.get(partition)
        if shard is not None and partition < (self.partitions or 0):
            self.send_changelog(partition, partition, shard)
