"""Batches of what has queued up: nobody waits for a batch to fill.

While one batch is in the model, others queue; the next batch takes them all, up to a limit. An
idle model therefore answers a single picture at once, and a busy one works in full batches.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

__all__ = ["Batcher"]

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """Feeds ``process`` with batches, one at a time.

    Args:
        process: takes a batch of items, returns one result for each, in order.
        max_batch: most items in one batch.
    """

    def __init__(
        self,
        process: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        *,
        max_batch: int,
    ) -> None:
        self._process = process
        self._max_batch = max_batch
        self._queue: asyncio.Queue[tuple[Item, asyncio.Future[Result]]] = asyncio.Queue()

    async def submit(self, item: Item) -> Result:
        """Wait for the result of one item; raises what ``process`` raised for it alone."""
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((item, result))
        return await result

    async def run(self) -> None:
        """Serve until cancelled."""
        while True:
            batch = [await self._queue.get()]
            while len(batch) < self._max_batch and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            await self._serve(batch)

    async def _serve(self, taken: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        batch = [pair for pair in taken if not pair[1].cancelled()]
        if not batch:
            return
        items = [item for item, _ in batch]
        try:
            results = await self._process(items)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the item's to raise
            if len(batch) > 1:
                # One item spoilt the batch: each on its own, so that it fails alone.
                logger.warning("A batch of %d failed (%s): one by one.", len(batch), error)
                for single in batch:
                    await self._serve([single])
            elif not batch[0][1].cancelled():
                batch[0][1].set_exception(error)
            return
        for (_, future), result in zip(batch, results, strict=True):
            if not future.cancelled():
                future.set_result(result)
