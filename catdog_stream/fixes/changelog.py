"""A Faust table that knows which of its changes Kafka has confirmed."""

import asyncio
from typing import Any

import faust
from faust.types import FutureMessage

__all__ = ["ConfirmedTable"]


class ConfirmedTable(faust.Table[Any, Any]):
    """Faust sends changes to the changelog and forgets them; here they can be waited for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unconfirmed: set[FutureMessage] = set()

    def send_changelog(self, *args: Any, **kwargs: Any) -> FutureMessage:
        """Send one change; remembers it until Kafka has answered."""
        change = super().send_changelog(*args, **kwargs)
        self._unconfirmed.add(change)
        return change

    async def confirmed(self) -> None:
        """Wait until Kafka has every change made so far.

        Raises:
            KafkaError: a change could not be written; the table is ahead of its changelog.
        """
        changes = tuple(self._unconfirmed)
        if changes:
            await asyncio.wait(changes)  # unlike gather, it cancels none if it is cancelled itself
        for change in changes:
            change.result()
        self._unconfirmed.difference_update(changes)
