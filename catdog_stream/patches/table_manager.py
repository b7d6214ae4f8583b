"""Faust starts its tables without a second's sleep.

Fault (Faust 0.15.3): ``TableManager.on_start`` sleeps for a second before it looks which tables
there are, for tables that an agent might make while it starts. The worker joins its group only
after that.

Repair: no sleep. Every table of this application is made when its module is imported, long before;
one that is made later raises Faust's ``RuntimeError``. What recovers them is ``recovery``'s.
"""

from typing import cast

from faust.tables.manager import TableManager

from catdog_stream.patches.recovery import PersistentRecovery

__all__ = ["PromptTableManager"]


class PromptTableManager(TableManager):
    """A ``TableManager`` for tables that are all made before the worker starts."""

    async def on_start(self) -> None:
        """Start the tables and what recovers them."""
        await self._update_channels()
        await self.recovery.start()

    @property
    def recovery(self) -> PersistentRecovery:
        """What recovers the tables when partitions are assigned."""
        if self._recovery is None:
            self._recovery = PersistentRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return cast(PersistentRecovery, self._recovery)
