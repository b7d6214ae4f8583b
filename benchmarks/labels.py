"""Client that records when labels arrive."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from catdog_stream.kafka.replies import Reply, replies
from catdog_stream.settings import Settings

__all__ = ["Arrival", "Labels"]

#: Seconds without a label after which the wait fails; a start takes a few.
PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """Number of labels that had arrived at a time of ``time.perf_counter``."""

    count: int
    seconds: float


class Labels:
    """Reader of the labels for the requests with these ``urls``, from the start of its block.

    Any other label, and any rejection, is an error: the measurement would include foreign records.
    The topics must exist.
    """

    def __init__(self, address: str, urls: Iterable[str]) -> None:
        self._address = address
        self._expected = frozenset(urls)
        self._seconds: dict[str, float] = {}
        self._latest = 0.0
        self._waiting: dict[str, asyncio.Future[float]] = {}
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._answers = replies(Settings(broker=f"kafka://{self._address}").cluster)
        stream = await self._answers.__aenter__()
        self._reader = asyncio.create_task(self._read(stream))
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._reader.cancel()
        await asyncio.wait({self._reader})
        await self._answers.__aexit__(None, None, None)

    @property
    def expected(self) -> int:
        """Number of labels that will arrive."""
        return len(self._expected)

    def now(self) -> Arrival:
        """Return the number of labels that have arrived by now."""
        return Arrival(len(self._seconds), time.perf_counter())

    async def until(self, count: int) -> Arrival:
        """Wait for ``count`` labels. Raises ``RuntimeError`` if no more come."""
        while len(self._seconds) < count:
            self._changed.clear()
            self._raise_failure()
            try:
                await asyncio.wait_for(self._changed.wait(), PATIENCE)
            except TimeoutError:
                raise RuntimeError(
                    f"{len(self._seconds)} of {count} labels have come, and no more in "
                    f"{PATIENCE:.0f} s."
                ) from None
        return Arrival(len(self._seconds), self._latest)

    async def of(self, url: str) -> float:
        """Wait for one label and return its time of arrival, by ``time.perf_counter``."""
        if url not in self._seconds:
            self._raise_failure()
            waiting = self._waiting[url] = asyncio.get_running_loop().create_future()
            await asyncio.wait_for(waiting, PATIENCE)
        return self._seconds[url]

    async def _read(self, stream: AsyncIterator[Reply]) -> None:
        try:
            async for reply in stream:
                self._note(reply, time.perf_counter())
                self._changed.set()
        except Exception as error:
            self._changed.set()
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(error)
            raise

    def _note(self, reply: Reply, now: float) -> None:
        if (rejection := reply.rejection) is not None:
            raise RuntimeError(f"A request was rejected: {rejection.detail}")
        url = reply.url
        if url not in self._expected:
            raise RuntimeError("A label has come of a request that this run did not send.")
        if url in self._seconds:
            return  # after a rebalance a label may come a second time
        self._seconds[url] = self._latest = now
        waiting = self._waiting.pop(url, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(now)

    def _raise_failure(self) -> None:
        if self._reader.done():
            self._reader.result()
