"""Faust's consumer, repaired where it commits too early or waits without limit.

Faust 0.15.3 reads, seeks, acknowledges and commits from tasks that do not wait for each other. Each
override below names the fault that it closes; ``reading`` has the overrides for reading.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, NoReturn

from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata
from faust.exceptions import ProducerSendError
from faust.types import TP, Message
from faust.types.transports import TPorTopicSet
from mode.utils.futures import notify

from catdog_stream import deadlines
from catdog_stream.delivery.committed_table import CommittedTable
from catdog_stream.delivery.count_snapshots import Snapshot, read_snapshots
from catdog_stream.delivery.counting import Shard
from catdog_stream.delivery.lost_history import positions
from catdog_stream.delivery.metadata_limit import is_large_enough
from catdog_stream.delivery.reading import ReadingConsumer, raise_
from catdog_stream.delivery.sends import UnconfirmedSends
from catdog_stream.delivery.suspects import Suspects
from catdog_stream.errors import BrokerError, Refusal
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.explanations import Access, broker_error
from catdog_stream.metrics import count_broker_error

__all__ = ["Consumer"]

DRAIN_POLL_SECONDS = 0.01


async def _nothing() -> None:
    pass


class Consumer(ReadingConsumer):
    """Consumer that reads exactly the uncommitted records, and commits only finished ones."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Partitions whose counts were corrected, or offsets set back, since the last commit.
        self._corrected: set[TP] = set()
        #: Generation whose partitions were taken over: it continues at the committed offsets.
        self._taken_over: int | None = None
        #: Generation in which requests were released unanswered.
        self._handed_back: int | None = None
        #: True once Kafka is known to accept counts of the largest size.
        self._metadata_fits = False
        #: Cluster that holds the committed state and the logs; ``None`` compares and reads nothing.
        self.cluster: ClusterConfig | None = None
        #: Requests that may have ended workers.
        self.suspects = Suspects()
        #: Returns true if this worker ends, or releases partitions, in good order.
        self.in_good_order: Callable[[], bool] = lambda: True
        #: Returns the number of requests in progress that a rebalance waits for.
        self.in_work: Callable[[], int] = lambda: len(self._unacked_messages)
        #: Called when this worker cannot continue.
        self.on_unusable: Callable[[BrokerError], object] = raise_
        #: Called when requests in progress are released unanswered.
        self.on_drain_timeout: Callable[[], Awaitable[object]] = _nothing
        #: Sends of agents that a commit waits for.
        self.sends = UnconfirmedSends()

    # -- Acknowledging. An acknowledgement that arrives after its partition was revoked is ignored.
    # Faust keeps each acknowledged offset and looks for one gap between them per commit: on a topic
    # with transaction markers the committed offset lagged hundreds of records behind.

    def ack(self, message: Message) -> bool:
        """Acknowledge a record; see Faust's ``ack``."""
        if message.acked or not message.tracked or not self.is_current(message):
            return False
        message.acked = True
        self.forget(message)
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
        """Return whether answering and acknowledging ``message`` is this worker's task now.

        Requests that were released unanswered are delivered again. Nothing behind them may be
        answered before.
        """
        generation = message.generation_id
        return self._has_taken_over(generation) and generation != self._handed_back

    def _has_taken_over(self, generation: int | None) -> bool:
        return generation == self._taken_over == self.app.consumer_generation_id

    async def is_member(self) -> bool:
        """Return whether the group counts on this worker. Ask the group only after a silence.

        A worker that was stopped, or cut off, and then continues may have lost its partitions
        without knowing.
        """
        thread = self._consumer_thread
        return thread.surely_member() or await thread.is_member()

    def forget(self, message: Message) -> None:
        """Stop waiting for a message that will not be acknowledged."""
        self._unacked_messages.discard(message)
        if self._budget is not None:
            self._budget.release(message.tp, message.offset)

    # -- Pausing. Each rebalance pauses all partitions and resumes them at its end, also those that
    # were paused here. A paused partition counts as one whose stream's queue is full: if Faust left
    # it out for another cause, it would silently drop the records that are fetched already.

    def pause(self, tp: TP) -> None:
        """Deliver no more records of a partition, until ``resume`` or the next rebalance."""
        if self._has_taken_over(self.app.consumer_generation_id):
            self._get_active_partitions().discard(tp)
            self._buffered_partitions.add(tp)
            self._paused_partitions.add(tp)

    def resume(self, tp: TP) -> None:
        """Deliver the records of a partition again that ``pause`` has paused."""
        if self._has_taken_over(self.app.consumer_generation_id) and tp in self._paused_partitions:
            self._paused_partitions.discard(tp)
            self.on_buffer_drop(tp)

    def on_buffer_drop(self, tp: TP) -> None:
        """Read a partition again, unless it is paused, once the stream's queue has room."""
        if tp not in self._paused_partitions:
            super().on_buffer_drop(tp)

    # -- Draining. Faust waits without limit for requests in progress when partitions are revoked or
    # the worker stops, and cannot be cancelled meanwhile: one answer that cannot be given blocks
    # the whole group.

    async def wait_empty(self) -> None:
        """Wait until requests in progress are acknowledged, with a time limit; then commit."""
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
        with suppress(TimeoutError):  # uncommitted records are delivered again, and recognized
            async with asyncio.timeout(deadlines.LAST_COMMIT):
                try:
                    # Faust would skip this commit during another one, which is older.
                    await self.maybe_wait_for_commit_to_finish()
                    await self.commit()
                except KafkaError:
                    self.log.exception("Not committed.")

    async def maybe_wait_for_commit_to_finish(self) -> bool:
        """Wait for the commit in progress, if any, without cancelling it as Faust would."""
        commit = self._commit_fut
        if commit is None:
            return False
        await asyncio.wait((commit,))
        return not commit.cancelled()

    # -- Committing. Offsets and the counts up to them are one write, in the name of the generation
    # that they belong to: the coordinator refuses it from a worker that has lost the partition.
    # Faust's own commit is retried after the group was joined again, and would carry old values
    # into a new generation. Faust also treats a failed commit as done, and commits while its tables
    # are still recovering: the offsets are right, but the counts are not yet. Here nothing is
    # committed for partitions that were not taken over.

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Commit before Faust drops the acknowledged offsets that are not committed yet."""
        await self._commit_if_possible()
        await super().on_partitions_revoked(revoked)
        self._taken_over = None

    def _filter_tps_with_pending_acks(self, topics: TPorTopicSet | None = None) -> Iterator[TP]:
        known = self._trackers.keys() | self._read_to.keys() | self._corrected
        known |= self.suspects.unwritten
        return (tp for tp in known if not topics or tp in topics or tp.topic in topics)

    def _committable(self, tp: TP) -> int | None:
        """Return the offset in front of which everything is done; ``None`` if it is unknown.

        It is unknown where nothing was read, and where Faust has forgotten the committed offset,
        as it does when a partition is revoked.

        If all records are acknowledged, this is the reading position: a transaction ends with a
        marker that is no record, and without this a lag would remain visible forever.
        """
        tracker = self._trackers.get(tp)
        done = [self._committed_offset[tp], None if tracker is None else tracker.committable]
        if tracker is None or tracker.is_idle:
            done.append(self._read_to.get(tp))
        return max((offset for offset in done if offset is not None), default=None)

    async def _commit_tps(
        self,
        tps: Iterable[TP],
        start_new_transaction: bool,  # noqa: ARG002 - there are no transactions
    ) -> bool:
        generation = self.app.consumer_generation_id
        if not self._has_taken_over(generation):
            return False
        states = self._committable_states(tps)
        corrected = self._corrected & states.keys()
        self._corrected -= corrected  # more may be added during the commit
        done: set[TP] = set()
        try:
            if states and await self._sends_are_confirmed(wait=True):
                done |= await self._commit_states(generation, states)
            elif not states:
                await self._sends_are_confirmed(wait=False)
        finally:
            self._corrected |= corrected - done
        return bool(done)

    async def _commit_states(
        self, generation: int, states: Mapping[TP, tuple[int, str | Shard]]
    ) -> set[TP]:
        """Commit what is ready, then what needs a snapshot first; return what is committed.

        A partition whose snapshot cannot be written now is left out: the next commit includes it.
        """
        texts = {tp: state for tp, (_, state) in states.items() if isinstance(state, str)}
        large = {tp: state for tp, (_, state) in states.items() if not isinstance(state, str)}
        done = await self._commit_texts(generation, states, texts)
        if large:
            found = await asyncio.gather(*(self._snapshot(tp, large[tp]) for tp in large))
            named = {tp: text for tp, text in zip(large, found, strict=True) if text is not None}
            done |= await self._commit_texts(generation, states, named)
        return done

    async def _snapshot(self, tp: TP, shard: Shard) -> str | None:
        """Return the metadata that names a snapshot of the counts; ``None`` without one."""
        table = self._committed_tables()[tp.topic]
        try:
            async with asyncio.timeout(deadlines.PRODUCE):
                return await table.write_snapshot(tp.partition, shard)
        except (KafkaError, ProducerSendError, TimeoutError) as error:
            count_broker_error("commit")
            self.log.warning("The counts of %s/%d are not written yet: %r.", *tp, error)
            if self.cluster is not None:
                cause = error.__cause__ if isinstance(error, ProducerSendError) else error
                changelog = Access.topic("Write", table.changelog_topic_name)
                refused = broker_error(cause or error, self.cluster, changelog)
                if refused.refusal is not Refusal.PASSING:
                    self.on_unusable(refused)
            return None

    async def _commit_texts(
        self,
        generation: int,
        states: Mapping[TP, tuple[int, str | Shard]],
        texts: Mapping[TP, str],
    ) -> set[TP]:
        """Commit the partitions of ``texts``, with marks of suspects; return them if accepted."""
        offsets = {
            tp: (states[tp][0], self.suspects.marked(tp, states[tp][0], text))
            for tp, text in texts.items()
        }
        if not offsets or not await self._consumer_thread.commit_as(generation, offsets):
            return set()
        ends = {tp: offset for tp, (offset, _) in offsets.items()}
        self._committed_offset.update(ends)
        self.suspects.note_committed(ends)
        tables = self._committed_tables()
        for tp in ends:
            if tp.topic in tables:
                tables[tp.topic].copy_to_changelog(tp.partition, texts[tp])
        self.app.tables.on_commit(ends)
        return set(ends)

    def _committable_states(self, tps: Iterable[TP]) -> dict[TP, tuple[int, str | Shard]]:
        """Return what can be committed: offsets, and the counts up to them, of the same moment.

        The counts are text, or still a shard if they need a snapshot first.
        """
        # Where the place is unknown, 0 would have everything answered again.
        ends = {tp: end for tp in tps if (end := self._committable(tp)) is not None}
        marked = self._corrected | self.suspects.unwritten
        changed = [
            tp
            for tp, end in ends.items()
            if end > (self._committed_offset[tp] or 0) or tp in marked
        ]
        assignment = self.assignment() if changed else ()
        tables = self._committed_tables()
        return {
            tp: (ends[tp], tables[tp.topic].to_commit(tp.partition) if tp.topic in tables else "")
            for tp in changed
            if tp in assignment
        }

    async def _sends_are_confirmed(self, *, wait: bool) -> bool:
        """Return ``False`` if a send of an agent has failed: then nothing may be committed."""
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
        """Take over the partitions: seek to the committed offsets and restore their counts."""
        self._taken_over, generation = None, self.app.consumer_generation_id
        committed = await self.go_to_committed()
        self._corrected.clear()
        async with asyncio.timeout(deadlines.SNAPSHOTS):  # then the recovery starts again
            for table in self._committed_tables().values():
                await self._restore(table, committed)
        if self.cluster is not None:
            await self._follow_history(self.cluster, committed)
            await self._check_metadata_limit(generation)
        as_found = {
            tp: at for tp, at in committed.items() if self._committed_offset.get(tp) == at.offset
        }
        self.suspects.take_over(as_found)  # in a new log the offsets are other requests
        self._taken_over = generation

    async def _restore(
        self, table: CommittedTable, committed: Mapping[TP, OffsetAndMetadata]
    ) -> None:
        ours = (tp for tp in self._acknowledged_partitions() if tp.topic == table.follows)
        texts = {tp.partition: committed[tp].metadata if tp in committed else "" for tp in ours}
        references = table.references(texts)
        snapshots: Mapping[int, Snapshot] = {}
        if references and self.cluster is not None:
            changelog = table.changelog_topic_name
            try:
                snapshots = await read_snapshots(self.cluster, changelog, references)
            except BrokerError as error:
                if error.refusal is not Refusal.PASSING:
                    await self._end(error)
                raise TimeoutError(str(error)) from error  # the recovery starts again
        for partition, text in texts.items():
            table.restore(partition, text, references.get(partition), snapshots.get(partition))

    async def _follow_history(
        self, cluster: ClusterConfig, committed: Mapping[TP, OffsetAndMetadata]
    ) -> None:
        """Seek to other offsets, and commit them, where offsets or logs were lost."""
        ours, tables = self._acknowledged_partitions(), self._committed_tables()
        begun_again, self._begun_again = self._begun_again, set()
        moved = await positions(cluster, self.app.conf.id, ours, committed, tables, begun_again)
        for tp, offset in moved.items():
            await self.seek(tp, offset)
        self._committed_offset.update(moved)
        self._corrected.update(moved)

    async def _check_metadata_limit(self, generation: int) -> None:
        """End the worker before its first request if Kafka would not accept its counts."""
        if self._metadata_fits:
            return
        ours, tables = self._acknowledged_partitions(), self._committed_tables()
        try:
            self._metadata_fits = await is_large_enough(
                self._consumer_thread, generation, ours, tables
            )
        except BrokerError as error:
            await self._end(error)

    async def _end(self, error: BrokerError) -> NoReturn:
        """End the worker, and continue with nothing until it has stopped."""
        self.on_unusable(error)
        while True:
            await asyncio.Event().wait()

    async def correct_counts(self) -> None:
        """Add a recount's corrections for this worker's partitions. Raises ``KafkaError``."""
        generation = self.app.consumer_generation_id
        tables = self._committed_tables()
        ours = [tp for tp in self.assignment() if tp.topic in tables]
        mails = await self._consumer_thread.mails(ours)
        if not self._has_taken_over(generation):
            return  # the partitions were restored meanwhile: try the next time
        for tp, mail in mails.items():
            if tables[tp.topic].correct(tp.partition, mail):
                self._corrected.add(tp)

    def end_of(self, topic: str, partition: int) -> float:
        """Return the last known end of a partition; infinity if it is not this worker's."""
        end = self._consumer_thread.stable_end(TP(topic, partition))
        return math.inf if end is None else end

    async def work_waits(self, topic: str) -> bool:
        """Return whether records of ``topic`` are not read yet, from the consumer's thread."""
        return await self._consumer_thread.work_waits(topic)

    def _committed_tables(self) -> Mapping[str, CommittedTable]:
        """Return the tables whose values are committed, by the topic that they follow."""
        tables = self.app.tables.values()
        return {table.follows: table for table in tables if isinstance(table, CommittedTable)}
