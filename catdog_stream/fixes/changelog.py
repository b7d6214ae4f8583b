"""A Faust table that writes its changelog when it matters and knows what Kafka has confirmed.

Faults (Faust 0.15): a table sends a record to its changelog for each change, a count for each
label; and it forgets what it has sent, so that a commit may outrun the changelog.

Repair: only the last value of each key is sent, once before each commit. A change that is lost
before that is made again, since what caused it was not committed; and whoever commits can wait.
"""

import asyncio
from typing import Any

import faust
from faust.types import FutureMessage

__all__ = ["ConfirmedTable"]


class ConfirmedTable(faust.Table[Any, Any]):
    """A table whose changes go out together, and can be waited for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Key to partition of the changelog and value.
        self._unsent: dict[Any, tuple[int | None, Any]] = {}
        self._unconfirmed: set[FutureMessage] = set()

    def on_key_set(self, key: Any, value: Any) -> None:
        """Note the change; Faust calls this inside of an agent."""
        self._unsent[key] = self.partition_for_key(key), value
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
        """Hand every change made so far over to the producer."""
        unsent, self._unsent = self._unsent, {}
        for key, (partition, value) in unsent.items():
            self.send_changelog(partition, key, value)

    async def confirmed(self) -> None:
        """Wait until Kafka has every change made so far.

        Raises:
            KafkaError: a change could not be written; the table is ahead of its changelog.
        """
        self.send_changes()
        changes = tuple(self._unconfirmed)
        if changes:
            await asyncio.wait(changes)  # unlike gather, it cancels none if it is cancelled itself
        for change in changes:
            change.result()
        self._unconfirmed.difference_update(changes)
