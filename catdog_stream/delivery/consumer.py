"""Faust's consumer, with the places mended where it commits what is not safe, or waits for ever.

Faust 0.15.3 reads, seeks, acknowledges and commits from tasks that do not wait for each other.
Each override below names the fault that it closes; ``reading`` has those of reading.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata
from faust.types import TP, Message
from faust.types.transports import TPorTopicSet
from mode.utils.futures import notify

from catdog_stream import deadlines
from catdog_stream.delivery.committed_table import CommittedTable
from catdog_stream.delivery.lost_history import positions
from catdog_stream.delivery.metadata_limit import is_large_enough
from catdog_stream.delivery.reading import ReadingConsumer, raise_
from catdog_stream.delivery.sends import UnconfirmedSends
from catdog_stream.delivery.suspects import Suspects
from catdog_stream.errors import BrokerError
from catdog_stream.kafka.config import ClusterConfig

__all__ = ["Consumer"]

DRAIN_POLL_SECONDS = 0.01


async def _nothing() -> None:
    pass


def _metadata(tables: Mapping[str, CommittedTable], tp: TP) -> str:
    return tables[tp.topic].metadata(tp.partition) if tp.topic in tables else ""


class Consumer(ReadingConsumer):
    """Reads exactly what was not committed, and commits nothing that is not safe."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Partitions whose counts were corrected, or offsets set back, since the last commit.
        self._corrected: set[TP] = set()
        #: The generation whose partitions were taken over: it reads on from what was committed.
        self._taken_over: int | None = None
        #: The generation in which something was handed back unanswered.
        self._handed_back: int | None = None
        #: Whether Kafka takes the counts, however many they become.
        self._metadata_fits = False
        #: Where what was committed is compared with the logs; nowhere without it.
        self.cluster: ClusterConfig | None = None
        #: Requests that may have ended workers.
        self.suspects = Suspects()
        #: Whether this worker ends, or gives partitions back, in good order.
        self.in_good_order: Callable[[], bool] = lambda: True
        #: How many are in work that are waited for when partitions move.
        self.in_work: Callable[[], int] = lambda: len(self._unacked_messages)
        #: Called when this worker cannot go on.
        self.on_unusable: Callable[[BrokerError], object] = raise_
        #: Called when something in work is handed back unanswered.
        self.on_drain_timeout: Callable[[], Awaitable[object]] = _nothing
        #: Sends of agents that a commit must wait for.
        self.sends = UnconfirmedSends()

    # -- Acknowledging. An acknowledgement that comes after its partition was taken away belongs to
    # nobody. Faust keeps each acknowledged offset and looks for gaps between them, one at a commit:
    # behind a topic with the marks of transactions in it the committed offset stayed hundreds of
    # records behind.

    def ack(self, message: Message) -> bool:
        if message.acked or not message.tracked or not self.is_current(message):
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        if (tracker := self._trackers.get(message.tp)) is not None:
            tracker.acknowledge(message.offset)
        notify(self._waiting_for_ack)
        return True

    def acknowledge_before(self, message: Message) -> None:
        """Acknowledge every record of its partition in front of ``message``."""
        tracker = self._trackers.get(message.tp)
        if tracker is not None and self.is_current(message):
            tracker.acknowledge_before(message.offset)

    def is_current(self, message: Message) -> bool:
        """Whether answering and acknowledging ``message`` is ours, and passes over no other one.

        What was handed back unanswered comes again: nothing behind it may be answered before.
        """
        generation = message.generation_id
        return self._has_taken_over(generation) and generation != self._handed_back

    def _has_taken_over(self, generation: int | None) -> bool:
        return generation == self._taken_over == self.app.consumer_generation_id

    async def is_member(self) -> bool:
        """Whether the group counts on this worker. It is asked only after a silence.

        Whoever was stopped, or cut off, and goes on may have lost its partitions without knowing.
        """
        thread = self._consumer_thread
        return thread.surely_member() or await thread.is_member()

    def forget(self, message: Message) -> None:
        """Wait no longer for a message that will not be acknowledged."""
        self._unacked_messages.discard(message)

    # -- Draining. Faust waits without limit for what is in work when partitions are taken away or
    # the worker stops, and cannot be cancelled while it does: one answer that cannot be given
    # holds up the whole group.

    async def wait_empty(self) -> None:
        """Wait for what is in work to be acknowledged, but not for ever; then commit."""
        with suppress(TimeoutError):
            async with asyncio.timeout(deadlines.DRAIN):
                while self.in_work():
                    await asyncio.sleep(DRAIN_POLL_SECONDS)
        if left := self.in_work():
            self.log.warning(
                "%d requests could not be answered in %g s; handed back.",
                left,
                deadlines.DRAIN,
            )
            self._handed_back = self.app.consumer_generation_id
            self._unacked_messages.clear()
            await self.on_drain_timeout()
        await self._commit_if_possible()

    async def _commit_if_possible(self) -> None:
        if self.in_good_order():
            self.suspects.release()
        with suppress(TimeoutError):  # what is not committed is delivered again, and known again
            async with asyncio.timeout(deadlines.LAST_COMMIT):
                try:
                    # To Faust a commit that is under way is as good as this one; it is older.
                    await self.maybe_wait_for_commit_to_finish()
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

    # -- Committing. Offsets and what was counted up to them are one write, made in the name of the
    # generation that they belong to: the coordinator refuses it from whoever has lost the
    # partition, and Faust's own commit, which is tried again after the group was joined anew, would
    # carry old values into a new generation. Faust also takes a commit that failed for done, and
    # commits while its tables are still being recovered: offsets that are right, beside counts that
    # are not yet. Here nothing is committed of partitions that were not taken over.

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Commit before Faust forgets what was acknowledged and is not yet committed."""
        await self._commit_if_possible()
        await super().on_partitions_revoked(revoked)
        self._taken_over = None

    def _filter_tps_with_pending_acks(self, topics: TPorTopicSet | None = None) -> Iterator[TP]:
        known = self._trackers.keys() | self._read_to.keys() | self._corrected
        known |= self.suspects.unwritten
        return (tp for tp in known if not topics or tp in topics or tp.topic in topics)

    def _committable(self, tp: TP) -> int:
        """Return the offset before which nothing is left to do; 0 where that is not known.

        Where all records are acknowledged that is where reading is: a transaction ends with a mark
        that is no record, and whoever watches the lag would see one that never goes away.
        """
        tracker = self._trackers.get(tp)
        if tracker is None:
            return self._read_to.get(tp, 0)
        if tracker.is_idle:
            return max(tracker.committable, self._read_to.get(tp, 0))
        return tracker.committable

    async def _commit_tps(
        self,
        tps: Iterable[TP],
        start_new_transaction: bool,  # noqa: ARG002 - there are none
    ) -> bool:
        generation = self.app.consumer_generation_id
        if not self._has_taken_over(generation):
            return False
        offsets = self._commit_of(tps)
        if not await self._sends_are_confirmed(wait=bool(offsets)) or not offsets:
            return False
        corrected = self._corrected & offsets.keys()
        self._corrected -= corrected  # more may come while this is on its way
        committed = await self._consumer_thread.commit_as(generation, offsets)
        if committed:
            ends = {tp: offset for tp, (offset, _) in offsets.items()}
            self._committed_offset.update(ends)
            self.suspects.note_committed(ends)
            tables = self._committed_tables()
            for tp in ends:
                if tp.topic in tables:
                    tables[tp.topic].copy_to_changelog(tp.partition)
            self.app.tables.on_commit(ends)
        else:
            self._corrected |= corrected
        return committed

    def _commit_of(self, tps: Iterable[TP]) -> dict[TP, tuple[int, str]]:
        """Return what there is to commit: offsets, and the counts up to them, of one moment."""
        ends = {tp: self._committable(tp) for tp in tps}
        before = {tp: self._committed_offset[tp] or 0 for tp in ends}
        marked = self._corrected | self.suspects.unwritten
        news = [tp for tp, end in ends.items() if end > before[tp] or tp in marked]
        assignment = self.assignment() if news else ()
        tables = self._committed_tables()
        return {
            tp: (offset, self.suspects.marked(tp, offset, _metadata(tables, tp)))
            for tp in news
            if tp in assignment
            for offset in [max(ends[tp], before[tp])]
        }

    async def _sends_are_confirmed(self, *, wait: bool) -> bool:
        """Return ``False`` where a send of an agent has failed: nothing may be committed then."""
        try:
            if wait:
                await self.sends.confirmed()
            else:
                self.sends.check()
        except BrokerError as error:
            self.on_unusable(error)
            return False
        return True

    async def perform_seek(self) -> None:
        """Take over the partitions: go to the committed offsets, and to what was counted then."""
        self._taken_over, generation = None, self.app.consumer_generation_id
        committed = await self.go_to_committed()
        self._corrected.clear()
        for topic, table in self._committed_tables().items():
            for tp, (_, metadata) in committed.items():
                if tp.topic == topic:
                    table.restore(tp.partition, metadata)
        if self.cluster is not None:
            await self._follow_history(self.cluster, committed)
            await self._check_metadata_limit(generation)
        as_found = {
            tp: at for tp, at in committed.items() if self._committed_offset.get(tp) == at.offset
        }
        self.suspects.take_over(as_found)  # in a log that began again they are other requests
        self._taken_over = generation

    async def _follow_history(
        self, cluster: ClusterConfig, committed: Mapping[TP, OffsetAndMetadata]
    ) -> None:
        """Read from elsewhere, and commit that, where offsets or logs were lost."""
        ours, tables = self._acknowledged_partitions(), self._committed_tables()
        begun_again, self._begun_again = self._begun_again, set()
        moved = await positions(cluster, self.app.conf.id, ours, committed, tables, begun_again)
        for tp, offset in moved.items():
            await self.seek(tp, offset)
        self._committed_offset.update(moved)
        self._corrected.update(moved)

    async def _check_metadata_limit(self, generation: int) -> None:
        """End the worker before its first request where Kafka would not take its counts."""
        if self._metadata_fits:
            return
        ours, tables = self._acknowledged_partitions(), self._committed_tables()
        try:
            self._metadata_fits = await is_large_enough(
                self._consumer_thread, generation, ours, tables
            )
        except BrokerError as error:
            self.on_unusable(error)
            await asyncio.Event().wait()  # until the worker has stopped

    async def correct_counts(self) -> None:
        """Add what a recount has found for the partitions of this worker. Raises ``KafkaError``."""
        generation = self.app.consumer_generation_id
        tables = self._committed_tables()
        ours = [tp for tp in self.assignment() if tp.topic in tables]
        mails = await self._consumer_thread.mails(ours)
        if not self._has_taken_over(generation):
            return  # what was restored meanwhile is looked at the next time
        for tp, mail in mails.items():
            if tables[tp.topic].correct(tp.partition, mail):
                self._corrected.add(tp)

    def end_of(self, topic: str, partition: int) -> float:
        """The end of a partition as of the last look; infinity where it is not this worker's."""
        end = self._consumer_thread.stable_end(TP(topic, partition))
        return math.inf if end is None else end

    async def work_waits(self, topic: str) -> bool:
        """Whether records of ``topic`` wait to be read. It asks the consumer's thread."""
        return await self._consumer_thread.work_waits(topic)

    def _committed_tables(self) -> Mapping[str, CommittedTable]:
        """The tables whose values are committed, by the topic that they follow."""
        tables = self.app.tables.values()
        return {table.follows: table for table in tables if isinstance(table, CommittedTable)}
