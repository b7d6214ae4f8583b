"""From a request to its published answer: read, decode, classify, publish, acknowledge.

The steps of different requests overlap: pictures are decoded in threads while the model works on
others and earlier answers are on their way. Answers leave in the order of each partition, and a
request is acknowledged only after Kafka has confirmed its answer. Knows no Faust.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile
from typing import Any, Protocol

from catdog_stream import metrics
from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.models.classifier import Prepared
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.decoding_threads import DecodingThreads
from catdog_stream.pipeline.ordering import Lanes
from catdog_stream.pipeline.rejection_limit import RejectionLimit
from catdog_stream.pipeline.serving import Lease, Serving
from catdog_stream.wire import Incoming, parse_request

__all__ = ["Classified", "Outcome", "Pipeline", "Publisher"]

logger = logging.getLogger(__name__)

#: Seconds between two questions whether requests are still this process's to answer.
ASK_AGAIN_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Classified:
    """The model's answer to a request, with what of the request goes back to the client."""

    url: str | None
    verdict: Verdict
    #: See ``wire.Request``.
    fields: Mapping[str, Any] | None = None


Outcome = Classified | RejectedRequest


class Publisher(Protocol):
    """Where answers go."""

    async def publish(self, incoming: Incoming, outcome: Outcome) -> Awaitable[Outcome]:
        """Hand the answer over, in order; await the result for Kafka's confirmation.

        That is the outcome as it was written: a label too large for its topic becomes a rejection.
        """


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read of a request, with its picture prepared."""

    url: str | None
    fields: Mapping[str, Any] | None
    picture: Prepared


@dataclass(eq=False, slots=True)
class _Job:
    incoming: Incoming
    acknowledge: Callable[[Outcome], Awaitable[object]]
    #: On what prepares and classifies it.
    lease: Lease
    taken: float = field(default_factory=time.perf_counter)
    outcome: asyncio.Future[Outcome] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    #: What the model makes of it, once it has been read.
    verdict: asyncio.Future[Verdict] | None = None

    def drop(self) -> None:
        """Its lease ends with its verdict, or when it has been read."""
        self.outcome.cancel()
        if self.verdict is not None:
            self.verdict.cancel()


class Pipeline:
    """Answers requests.

    Args:
        serving: prepares and classifies pictures.
        publisher: where answers go.
        owns: tells whether what was taken is still this process's to answer.
        limit: looks at each answer before it leaves; what it raises is a failure.
        on_failure: called once with what made answering impossible: Kafka refused an answer, or
            too many requests are rejected.
            From then on nothing is answered or acknowledged; the caller must stop the process.
        max_image_bytes: largest picture file.
        max_in_flight: most requests taken and not yet acknowledged.
        decode_threads: threads that read requests and decode pictures.
    """

    def __init__(
        self,
        serving: Serving,
        publisher: Publisher,
        *,
        owns: Callable[[], Awaitable[bool]],
        limit: RejectionLimit,
        on_failure: Callable[[BaseException], object],
        max_image_bytes: int,
        max_in_flight: int,
        decode_threads: int,
    ) -> None:
        self._serving = serving
        self._owns = owns
        self._limit = limit
        self._publisher = publisher
        self._on_failure = on_failure
        self._max_image_bytes = max_image_bytes
        self._slots = asyncio.Semaphore(max_in_flight)
        self._lanes: Lanes[int, _Job] = Lanes()
        self._readers = DecodingThreads(self._read, self._on_read, threads=decode_threads)
        self._tasks: set[asyncio.Task[None]] = set()
        self._answered = 0
        self._abandoned = 0
        self._failed = False

    def start(self) -> None:
        """Start the threads; needs a running event loop."""
        self._readers.start()

    async def stop(self) -> None:
        """Drop what is unanswered, unacknowledged: Kafka will deliver it again.

        Returns once the threads have decoded the pictures that they are at work on.
        """
        await asyncio.gather(*self._cancel(self._tasks), return_exceptions=True)
        await asyncio.to_thread(self._readers.stop)

    async def abandon(self) -> None:
        """Drop what is unanswered, unacknowledged, and be ready for what comes next."""
        self._abandoned += 1
        await asyncio.gather(*self._cancel(self._tasks), return_exceptions=True)
        for unread in self._readers.clear():
            unread.lease.release()
        for job in self._lanes.clear():
            job.drop()
            self._slots.release()

    @property
    def in_flight(self) -> int:
        """Requests taken and not yet acknowledged."""
        return len(self._lanes)

    @property
    def answered(self) -> int:
        """Requests answered and acknowledged since the start."""
        return self._answered

    async def submit(
        self, incoming: Incoming, acknowledge: Callable[[Outcome], Awaitable[object]]
    ) -> None:
        """Take a request, as soon as there is room for one more."""
        abandoned = self._abandoned
        await self._slots.acquire()
        if self._failed or abandoned != self._abandoned:
            # Unacknowledged: Kafka delivers it again, behind those that were dropped before it.
            self._slots.release()
            return
        job = _Job(incoming, acknowledge, self._serving.lease(incoming.source))
        self._readers.put(job)
        if self._lanes.append(incoming.source.partition, job):
            self._spawn(self._answer_in_order(incoming.source.partition))

    def _read(self, job: _Job) -> _Read:
        request = parse_request(job.incoming.value, max_image_bytes=self._max_image_bytes)
        return _Read(request.url, request.fields, job.lease.prepare(request.picture))

    def _on_read(self, job: _Job, result: _Read | Exception) -> None:
        if job.outcome.done():  # abandoned
            job.lease.release()
            return
        if isinstance(result, Exception):
            job.lease.release()
            job.outcome.set_result(self._rejection(job, result))
            return
        job.verdict = job.lease.classify(result.picture)
        job.verdict.add_done_callback(partial(self._on_verdict, job, result))

    def _on_verdict(self, job: _Job, read: _Read, verdict: asyncio.Future[Verdict]) -> None:
        job.lease.release()
        if job.outcome.done() or verdict.cancelled():
            return  # abandoned
        error = verdict.exception()
        if error is None:
            job.outcome.set_result(Classified(read.url, verdict.result(), read.fields))
        else:
            job.outcome.set_result(self._rejection(job, error))

    @staticmethod
    def _rejection(job: _Job, error: BaseException) -> RejectedRequest:
        if isinstance(error, RejectedRequest):
            return error
        # A fault of ours, or of the model. The request must not stop those behind it.
        logger.error("Request %s could not be classified.", job.incoming.source, exc_info=error)
        return RejectedRequest(Reason.INTERNAL_ERROR, "The request could not be classified.")

    async def _answer_in_order(self, partition: int) -> None:
        while (first := self._lanes.head(partition)) is not None:
            await first.outcome
            while not await self._owns():
                await asyncio.sleep(ASK_AGAIN_SECONDS)  # or until it is abandoned
            ready = tuple(takewhile(lambda job: job.outcome.done(), self._lanes.waiting(partition)))
            confirmations = [await self._publish(job) for job in ready]
            for job, confirmation in zip(ready, confirmations, strict=True):
                outcome = await confirmation
                await job.acknowledge(outcome)
                self._lanes.remove_head(partition)
                self._slots.release()
                self._record(job, outcome)

    async def _publish(self, job: _Job) -> Awaitable[Outcome]:
        outcome = job.outcome.result()
        self._limit.observe(rejected=isinstance(outcome, RejectedRequest))
        return await self._publisher.publish(job.incoming, outcome)

    def _record(self, job: _Job, outcome: Outcome) -> None:
        self._answered += 1
        if isinstance(outcome, RejectedRequest):
            stack = ""
            metrics.REJECTIONS.labels(outcome.reason).inc()
        else:
            stack = outcome.verdict.stack
            metrics.labels_of(outcome.verdict.label, stack).inc()
        metrics.request_seconds_of(stack).observe(time.perf_counter() - job.taken)

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
