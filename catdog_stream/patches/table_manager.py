"""Patch: Faust starts its tables without sleeping for a second.

Fault (Faust 0.15.3): ``TableManager.on_start`` sleeps for a second before it reads the list of
tables, in case an agent creates tables at its start. The worker joins its group only after that.

Repair: no sleep. Every table of this application exists long before the worker starts; creating one
later raises Faust's ``RuntimeError``. ``recovery`` has the recovery of the tables.
"""

from typing import cast

from faust.tables.manager import TableManager

from catdog_stream.patches.recovery import PersistentRecovery

__all__ = ["PromptTableManager"]


class PromptTableManager(TableManager):
    """`TableManager` for tables that all exist before the worker starts."""

    async def on_start(self) -> None:
        """Start the tables and their recovery."""
        await self._update_channels()
        await self.recovery.start()

    @property
    def recovery(self) -> PersistentRecovery:
        """Service that recovers the tables when partitions are assigned."""
        if self._recovery is None:
            self._recovery = PersistentRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return cast(PersistentRecovery, self._recovery)
