"""A Faust table that writes its changelog when it matters and knows what Kafka has confirmed.

Faults (Faust 0.15): a table sends a record to its changelog for each change, a count for each
label; and it forgets what it has sent, so that a commit may outrun the changelog.

Repair: only the latest value of each key is sent, once before each commit. A change that is lost
before that is made again, since what caused it was not committed; and whoever commits can wait.
A value is sent by the owner of its partition alone: what another worker has counted meanwhile is
not overwritten, and comes with the recovery if the partition comes back.
"""

import asyncio
from typing import Any

import faust
from faust.types import FutureMessage

__all__ = ["ConfirmedTable"]


class ConfirmedTable(faust.Table[Any, Any]):
    """A table, not windowed, whose changes go out together and can be waited for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Keys that have changed, with their partition of the changelog.
        self._unsent: dict[Any, int | None] = {}
        self._unconfirmed: set[FutureMessage] = set()

    def on_key_set(self, key: Any, value: Any) -> None:
        """Note the change; Faust calls this inside of an agent."""
        self._unsent[key] = self.partition_for_key(key)
        self._sensor_on_set(self, key, value)

    def on_key_del(self, key: Any) -> None:
        """Tell Kafka that the key is gone."""
        self._unsent.pop(key, None)
        super().on_key_del(key)

    def send_changelog(self, *args: Any, **kwargs: Any) -> FutureMessage:
        """Send one change; remembers it until Kafka has answered."""
        change = super().send_changelog(*args, **kwargs)
        self._unconfirmed.add(change)
        return change

    def send_changes(self) -> None:
        """Hand the changes in partitions that are ours over to the producer."""
        topic = self.changelog_topic_name
        ours = {tp.partition for tp in self.app.consumer.assignment() if tp.topic == topic}
        for key, partition in tuple(self._unsent.items()):
            if partition in ours:
                if key in self.data:  # recovery drops what went to others
                    self.send_changelog(partition, key, self.data[key])
                del self._unsent[key]

    async def confirmed(self) -> None:
        """Wait until Kafka has every change that was sent.

        Raises:
            KafkaError: a change could not be written; the table is ahead of its changelog.
        """
        changes = tuple(self._unconfirmed)
        if changes:
            await asyncio.wait(changes)  # unlike gather, it cancels none if it is cancelled itself
        for change in changes:
            change.result()
        self._unconfirmed.difference_update(changes)
