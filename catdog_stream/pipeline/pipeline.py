"""Pipeline from a request to its published answer: read, decode, classify, publish, acknowledge.

The steps of different requests overlap: threads decode pictures while the model works on others
and earlier answers are being published. ``ordered_publisher`` publishes the answers. The module
does not depend on Faust.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.messages.requests.request import RequestParser
from catdog_stream.messages.wire import Incoming
from catdog_stream.models.classifier import Prepared
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.decoding_threads import DecodingThreads
from catdog_stream.pipeline.observing import Observers
from catdog_stream.pipeline.ordered_publisher import (
    Classified,
    Job,
    OrderedPublisher,
    Outcome,
    Publisher,
)
from catdog_stream.pipeline.rejection_limit import RejectionLimit
from catdog_stream.pipeline.serving import Lease, Serving

__all__ = ["Classified", "Outcome", "Pipeline", "Publisher"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Read:
    """Parsed request with its prepared picture."""

    url: str | None
    fields: Mapping[str, Any] | None
    picture: Prepared


@dataclass(eq=False, slots=True)
class _Job(Job):
    #: Lease on the classifier that prepares and classifies the picture.
    lease: Lease
    #: Verdict of the model, from when the request has been read.
    verdict: asyncio.Future[Verdict] | None = field(default=None, kw_only=True)


class Pipeline:
    """Pipeline that answers requests.

    Args:
        serving: prepares and classifies pictures.
        publisher: destination of answers.
        owns: see ``OrderedPublisher``.
        limit: see ``OrderedPublisher``.
        on_failure: see ``OrderedPublisher``.
        parser: parser of the requests.
        max_in_flight: see ``OrderedPublisher``.
        decode_threads: number of threads that read requests and decode pictures.
        observers: see ``OrderedPublisher``.
    """

    def __init__(
        self,
        serving: Serving,
        publisher: Publisher,
        *,
        owns: Callable[[], Awaitable[bool]],
        limit: RejectionLimit,
        on_failure: Callable[[BaseException], object],
        parser: RequestParser,
        max_in_flight: int,
        decode_threads: int,
        observers: Observers,
    ) -> None:
        self._serving = serving
        self._parser = parser
        self._max_in_flight = max_in_flight
        self._answering: OrderedPublisher[_Job] = OrderedPublisher(
            publisher,
            owns=owns,
            limit=limit,
            on_failure=on_failure,
            max_in_flight=max_in_flight,
            observers=observers,
        )
        self._observers = observers
        self._readers = DecodingThreads(self._read, self._on_read, threads=decode_threads)

    def start(self) -> None:
        """Start the threads; needs a running event loop."""
        self._readers.start()

    async def stop(self) -> None:
        """Drop the unanswered requests without acknowledgement: Kafka delivers them again.

        Return once the threads have decoded their current pictures.
        """
        await self._answering.stop()
        await asyncio.to_thread(self._readers.stop)

    async def abandon(self) -> None:
        """Drop the unanswered requests without acknowledgement, and accept new ones."""
        dropped = await self._answering.abandon()
        for unread in self._readers.clear():
            unread.lease.release()
        for job in dropped:  # the lease ends with the verdict, or when the request has been read
            if job.verdict is not None:
                job.verdict.cancel()

    @property
    def in_flight(self) -> int:
        """Number of requests that are taken and not yet acknowledged."""
        return self._answering.in_flight

    @property
    def max_in_flight(self) -> int:
        """Largest number of requests that are taken and not yet acknowledged."""
        return self._max_in_flight

    @property
    def answered(self) -> int:
        """Number of requests that are answered and acknowledged since the start."""
        return self._answering.answered

    async def submit(
        self,
        incoming: Incoming,
        acknowledge: Callable[[Outcome], Awaitable[object]],
        *,
        rejected: RejectedRequest | None = None,
    ) -> None:
        """Take a request, as soon as one more may be in flight.

        Args:
            incoming: the request.
            acknowledge: called with the outcome once Kafka has confirmed the answer.
            rejected: answer to the request, if it must not be read at all.
        """
        if not await self._answering.reserve_slot():
            return
        job = _Job(incoming, acknowledge, self._serving.lease(incoming.source))
        if rejected is None:
            self._readers.put(job)
        else:
            job.lease.release()
            job.outcome.set_result(rejected)
        self._answering.append(job)

    def _read(self, job: _Job) -> _Read:
        timings = job.timings
        timings.begun = time.perf_counter()
        try:
            request = self._parser.parse(job.incoming.value, job.incoming.headers)
            return _Read(request.url, request.fields, job.lease.prepare(request.picture))
        finally:
            timings.read = time.perf_counter()

    def _on_read(self, job: _Job, result: _Read | Exception) -> None:
        if job.outcome.done():  # abandoned
            job.lease.release()
            return
        if isinstance(result, Exception):
            job.lease.release()
            job.outcome.set_result(self._rejection(job, result))
            return
        if self._observers.wants_picture():
            job.prepared = result.picture
        job.verdict = job.lease.classify(result.picture, job.timings.note_batched)
        job.verdict.add_done_callback(partial(self._on_verdict, job, result))

    def _on_verdict(self, job: _Job, read: _Read, verdict: asyncio.Future[Verdict]) -> None:
        job.timings.decided = time.perf_counter()
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
        # A fault of this program, or of the model. The request must not stop those behind it.
        source = str(job.incoming.source)
        logger.error(
            "Request %s could not be classified.", source, exc_info=error, extra={"source": source}
        )
        return RejectedRequest(Reason.INTERNAL_ERROR, "The request could not be classified.")
