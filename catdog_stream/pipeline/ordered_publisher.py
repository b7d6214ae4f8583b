"""Ordered publishing of answers by the owner of a partition, with acknowledgement at the end.

Answers leave in the order of each partition, and a request is acknowledged only after Kafka has
confirmed its answer. An error that makes answering impossible stops the publisher for good. The
module does not know the source of the answers: a model or a jury.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Generic, Protocol, TypeVar

from catdog_stream import metrics
from catdog_stream.errors import RejectedRequest
from catdog_stream.messages.wire import Incoming
from catdog_stream.pipeline.observing import Answered, Observers
from catdog_stream.pipeline.outcome import Classified, Outcome
from catdog_stream.pipeline.partition_queues import PartitionQueues
from catdog_stream.pipeline.rejection_limit import RejectionLimit
from catdog_stream.pipeline.timings import Timings, observe_queue, observe_stages

__all__ = ["Classified", "Job", "OrderedPublisher", "Outcome", "PartitionFlow", "Publisher"]

#: Seconds between two checks if this process still owns the requests.
ASK_AGAIN_SECONDS = 0.5
#: Number of unanswered requests of a partition from which on it is paused, and at which it resumes.
MOST_OF_PARTITION, RESUMES_AT = 128, 64


class Publisher(Protocol):
    """Destination of answers."""

    async def publish(self, incoming: Incoming, outcome: Outcome) -> Awaitable[Outcome]:
        """Pass the answer on, in order; await the result for Kafka's confirmation.

        The result is the outcome as written: a label too large for its topic becomes a rejection.
        """


class PartitionFlow(Protocol):
    """Source of requests, of which single partitions can be paused."""

    def pause(self, partition: int) -> None:
        """Deliver no more requests of a partition than those that are on their way."""

    def resume(self, partition: int) -> None:
        """Deliver the requests of a paused partition again."""


@dataclass(eq=False, slots=True)
class Job:
    """Request to be answered, with its answer once that is known."""

    incoming: Incoming
    acknowledge: Callable[[Outcome], Awaitable[object]]
    timings: Timings = field(default_factory=Timings, kw_only=True)
    outcome: asyncio.Future[Outcome] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future(), kw_only=True
    )
    #: The prepared picture, if an observer needs it.
    prepared: object = field(default=None, kw_only=True)


J = TypeVar("J", bound=Job)


class OrderedPublisher(Generic[J]):
    """Publisher of the answers to jobs.

    Args:
        publisher: destination of answers.
        owns: returns whether this process still owns the requests that it has taken.
        limit: checks each answer before it leaves; an error that it raises is a failure.
        on_failure: called once with the error that made answering impossible: Kafka refused an
            answer, or too many requests are rejected.
            From then on nothing is answered or acknowledged; the caller must stop the process.
        max_in_flight: most requests that are taken and not yet acknowledged.
        flow: pauses a partition with many unanswered requests, so that it holds up no other;
            ``None``: no partition is paused.
        observers: notified of each acknowledged answer, with its request and timings.
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
        flow: PartitionFlow | None = None,
    ) -> None:
        self._publisher = publisher
        self._flow = flow
        self._owns = owns
        self._limit = limit
        self._on_failure = on_failure
        self._observers = observers
        self._slots = asyncio.Semaphore(max_in_flight)
        self._queues: PartitionQueues[int, J] = PartitionQueues()
        self._tasks: set[asyncio.Task[None]] = set()
        self._answered = 0
        self._abandoned = 0
        self._failed = False

    async def stop(self) -> None:
        """Drop the unanswered requests without acknowledgement: Kafka delivers them again."""
        await asyncio.gather(*self._cancel(self._tasks), return_exceptions=True)

    async def abandon(self) -> list[J]:
        """Drop the unanswered requests without acknowledgement, and accept new ones.

        Return the dropped jobs. Calls that wait in ``reserve_slot`` return false.
        """
        self._abandoned += 1
        await asyncio.gather(*self._cancel(self._tasks), return_exceptions=True)
        dropped = self._queues.clear()
        for job in dropped:
            job.outcome.cancel()
            self._slots.release()
        return dropped

    @property
    def in_flight(self) -> int:
        """Number of requests that are taken and not yet acknowledged."""
        return len(self._queues)

    @property
    def answered(self) -> int:
        """Number of requests that are answered and acknowledged since the start."""
        return self._answered

    async def reserve_slot(self) -> bool:
        """Wait until one more job may be taken; return false if it must not be taken any more.

        The request stays unacknowledged: Kafka delivers it again, behind those dropped before it.
        """
        abandoned = self._abandoned
        await self._slots.acquire()
        if self._failed or abandoned != self._abandoned:
            self._slots.release()
            return False
        return True

    def release_slot(self) -> None:
        """Release the slot that ``reserve_slot`` has reserved."""
        self._slots.release()

    def append(self, job: J) -> None:
        """Take a job after ``reserve_slot`` has returned true, in the order of its partition."""
        partition = job.incoming.source.partition
        if self._queues.append(partition, job):
            self._spawn(self._answer_in_order(partition))
        if self._flow is not None and self._queues.length(partition) == MOST_OF_PARTITION:
            self._flow.pause(partition)

    async def _answer_in_order(self, partition: int) -> None:
        while (first := self._queues.head(partition)) is not None:
            await first.outcome
            while not await self._owns():
                await asyncio.sleep(ASK_AGAIN_SECONDS)  # until owned, or abandoned
            ready = tuple(
                takewhile(lambda job: job.outcome.done(), self._queues.waiting(partition))
            )
            confirmations = [await self._publish(job) for job in ready]
            for job, confirmation in zip(ready, confirmations, strict=True):
                outcome = await confirmation
                if not isinstance(job.outcome.result(), RejectedRequest):
                    self._limit.observe_label(refused=isinstance(outcome, RejectedRequest))
                timings = job.timings
                timings.confirmed = time.perf_counter()
                await job.acknowledge(outcome)
                self._queues.remove_head(partition)
                if self._flow is not None and self._queues.length(partition) == RESUMES_AT:
                    self._flow.resume(partition)
                self._slots.release()
                self._answered += 1
                observe_stages(timings)
                observe_queue(job.incoming.timestamp_ms, timings)
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
