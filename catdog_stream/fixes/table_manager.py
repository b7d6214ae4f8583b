"""Faust starts its tables without a second's sleep.

Fault (Faust 0.15.3): ``TableManager.on_start`` sleeps for a second before it looks which tables
there are, for tables that an agent might make while it starts. The worker joins its group only
after that.

Repair: no sleep. Every table of this application is made when its module is imported, long before;
one that is made later raises Faust's ``RuntimeError``.
"""

from faust.tables.manager import TableManager

__all__ = ["PromptTableManager"]


class PromptTableManager(TableManager):
    """A ``TableManager`` for tables that are all made before the worker starts."""

    async def on_start(self) -> None:
        """Start the tables and what recovers them."""
        await self._update_channels()
        await self.recovery.start()
