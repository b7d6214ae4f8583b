"""Answers on their way: in order, published only by whoever owns them, acknowledged last.

Answers leave in the order of each partition, and a request is acknowledged only after Kafka has
confirmed its answer. What makes answering impossible stops it for good. Who finds the answers, a
model or a jury, is not known here.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Generic, Protocol, TypeVar

from catdog_stream import metrics
from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.pipeline.observing import Answered, Observers
from catdog_stream.pipeline.outcome import Classified, Outcome
from catdog_stream.pipeline.partition_queues import PartitionQueues
from catdog_stream.pipeline.rejection_limit import RejectionLimit
from catdog_stream.pipeline.timings import Timings, note_queue, note_stages
from catdog_stream.wire import Incoming

__all__ = ["Classified", "Job", "OrderedPublisher", "Outcome", "Publisher", "note_answer"]

#: Seconds between two questions whether requests are still this process's to answer.
ASK_AGAIN_SECONDS = 0.5


class Publisher(Protocol):
    """Where answers go."""

    async def publish(self, incoming: Incoming, outcome: Outcome) -> Awaitable[Outcome]:
        """Hand the answer over, in order; await the result for Kafka's confirmation.

        That is the outcome as it was written: a label too large for its topic becomes a rejection.
        """


@dataclass(eq=False, slots=True)
class Job:
    """A request that is to be answered, with the answer once it is there."""

    incoming: Incoming
    acknowledge: Callable[[Outcome], Awaitable[object]]
    timings: Timings = field(default_factory=Timings, kw_only=True)
    outcome: asyncio.Future[Outcome] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future(), kw_only=True
    )
    #: The prepared picture, where an observer wants to see it.
    prepared: object = field(default=None, kw_only=True)


J = TypeVar("J", bound=Job)


for _reason in Reason:
    metrics.REJECTIONS.labels(_reason)  # a rate needs what it was before the first one


def note_answer(outcome: Outcome) -> None:
    """Count it among the labels or the rejections of this worker, in its metrics."""
    if isinstance(outcome, RejectedRequest):
        metrics.REJECTIONS.labels(outcome.reason).inc()
    else:
        metrics.labels_of(outcome.verdict.label, outcome.verdict.stack).inc()


class OrderedPublisher(Generic[J]):
    """Publishes the answers to jobs.

    Args:
        publisher: where answers go.
        owns: tells whether what was taken is still this process's to answer.
        limit: looks at each answer before it leaves; what it raises is a failure.
        on_failure: called once with what made answering impossible: Kafka refused an answer, or
            too many requests are rejected.
            From then on nothing is answered or acknowledged; the caller must stop the process.
        max_in_flight: most requests taken and not yet acknowledged.
        note: is told each answer that was acknowledged.
        observers: are told the same, with the request and the time that it took.
    """

    def __init__(
        self,
        publisher: Publisher,
        *,
        owns: Callable[[], Awaitable[bool]],
        limit: RejectionLimit,
        on_failure: Callable[[BaseException], object],
        max_in_flight: int,
        observers: Observers,
        note: Callable[[Outcome], object] = note_answer,
    ) -> None:
        self._publisher = publisher
        self._owns = owns
        self._limit = limit
        self._on_failure = on_failure
        self._note = note
        self._observers = observers
        self._slots = asyncio.Semaphore(max_in_flight)
        self._lanes: PartitionQueues[int, J] = PartitionQueues()
        self._tasks: set[asyncio.Task[None]] = set()
        self._answered = 0
        self._abandoned = 0
        self._failed = False

    async def stop(self) -> None:
        """Drop what is unanswered, unacknowledged: Kafka will deliver it again."""
        await asyncio.gather(*self._cancel(self._tasks), return_exceptions=True)

    async def abandon(self) -> list[J]:
        """Drop what is unanswered, unacknowledged, and be ready for what comes next.

        Returns what was dropped; whoever waits for room is told that there is none.
        """
        self._abandoned += 1
        await asyncio.gather(*self._cancel(self._tasks), return_exceptions=True)
        dropped = self._lanes.clear()
        for job in dropped:
            job.outcome.cancel()
            self._slots.release()
        return dropped

    @property
    def in_flight(self) -> int:
        """Requests taken and not yet acknowledged."""
        return len(self._lanes)

    @property
    def answered(self) -> int:
        """Requests answered and acknowledged since the start."""
        return self._answered

    async def room(self) -> bool:
        """Wait until there is room for one more job; false if it must not be taken any more.

        It is unacknowledged: Kafka delivers it again, behind those that were dropped before it.
        """
        abandoned = self._abandoned
        await self._slots.acquire()
        if self._failed or abandoned != self._abandoned:
            self._slots.release()
            return False
        return True

    def leave_room(self) -> None:
        """Make no use of the room that there was."""
        self._slots.release()

    def append(self, job: J) -> None:
        """Take a job that there is ``room`` for. Jobs of a partition come in its order."""
        partition = job.incoming.source.partition
        if self._lanes.append(partition, job):
            self._spawn(self._answer_in_order(partition))

    async def _answer_in_order(self, partition: int) -> None:
        while (first := self._lanes.head(partition)) is not None:
            await first.outcome
            while not await self._owns():
                await asyncio.sleep(ASK_AGAIN_SECONDS)  # or until it is abandoned
            ready = tuple(takewhile(lambda job: job.outcome.done(), self._lanes.waiting(partition)))
            confirmations = [await self._publish(job) for job in ready]
            for job, confirmation in zip(ready, confirmations, strict=True):
                outcome = await confirmation
                if not isinstance(job.outcome.result(), RejectedRequest):
                    self._limit.observe_label(refused=isinstance(outcome, RejectedRequest))
                timings = job.timings
                timings.confirmed = time.perf_counter()
                await job.acknowledge(outcome)
                self._lanes.remove_head(partition)
                self._slots.release()
                self._answered += 1
                self._note(outcome)
                note_stages(timings)
                note_queue(job.incoming.timestamp_ms, timings)
                stack = "" if isinstance(outcome, RejectedRequest) else outcome.verdict.stack
                metrics.request_seconds_of(stack).observe(timings.seconds)
                self._observers.answered(Answered(job.incoming, outcome, job.prepared, timings))

    async def _publish(self, job: J) -> Awaitable[Outcome]:
        outcome = job.outcome.result()
        job.timings.handed_over = time.perf_counter()
        self._limit.observe(rejected=isinstance(outcome, RejectedRequest))
        return await self._publisher.publish(job.incoming, outcome)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)
        return task

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None or self._failed:
            return
        self._failed = True
        self._cancel(self._tasks)
        self._on_failure(error)

    @staticmethod
    def _cancel(tasks: Iterable[asyncio.Task[None]]) -> tuple[asyncio.Task[None], ...]:
        cancelled = tuple(tasks)
        for task in cancelled:
            task.cancel()
        return cancelled
