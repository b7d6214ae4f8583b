"""From a request to its published answer: read, decode, classify, publish, acknowledge.

The steps of different requests overlap: pictures are decoded in threads while the model works on
others and earlier answers are on their way. Answers leave in the order of each partition, and a
request is acknowledged only after Kafka has confirmed its answer. Knows no Faust.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from catdog_stream.batching import Batcher
from catdog_stream.errors import RejectedRequest
from catdog_stream.models.stack import Classifier, Verdict
from catdog_stream.ordering import Lanes
from catdog_stream.records import Incoming, parse_request

__all__ = ["Classified", "Outcome", "Pipeline", "Publisher"]

logger = logging.getLogger(__name__)

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Classified:
    """The model's answer to a request, with the ``url`` that goes back to the client."""

    url: str | None
    verdict: Verdict


Outcome = Classified | RejectedRequest


class Publisher(Protocol):
    """Where answers go."""

    async def publish(self, incoming: Incoming, outcome: Outcome) -> Awaitable[object]:
        """Hand the answer over, in order; await the result for Kafka's confirmation."""


@dataclass(eq=False, slots=True)
class _Job:
    incoming: Incoming
    acknowledge: Callable[[], Awaitable[object]]
    outcome: asyncio.Future[Outcome] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Pipeline:
    """Answers requests.

    Args:
        classifier: the model.
        publisher: where answers go.
        on_failure: called once with what made answering impossible (Kafka refused an answer).
            From then on nothing is answered or acknowledged; the caller must stop the process.
        max_image_bytes: largest picture file.
        max_in_flight: most requests taken and not yet acknowledged.
        max_batch: most pictures in one call of the model.
        decode_threads: threads that read requests and decode pictures.
    """

    def __init__(
        self,
        classifier: Classifier,
        publisher: Publisher,
        *,
        on_failure: Callable[[BaseException], object],
        max_image_bytes: int,
        max_in_flight: int,
        max_batch: int,
        decode_threads: int,
    ) -> None:
        self._classifier = classifier
        self._publisher = publisher
        self._on_failure = on_failure
        self._max_image_bytes = max_image_bytes
        self._slots = asyncio.Semaphore(max_in_flight)
        self._lanes: Lanes[int, _Job] = Lanes()
        self._decoders = ThreadPoolExecutor(decode_threads, thread_name_prefix="decode")
        self._model_thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._batcher: Batcher[Picture, Verdict] = Batcher(
            classifier.classify, self._model_thread, max_batch=max_batch
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed = False

    def start(self) -> None:
        """Start the model's loop; needs a running event loop."""
        self._spawn(self._batcher.run())

    async def stop(self) -> None:
        """Drop what is unanswered, unacknowledged: Kafka will deliver it again.

        Returns once the threads have finished the pictures that they are at work on, so that
        the model can be freed.
        """
        await asyncio.gather(*self._cancel_tasks(), return_exceptions=True)
        for pool in (self._decoders, self._model_thread):
            await asyncio.to_thread(pool.shutdown, cancel_futures=True)

    @property
    def in_flight(self) -> int:
        """Requests taken and not yet acknowledged."""
        return len(self._lanes)

    async def submit(
        self, incoming: Incoming, acknowledge: Callable[[], Awaitable[object]]
    ) -> None:
        """Take a request, as soon as there is room for one more."""
        await self._slots.acquire()
        if self._failed:
            return  # unacknowledged: Kafka delivers it again, to whoever takes over
        job = _Job(incoming, acknowledge)
        self._spawn(self._work(job))
        if self._lanes.append(incoming.source.partition, job):
            self._spawn(self._answer_in_order(incoming.source.partition))

    async def _work(self, job: _Job) -> None:
        loop = asyncio.get_running_loop()
        try:
            url, picture = await loop.run_in_executor(
                self._decoders, self._read, job.incoming.value
            )
            verdict = await self._batcher.submit(picture)
        except RejectedRequest as error:
            job.outcome.set_result(error)
        except Exception:
            # A fault of ours, or of the model. The request must not stop those behind it.
            logger.exception("Request %s could not be classified.", job.incoming.source)
            job.outcome.set_result(
                RejectedRequest("internal_error", "The request could not be classified.")
            )
        else:
            job.outcome.set_result(Classified(url, verdict))

    def _read(self, value: bytes | None) -> tuple[str | None, Picture]:
        request = parse_request(value, max_image_bytes=self._max_image_bytes)
        return request.url, self._classifier.prepare(request.picture)

    async def _answer_in_order(self, partition: int) -> None:
        while (first := self._lanes.head(partition)) is not None:
            await first.outcome
            ready = tuple(takewhile(lambda job: job.outcome.done(), self._lanes.waiting(partition)))
            confirmations = [
                await self._publisher.publish(job.incoming, job.outcome.result()) for job in ready
            ]
            for job, confirmation in zip(ready, confirmations, strict=True):
                await confirmation
                await job.acknowledge()
                self._slots.release()
            self._lanes.remove(partition, len(ready))

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None or self._failed:
            return
        self._failed = True
        self._cancel_tasks()
        self._on_failure(error)

    def _cancel_tasks(self) -> tuple[asyncio.Task[None], ...]:
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        return tasks
