"""Faust's consumer, with the places mended where it commits what is not safe, or waits for ever.

Faust 0.15.3 reads, seeks, acknowledges and commits from tasks that do not wait for each other.
Each override below names the fault that it closes; ``reading`` has those of reading.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from aiokafka.errors import KafkaError
from faust.types import TP, Message

from catdog_stream.fixes.changelog import ConfirmedTable
from catdog_stream.fixes.reading import ReadingConsumer

__all__ = ["Consumer"]

#: Seconds for answers in work when partitions are taken away or the worker stops.
DRAIN_SECONDS = 5.0
DRAIN_POLL_SECONDS = 0.01
#: Seconds for a commit at such a time.
COMMIT_SECONDS = 2.0


async def _nothing() -> None:
    pass


class Consumer(ReadingConsumer):
    """Reads exactly what was not committed, and commits nothing that is not safe."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: The generation in which something was handed back unanswered.
        self._handed_back: int | None = None
        #: Called when something in work is handed back unanswered.
        self.on_drain_timeout: Callable[[], Awaitable[object]] = _nothing

    # -- Acknowledging. A record that a stream skips during a rebalance is acknowledged by the
    # pure Python iterator as if it had been processed; and an acknowledgement that comes after
    # its partition was taken away belongs to nobody.

    def ack(self, message: Message) -> bool:
        return message.tracked and self.is_current(message) and super().ack(message)

    def is_current(self, message: Message) -> bool:
        """Whether answering and acknowledging ``message`` is ours, and passes over no other one.

        What was handed back unanswered comes again: nothing behind it may be answered before.
        """
        generation = message.generation_id
        return generation == self.app.consumer_generation_id and generation != self._handed_back

    def forget(self, message: Message) -> None:
        """Wait no longer for a message that will not be acknowledged."""
        self._unacked_messages.discard(message)

    # -- Draining. Faust waits without limit for what is in work when partitions are taken away or
    # the worker stops, and cannot be cancelled while it does: one answer that cannot be given
    # holds up the whole group.

    async def wait_empty(self) -> None:
        """Wait for what is in work to be acknowledged, but not for ever; then commit."""
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while self._unacked_messages:
                    await asyncio.sleep(DRAIN_POLL_SECONDS)
        if self._unacked_messages:
            self.log.warning(
                "%d requests could not be answered in %g s; handed back.",
                len(self._unacked_messages),
                DRAIN_SECONDS,
            )
            self._handed_back = self.app.consumer_generation_id
            self._unacked_messages.clear()
            await self.on_drain_timeout()
        await self._commit_if_possible()

    async def _commit_if_possible(self) -> None:
        with suppress(TimeoutError):  # what is not committed is delivered again, and known again
            async with asyncio.timeout(COMMIT_SECONDS):
                try:
                    await self.commit()
                except KafkaError:
                    self.log.exception("Not committed.")

    async def maybe_wait_for_commit_to_finish(self) -> bool:
        """Wait for the commit under way, if there is one; without cancelling it, as Faust would."""
        commit = self._commit_fut
        if commit is None:
            return False
        await asyncio.wait((commit,))
        return not commit.cancelled()

    # -- Committing. Faust flushes its producer before a commit, but the flush gives up after
    # 0.1 s and misses the change that is just being handed over. A table whose changelog lags
    # behind the committed offset has lost counts after a crash.

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Commit before Faust forgets what was acknowledged and is not yet committed."""
        await self._commit_if_possible()
        await super().on_partitions_revoked(revoked)

    async def _commit_tps(self, tps: Iterable[TP], start_new_transaction: bool) -> bool:
        acknowledged = [tp for tp in tps if self._acked[tp]]
        # A worker that was paused for a minute has lost its partitions and does not know it yet:
        # its counts must not overwrite those of its successor.
        if not acknowledged or not await self._consumer_thread.is_member():
            return False
        offsets = self._filter_committable_offsets(acknowledged)
        if not offsets:
            return False
        for table in self._confirmed_tables():
            table.send_changes()
        await self._tables_confirmed()
        return await self._commit_offsets(offsets, start_new_transaction=start_new_transaction)

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        """The end of each changelog, which recovery reads up to, with what we sent in it."""
        await self._tables_confirmed()
        return await super().highwaters(*partitions)

    async def _tables_confirmed(self) -> None:
        for table in self._confirmed_tables():
            await table.confirmed()

    def _confirmed_tables(self) -> list[ConfirmedTable]:
        return [table for table in self.app.tables.values() if isinstance(table, ConfirmedTable)]
