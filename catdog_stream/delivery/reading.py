"""Faust's consumer, repaired where it loses records during reading, and where reading is slow.

Each override below names the fault that it closes.
"""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any, NoReturn, cast

from aiokafka.structs import ConsumerRecord, OffsetAndMetadata
from faust.transport.drivers.aiokafka import Consumer as FaustConsumer
from faust.transport.drivers.aiokafka import ensure_aiokafka_TPset
from faust.types import TP, Message
from mode import Service

from catdog_stream.delivery.ack_tracker import AckTracker
from catdog_stream.delivery.consumer_thread import RationedConsumerThread
from catdog_stream.delivery.fetch_budget import FetchBudget
from catdog_stream.delivery.group_lag import GroupLag
from catdog_stream.errors import UnreadableError

__all__ = ["ReadingConsumer", "raise_"]

#: Records of one fetch, with their partitions.
Records = AsyncGenerator[tuple[TP, Message], None]

#: Longest wait of one fetch for records, in seconds. Faust asks for 1.0, and a seek must wait for
#: the fetch in progress.
MAX_FETCH_WAIT = 0.2
#: Seconds between two checks for a partition to read. Faust sleeps for 1.0 there too, for example
#: after each rebalance, in which every partition is paused.
NO_PARTITION_WAIT = 0.05
#: Seconds between two signs that the event loop runs.
LOOP_SEEN_INTERVAL = 1.0
#: Seconds between two records of the reading positions.
NOTE_INTERVAL = 1.0


def raise_(error: BaseException) -> NoReturn:
    """Raise ``error``; the default where no handler is set."""
    raise error


