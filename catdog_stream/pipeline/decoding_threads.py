"""Threads that work items off and hand the results back to the event loop.

A future of an executor for each item costs more than reading a small request; here the loop is
woken once for all results that have come by then.
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
    """Calls ``read`` in threads and ``on_read`` in the event loop that it was started in.

    Args:
        read: works one item off; called by several threads at once.
        on_read: gets each item with what ``read`` returned or raised.
        threads: how many.
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
        """Have ``item`` worked off, after those before it have been begun."""
        self._waiting.put(item)

    def clear(self) -> list[Item]:
        """Forget the items that no thread has begun, which ``on_read`` will not get; these."""
        forgotten = []
        with suppress(Empty):
            while not self._stopping:
                if (item := self._waiting.get_nowait()) is not None:
                    forgotten.append(item)
        return forgotten

    def stop(self) -> None:
        """End the threads once each has finished its item; blocks, and is called once."""
        self.clear()
        self._stopping = True  # from now on nobody clears away what ends the threads
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
            except Exception as error:  # noqa: BLE001 - whoever put the item in deals with it
                result = error
            except BaseException as error:  # noqa: BLE001 - the thread must not end
                result = RuntimeError(f"Reading raised {error!r}.")
                result.__cause__ = error
            self._done.append((item, result))
            # The loop takes the mark away before it looks: what was appended before this test
            # is seen, by that look or by another one.
            if not self._waking:
                self._waking = True
                self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._waking = False
        while self._done:
            self._on_read(*self._done.popleft())
