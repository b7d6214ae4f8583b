"""Faust's consumer, with the places mended where it loses records.

Faust 0.15.3 reads, seeks, acknowledges and commits from tasks that do not wait for each other.
Each override below names the fault that it closes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import Any, cast

from faust.transport.drivers.aiokafka import Consumer as FaustConsumer
from faust.transport.drivers.aiokafka import ensure_aiokafka_TPset
from faust.types import TP, Message

from catdog_stream.fixes.changelog import ConfirmedTable
from catdog_stream.fixes.fetching import RationedConsumerThread

__all__ = ["Consumer"]

#: Seconds that one fetch may wait for records. Faust asks for 1.0, and a seek has to wait for the
#: fetch in progress. (With no partition to read Faust sleeps a whole second instead.)
MAX_FETCH_WAIT = 0.2

#: Seconds for answers in work when partitions are taken away or the worker stops.
DRAIN_SECONDS = 5.0
DRAIN_POLL_SECONDS = 0.01
#: Seconds for a commit at such a time.
COMMIT_SECONDS = 2.0


async def _nothing() -> None:
    pass


class Consumer(FaustConsumer):
    """Reads exactly what was not committed, and commits nothing that is not safe."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._parked = asyncio.Event()
        self._parked.set()
        self._stops = 0
        #: Called when something in work is handed back unanswered.
        self.on_drain_timeout: Callable[[], Awaitable[object]] = _nothing

    def _new_consumer_thread(self) -> RationedConsumerThread:
        return RationedConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def be_patient_with(self, topics: Collection[str]) -> None:
        """Look into ``topics`` only a few times a second."""
        cast(RationedConsumerThread, self._thread).patient_topics = topics

    # -- Seeking. Records that were fetched before a seek reach the stream after it: Faust then
    # drops what the seek goes back to as "already read", and commits past it. Seen after each
    # restart with a backlog, as soon as the application has a table, because
    # Recovery.on_recovery_completed resumes the partitions before it seeks. Here a seek first
    # brings the reading task to a halt, and whatever it had fetched is thrown away.

    def stop_flow(self) -> None:
        self._stops += 1
        super().stop_flow()

    async def perform_seek(self) -> None:
        """Go back to the committed offsets, with nothing fetched in between.

        Where nothing was committed yet aiokafka does not seek at all: what was fetched and
        thrown away would never be read. There it is the beginning.
        """
        await self._halt()
        await super().perform_seek()
        if self.app.conf.consumer_auto_offset_reset == "earliest":
            fresh = ensure_aiokafka_TPset(tp for tp in self.assignment() if self._is_fresh(tp))
            if fresh:
                await self._thread.seek_to_beginning(*fresh)

    def _is_fresh(self, tp: TP) -> bool:
        return self.app.topics.acks_enabled_for(tp.topic) and not self._read_offset[tp]

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Go to where a changelog is to be read from, with nothing fetched in between."""
        await self._halt()
        await super().seek_wait(partitions)

    async def _halt(self) -> None:
        self.stop_flow()  # Recovery, which seeks, resumes it afterwards
        await self._parked.wait()

    async def _drain_messages(self, fetcher: Any) -> None:
        self._parked.clear()
        try:
            await super()._drain_messages(fetcher)
        finally:
            self._parked.set()

    async def _wait_next_records(self, timeout: float) -> Any:
        while not self.should_stop:
            if not self.flow_active:
                self._parked.set()
                try:
                    await self.wait(self.can_resume_flow)  # type: ignore[arg-type]  # mode takes both
                finally:
                    self._parked.clear()
            # Nothing may be awaited between the comparison below and what Consumer.getmany does
            # with the records: it would seek itself if the flow had stopped meanwhile, and wait
            # for ever for the reading task, which it is.
            stops = self._stops
            records, active = await super()._wait_next_records(min(timeout, MAX_FETCH_WAIT))
            if stops == self._stops:
                return records, active
        return None, None

    # -- Acknowledging. A record that a stream skips during a rebalance is acknowledged by the
    # pure Python iterator as if it had been processed; and an acknowledgement that comes after
    # its partition was taken away belongs to nobody.

    def ack(self, message: Message) -> bool:
        if not message.tracked or message.generation_id != self.app.consumer_generation_id:
            return False
        return super().ack(message)

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
            self._unacked_messages.clear()
            await self.on_drain_timeout()
        await self._commit_if_possible()

    async def _commit_if_possible(self) -> None:
        with suppress(TimeoutError):  # what is not committed is delivered again, and known again
            async with asyncio.timeout(COMMIT_SECONDS):
                await self.commit()

    # -- Committing. Faust flushes its producer before a commit, but the flush gives up after
    # 0.1 s and misses the change that is just being handed over. A table whose changelog lags
    # behind the committed offset has lost counts after a crash.

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Commit before Faust forgets what was acknowledged and is not yet committed."""
        await self._commit_if_possible()
        for table in self._confirmed_tables():
            table.send_changes()  # what comes after this may belong to others
        await super().on_partitions_revoked(revoked)

    async def _commit_tps(self, tps: Iterable[TP], start_new_transaction: bool) -> bool:
        offsets = self._filter_committable_offsets(tps)
        if not offsets:
            return False
        await self._tables_confirmed()
        return await self._commit_offsets(offsets, start_new_transaction=start_new_transaction)

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        """The end of each changelog, which recovery reads up to, with our own changes in it."""
        await self._tables_confirmed()
        return await super().highwaters(*partitions)

    async def _tables_confirmed(self) -> None:
        for table in self._confirmed_tables():
            await table.confirmed()

    def _confirmed_tables(self) -> list[ConfirmedTable]:
        return [table for table in self.app.tables.values() if isinstance(table, ConfirmedTable)]
