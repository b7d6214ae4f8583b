"""Batching of queued items, with a wait for more items where it pays.

While one batch is in the model, other items queue; the next batch takes them all, up to a limit.
An idle model starts at once, except where a larger batch costs little more, as on a GPU, and the
next item is expected soon: ``batch_policy`` computes for how long waiting pays.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from catdog_stream.pipeline.batch_policy import BatchPolicy

__all__ = ["Batcher"]

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Queued(Generic[Item, Result]):
    item: Item
    result: asyncio.Future[Result]
    arrived: float
    on_begin: Callable[[], object] | None


class Batcher(Generic[Item, Result]):
    """Batcher that calls ``process`` with batches, in the order of submission.

    Args:
        process: takes a batch of items, returns one result for each, in order.
        policy: limits the size and the waiting time of a batch. Its clock is the event loop's.
        parallel: number of batches in ``process`` at a time.
    """

    def __init__(
        self,
        process: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        policy: BatchPolicy,
        *,
        parallel: int = 1,
    ) -> None:
        self._process = process
        self._policy = policy
        self._queue: deque[_Queued[Item, Result]] = deque()
        self._arrival = asyncio.Event()
        self._free = asyncio.Semaphore(parallel)

    def submit(
        self, item: Item, on_begin: Callable[[], object] | None = None
    ) -> asyncio.Future[Result]:
        """Queue one item; return a future of its result, or of the error that it alone caused.

        Args:
            item: the item.
            on_begin: called when the batch of the item starts.
        """
        loop = asyncio.get_running_loop()
        queued: _Queued[Item, Result] = _Queued(item, loop.create_future(), loop.time(), on_begin)
        self._queue.append(queued)
        self._policy.arrived(queued.arrived)
        self._arrival.set()
        return queued.result

    async def run(self) -> None:
        """Serve until cancelled."""
        try:
            async with asyncio.TaskGroup() as serving:
                while True:
                    await self._free.acquire()
                    await self._until_a_batch_should_go()
                    size = min(len(self._queue), self._policy.max_batch)
                    batch = [self._queue.popleft() for _ in range(size)]
                    task = serving.create_task(self._serve(batch))
                    task.add_done_callback(lambda _: self._free.release())
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    async def _until_a_batch_should_go(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._arrival.clear()
            if not self._queue:
                await self._arrival.wait()
                continue
            go_at = self._policy.go_at(len(self._queue), self._queue[0].arrived)
            if go_at <= loop.time():
                return
            try:
                async with asyncio.timeout_at(go_at):
                    await self._arrival.wait()
            except TimeoutError:
                return

    async def _serve(self, taken: list[_Queued[Item, Result]]) -> None:
        batch = [queued for queued in taken if not queued.result.cancelled()]
        if not batch:
            return
        loop = asyncio.get_running_loop()
        started = loop.time()
        for queued in batch:
            if queued.on_begin is not None:
                queued.on_begin()
        try:
            results = await self._process([queued.item for queued in batch])
        except Exception as error:  # noqa: BLE001 - any error is raised by the item's future
            if len(batch) > 1:
                # One item may have failed the batch: retry each alone, so that only this one fails.
                logger.warning("A batch of %d failed (%s): one by one.", len(batch), error)
                for single in batch:
                    await self._serve([single])
            elif not batch[0].result.cancelled():
                batch[0].result.set_exception(error)
            return
        self._policy.served(len(batch), loop.time() - started)
        for queued, result in zip(batch, results, strict=True):
            if not queued.result.cancelled():
                queued.result.set_result(result)
