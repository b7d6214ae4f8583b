"""Threads that process items and return the results to the event loop.

One executor future for each item would cost more than reading a small request. Here one wake-up of
the loop delivers all results that are ready.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

__all__ = ["DecodingThreads"]

Item = TypeVar("Item")
Result = TypeVar("Result")


class DecodingThreads(Generic[Item, Result]):
    """Pool that calls ``read`` in threads and ``on_read`` in the event loop of ``start``.

    Args:
        read: processes one item; several threads call it at once.
        on_read: receives each item with the result or the exception of ``read``.
        threads: number of threads.
    """

    def __init__(
        self,
        read: Callable[[Item], Result],
        on_read: Callable[[Item, Result | Exception], object],
        *,
        threads: int,
    ) -> None:
        self._read = read
        self._on_read = on_read
        self._waiting: SimpleQueue[Item | None] = SimpleQueue()
        self._done: deque[tuple[Item, Result | Exception]] = deque()
        self._waking = False
        self._stopping = False
        self._threads = [
            Thread(target=self._work, name=f"decode_{number}", daemon=True)
            for number in range(threads)
        ]

    def start(self) -> None:
        """Start the threads; needs a running event loop."""
        self._loop = asyncio.get_running_loop()
        for thread in self._threads:
            thread.start()

    def put(self, item: Item) -> None:
        """Queue ``item``; items are started in the order of their arrival."""
        self._waiting.put(item)

    def clear(self) -> list[Item]:
        """Remove and return the items that no thread has started, without calling ``on_read``."""
        forgotten = []
        with suppress(Empty):
            while not self._stopping:
                if (item := self._waiting.get_nowait()) is not None:
                    forgotten.append(item)
        return forgotten

    def stop(self) -> None:
        """End the threads after each has finished its item. Blocks; call it once only."""
        self.clear()
        self._stopping = True  # from now on ``clear`` must not remove the end markers
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _work(self) -> None:
        while (item := self._waiting.get()) is not None:
            result: Result | Exception
            try:
                result = self._read(item)
            except Exception as error:  # noqa: BLE001 - ``on_read`` handles it
                result = error
            except BaseException as error:  # noqa: BLE001 - the thread must not end
                result = RuntimeError(f"Reading raised {error!r}.")
                result.__cause__ = error
            self._done.append((item, result))
            # The loop resets the flag before it reads: a result that was appended before this
            # test is delivered by that call or by another one.
            if not self._waking:
                self._waking = True
                self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._waking = False
        while self._done:
            self._on_read(*self._done.popleft())