class ReadingConsumer(FaustConsumer):
    """Consumer that reads exactly the uncommitted records."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._parked = asyncio.Event()
        self._parked.set()
        self._stops = 0
        self._delivery: asyncio.Timeout | None = None
        #: Partition to its records that were delivered since the last seek.
        self._trackers: dict[TP, AckTracker] = {}
        #: Partition to a reading position in front of which everything had been delivered.
        self._read_to: dict[TP, int] = {}
        self._noted_at = -math.inf
        #: Partitions whose logs have started again since they were taken over.
        self._begun_again: set[TP] = set()
        #: Topic to a function that returns true for records its agent does not need. Passing such a
        #: record to the agent costs an eighth of the time of a small request.
        self.passes_over: dict[str, Callable[[ConsumerRecord], bool]] = {}
        #: Called when a partition cannot be read any further.
        self.on_unreadable: Callable[[UnreadableError], object] = raise_

    def _new_consumer_thread(self) -> RationedConsumerThread:
        return RationedConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def poll_less_often(self, topics: Collection[str]) -> None:
        """Fetch ``topics`` only a few times a second."""
        self._consumer_thread.less_polled_topics = topics

    def watch_lag(self, lag: GroupLag) -> None:
        """Keep ``lag`` up to date from the brokers while the consumer runs."""
        self._consumer_thread.lag = lag

    def limit(self, budget: FetchBudget) -> None:
        """Fetch no more than fits into ``budget``."""
        self._consumer_thread.budget = budget

    @property
    def _budget(self) -> FetchBudget | None:
        return self._consumer_thread.budget

    @property
    def _consumer_thread(self) -> RationedConsumerThread:
        return cast(RationedConsumerThread, self._thread)

    @Service.task
    async def _show_that_loop_runs(self) -> None:
        while not self.should_stop:
            self._consumer_thread.loop_ran_at = time.monotonic()
            await self.sleep(LOOP_SEEN_INTERVAL)

    async def verify_all_partitions_active(self) -> None:
        """Do nothing: ``health`` watches progress, and Faust would miss paused partitions."""

    # -- Seeking. Records that were fetched before a seek reach the stream after it. Faust then
    # drops the records that the seek returns to as "already read", and commits past them. Seen
    # after each restart with a backlog, as soon as the application has a table, because
    # Recovery.on_recovery_completed resumes the partitions before it seeks. Here a seek first stops
    # the reading task, and discards everything that the task had fetched.

    def stop_flow(self) -> None:
        """Stop reading; see Faust's ``stop_flow``."""
        self._stops += 1
        super().stop_flow()
        if self._delivery is not None and not self._delivery.expired():
            self._delivery.reschedule(0.0)

    async def perform_seek(self) -> None:
        """Seek to the committed offsets, without records that were fetched before."""
        await self.go_to_committed()

    async def go_to_committed(self) -> Mapping[TP, OffsetAndMetadata]:
        """Seek to the committed offsets and return them, without partitions that have none.

        For such partitions aiokafka does not seek at all, so discarded records would never be read.
        Here they start at the beginning. Faust asks for one partition after the other; here one
        request asks the coordinator for all.
        """
        await self._halt()
        partitions = self.assignment()
        committed = await self._consumer_thread.go_to_committed(partitions)
        offsets = {tp: committed[tp].offset if tp in committed else None for tp in partitions}
        self._read_offset.update(offsets)
        self._committed_offset.update(offsets)
        if self.app.conf.consumer_auto_offset_reset == "earliest":
            acknowledged = self.app.topics.acks_enabled_for
            fresh = [tp for tp in partitions - committed.keys() if acknowledged(tp.topic)]
            if fresh:
                await self._thread.seek_to_beginning(*ensure_aiokafka_TPset(fresh))
        return committed

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Seek to offsets of a changelog, without records that were fetched before."""
        await self._halt()
        await super().seek_wait(partitions)

    async def _halt(self) -> None:
        self.stop_flow()  # Recovery, which seeks, resumes the flow afterwards
        await self._parked.wait()
        if self._budget is not None:
            self._budget.clear()
        self._trackers.clear()
        self._read_to.clear()

    # -- Reading. Faust starts four tasks for each record, only to notice that the flow stops while
    # a stream's queue is full: a tenth of the time of a small request. Here one timeout, without a
    # time, covers the delivery of all records of a fetch, and stopping the flow lets it expire.

    async def _drain_messages(self, fetcher: Any) -> None:
        """Deliver records to their streams until the worker stops."""
        self._parked.clear()
        try:
            while not (self.should_stop or fetcher.should_stop):
                await asyncio.sleep(0)  # there may always be records to read
                found = cast(Records, self.getmany(timeout=MAX_FETCH_WAIT))
                async with aclosing(found) as records:
                    await self._deliver(records)
        except UnreadableError as error:
            self.on_unreadable(error)
        except BaseException as error:
            ends = isinstance(error, (asyncio.CancelledError, *self.consumer_stopped_errors))
            if not (ends and self.app.should_stop):  # at the worker's end this is no crash
                raise
        finally:
            self._parked.set()

    async def _deliver(self, records: Records) -> None:
        """Deliver the records of one fetch; stop if the flow stops."""
        first = await anext(records, None)  # waits for records, the others are there
        if first is None:
            return
        delivery = self._delivery = asyncio.timeout(None)
        try:
            async with delivery:
                await self._pass_on(*first)
                async for tp, message in records:
                    await self._pass_on(tp, message)
        except TimeoutError:
            if not delivery.expired():
                raise
            # The flow has stopped, and the task that stopped it seeks.
        finally:
            self._delivery = None

    async def _pass_on(self, tp: TP, message: Message) -> None:
        last = self._read_offset[tp]
        if tp in self._begun_again or (last is not None and message.offset < last):
            await self._compare_again(tp)
            return  # the log differs: these records are read after the comparison
        if self.app.topics.acks_enabled_for(tp.topic):
            self._tracker(tp).deliver(message.offset)
        await self.callback(message)
        self._read_offset[tp] = message.offset

    def _tracker(self, tp: TP) -> AckTracker:
        tracker = self._trackers.get(tp)
        if tracker is None:
            tracker = self._trackers[tp] = AckTracker()
        return tracker

    async def _compare_again(self, tp: TP) -> None:
        """Take the partitions over again, which compares their logs with the committed state.

        If a log ends in front of the reading position, aiokafka restarts at its beginning silently.
        """
        if tp not in self._begun_again and self.app.topics.acks_enabled_for(tp.topic):
            self._begun_again.add(tp)
            self.log.warning(
                "Kafka sends records of %s/%d again from the beginning of its log.", *tp
            )
            await self._consumer_thread.rejoin()

    def _has_one_stream(self, topic: str) -> bool:
        """Return whether only one agent reads the topic: another might need the records."""
        return len(cast(Any, self.app.topics)._topic_name_index[topic]) == 1

    def _note_positions(self) -> None:
        """Record the reading positions, which lie behind the last record if markers follow it.

        Called between two fetches: all records of the last one were delivered.
        """
        now = self.loop.time()
        if now - self._noted_at >= NOTE_INTERVAL:
            self._noted_at = now
            known = [tp for tp in self._acknowledged_partitions() if tp not in self._begun_again]
            self._read_to = self._consumer_thread.positions(known)

    def _acknowledged_partitions(self) -> list[TP]:
        return [tp for tp in self.assignment() if self.app.topics.acks_enabled_for(tp.topic)]

    async def _wait_next_records(self, timeout: float) -> Any:
        while not self.should_stop:
            if not self.flow_active:
                self._parked.set()
                try:
                    await self.wait(self.can_resume_flow)  # type: ignore[arg-type]  # mode takes both
                finally:
                    self._parked.clear()
                continue  # the flow may have stopped again meanwhile
            # Nothing may be awaited between the comparison below and the handling of the records
            # in Consumer.getmany. If the flow stopped meanwhile, getmany would seek itself, and
            # wait forever for the reading task, which is the same task.
            stops = self._stops
            if not (self.app.client_only or self._get_active_partitions()):
                with suppress(TimeoutError):
                    async with asyncio.timeout(NO_PARTITION_WAIT):
                        await self.suspend_flow.wait()
                continue
            self._note_positions()
            records, active = await super()._wait_next_records(timeout)
            if stops == self._stops:
                return self._needed(records), active
        return None, None

    def _needed(
        self, records: Mapping[TP, Sequence[ConsumerRecord]] | None
    ) -> Mapping[TP, Sequence[ConsumerRecord]]:
        """Return the records without those that their only stream does not need.

        They count as transaction markers: once all others are acknowledged, commits pass them.
        """
        needed = dict(records or {})
        for tp, found in needed.items():
            passes_over = self.passes_over.get(tp.topic)
            if passes_over is not None and self._has_one_stream(tp.topic):
                needed[tp] = [record for record in found if not passes_over(record)]
        return needed
