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

from catdog_stream.delivery.correcting import corrected, from_mail
from catdog_stream.delivery.counting import Shard, from_metadata, to_metadata

__all__ = ["CommittedTable"]


class CommittedTable(faust.Table[int, Shard]):
    """A table with one value for each partition of a topic, by the partition's number.

    Args:
        follows: the topic. What is not given Faust's way is Faust's.
    """

    def __init__(self, *args: Any, follows: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.follows = follows

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
