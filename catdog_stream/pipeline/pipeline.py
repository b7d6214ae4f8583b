"""Pipeline from a request to its published answer: read, decode, classify, publish, acknowledge.

The steps of different requests overlap: threads decode pictures while the model works on others
and earlier answers are being published. ``ordered_publisher`` publishes the answers. The module
does not depend on Faust.

A picture that a request names by a reference is fetched between reading and decoding. Meanwhile the
request takes no place of those that are decoded and classified: the number of these is limited, and
a slow server must not use them up.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.fetching.references import Fetched, References
from catdog_stream.messages.requests.request import Request, RequestParser
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
    PartitionFlow,
    Publisher,
)
from catdog_stream.pipeline.rejection_limit import RejectionLimit
from catdog_stream.pipeline.serving import Lease, Serving

__all__ = ["Classified", "Outcome", "Pipeline", "Publisher"]

logger = logging.getLogger(__name__)

#: Maximum number of requests that are taken, if partitions can be paused.
MOST_TAKEN = 4096


@dataclass(frozen=True, slots=True)
class _Read:
    """Parsed request with its prepared picture."""

    url: str | None
    fields: Mapping[str, Any] | None
    picture: Prepared


@dataclass(eq=False, slots=True)
class _Job(Job):
    #: Lease on the classifier that prepares and classifies the picture, and with it one of the
    #: places; ``None`` while the request waits for its turn or its picture.
    lease: Lease | None = field(default=None, kw_only=True)
    #: The picture of a reference, until it is classified.
    fetched: Fetched | None = field(default=None, kw_only=True)
    #: The request with this picture, until it is prepared.
    request: Request | None = field(default=None, kw_only=True)
    fetching: asyncio.Task[None] | None = field(default=None, kw_only=True)
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
        max_in_flight: maximum number of requests that are read, decoded and classified at a time;
            without ``flow``, also of those that are taken and not yet acknowledged.
        decode_threads: number of threads that read requests and decode pictures.
        observers: see ``OrderedPublisher``.
        references: fetches the pictures that requests name by a reference; ``None``: such requests
            are rejected.
        flow: see ``OrderedPublisher``. With it, requests that wait for their picture do not count
            for ``max_in_flight``.
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
        references: References | None = None,
        flow: PartitionFlow | None = None,
    ) -> None:
        self._serving = serving
        self._references = references
        #: Requests that wait for one of the places, in order.
        self._waiting: deque[_Job] = deque()
        self._places = max_in_flight
        self._fetches: set[asyncio.Task[None]] = set()
        self._parser = parser
        self._max_in_flight = max_in_flight
        self._answering: OrderedPublisher[_Job] = OrderedPublisher(
            publisher,
            owns=owns,
            limit=limit,
            on_failure=on_failure,
            max_in_flight=max_in_flight if flow is None else MOST_TAKEN,
            observers=observers,
            flow=flow,
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
        for task in tuple(self._fetches):
            task.cancel()
        await asyncio.gather(*self._fetches, return_exceptions=True)
        await asyncio.to_thread(self._readers.stop)

    async def abandon(self) -> None:
        """Drop the unanswered requests without acknowledgement, and accept new ones."""
        dropped = await self._answering.abandon()
        for job in dropped:
            if job.fetching is not None:
                job.fetching.cancel()
        for unread in (*self._waiting, *self._readers.clear()):
            self._release(unread)
        for job in dropped:  # the lease ends with the verdict, or when the request has been read
            if job.verdict is not None:
                job.verdict.cancel()

    @property
    def in_flight(self) -> int:
        """Number of requests that are taken and not yet acknowledged."""
        return self._answering.in_flight

    @property
    def max_in_flight(self) -> int:
        """Largest number of requests that are read, decoded and classified at a time."""
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
        job = _Job(incoming, acknowledge)
        if rejected is None:
            self._begin(job)
        else:
            job.outcome.set_result(rejected)
        self._answering.append(job)

    def _begin(self, job: _Job) -> None:
        """Read the request, and decode its picture if it is there, as soon as a place is free."""
        self._waiting.append(job)
        self._begin_next()

    def _begin_next(self) -> None:
        while self._places and self._waiting:
            job = self._waiting.popleft()
            if job.outcome.done():  # abandoned
                self._release(job)
            else:
                self._places -= 1
                job.lease = self._serving.lease(job.incoming.source)
                self._readers.put(job)

    def _release(self, job: _Job) -> None:
        """Release the request's place, and its fetched picture."""
        job.request = None
        if job.fetched is not None:
            job.fetched.release()
        if job.lease is not None:
            job.lease.release()
            job.lease = None
            self._places += 1
            self._begin_next()

    def _read(self, job: _Job) -> _Read | Request:
        """Return the request with its prepared picture, or with the reference to its picture."""
        timings, lease = job.timings, job.lease
        timings.begun = timings.begun or time.perf_counter()
        try:
            request = job.request or self._parser.parse(job.incoming.value, job.incoming.headers)
            if lease is None or not request.picture:
                return request
            return _Read(request.url, request.fields, lease.prepare(request.picture))
        finally:
            timings.read = time.perf_counter()

    def _on_read(self, job: _Job, result: _Read | Request | Exception) -> None:
        lease = job.lease
        if job.outcome.done() or lease is None:  # abandoned
            self._release(job)
            return
        if isinstance(result, Exception):
            self._release(job)
            job.outcome.set_result(self._rejection(job, result))
            return
        if isinstance(result, Request):
            self._release(job)
            job.fetching = asyncio.get_running_loop().create_task(self._fetch(job, result))
            self._fetches.add(job.fetching)
            job.fetching.add_done_callback(self._fetches.discard)
            return
        job.request = None
        if self._observers.wants_picture():
            job.prepared = result.picture
        job.verdict = lease.classify(result.picture, job.timings.note_batched)
        job.verdict.add_done_callback(partial(self._on_verdict, job, result))

    async def _fetch(self, job: _Job, request: Request) -> None:
        try:
            fetched = await self._fetched(job, request)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - a panic of a library in Rust is no Exception
            job.outcome.set_result(self._rejection(job, error))
            return
        job.timings.fetched = time.perf_counter()
        job.fetched = fetched
        job.request = replace(request, picture=fetched.picture)
        self._begin(job)

    async def _fetched(self, job: _Job, request: Request) -> Fetched:
        if self._references is None or request.reference is None:
            raise RejectedRequest(
                Reason.MISSING_DATA, "The request has no picture, and CATDOG_FETCH is not set."
            )
        return await self._references.fetch(request.reference, job.incoming.source.partition)

    def _on_verdict(self, job: _Job, read: _Read, verdict: asyncio.Future[Verdict]) -> None:
        job.timings.decided = time.perf_counter()
        self._release(job)
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
