"""A Faust table whose values travel with the committed offsets.

Fault (Faust 0.15): a table's changelog and the offsets that it belongs to are two writes. A worker
that is cut off while a change is on the wire has it arrive after its successor's, for nothing in
Kafka refuses it, and the table has lost what was counted in between for good.

Repair: the value of a partition goes out as the metadata of that partition's commit (see
``consumer``), which Kafka takes from the partition's owner alone. The changelog gets a copy after
each commit. It is read where no offset is committed: Kafka forgets those of a group that has had no
member for a week (``offsets.retention.minutes``).
"""

from typing import Any

import faust

from catdog_stream.delivery.count_corrections import corrected, from_mail
from catdog_stream.delivery.counting import Shard, cut_off, from_metadata, to_metadata
from catdog_stream.delivery.marks import Mark, is_mark

__all__ = ["CommittedTable"]


class CommittedTable(faust.Table[int, Shard]):
    """A table with one value for each partition of a topic, by the partition's number.

    Args:
        follows: the topic. What is not given Faust's way is Faust's.
        counts: the topic whose records the values count, and whose offsets they name; a jury
            follows votes, and counts requests. By default the topic that the table follows.
    """

    def __init__(self, *args: Any, follows: str = "", counts: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.follows = follows
        self.counts = counts or follows

    def partition_for_key(self, key: int) -> int:
        """Return the partition itself; Faust takes that of the record that an agent is at."""
        return key

    def on_key_set(self, key: int, value: Shard) -> None:
        """Write nothing yet: the value goes out with the next commit."""
        self._sensor_on_set(self, key, value)

    def metadata(self, partition: int) -> str:
        """What is to be committed with the partition's offset."""
        shard = self.data.get(partition)
        return to_metadata(shard) if shard is not None else ""

    def restore(self, partition: int, metadata: str) -> None:
        """Go back to what was committed; without that, to what the changelog has told."""
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
        """Keep the counts, and count what comes in ``topic`` from ``offset`` on.

        The log of that partition is another one from there: it was lost.
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
        """Add what a recount found (see ``correcting``), once. Whether it was added now."""
        by, shard = from_mail(mail), self.data.get(partition)
        result = corrected(shard, by) if shard is not None and by is not None else None
        if result is None:
            return False
        self[partition] = result
        return True

    def copy_to_changelog(self, partition: int) -> None:
        """Have the changelog know what was committed. Nothing depends on its arrival."""
        shard = self.data.get(partition)
        if shard is not None and partition < (self.partitions or 0):
            self.send_changelog(partition, partition, shard)
