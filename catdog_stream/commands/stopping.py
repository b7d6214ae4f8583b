"""Ctrl-C and SIGTERM for the commands.

A signal is only counted, and asked for ten times a second. An exception out of its handler would
come out wherever Python is, and be lost there: in a callback of the event loop, in a destructor.
Where nothing can ask, as in the start of a server, it is raised all the same; and if it is lost
there, it is found at the end of the block.
"""

import asyncio
import signal
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

__all__ = ["POLL_SECONDS", "Signals", "Stopped", "cancel", "until_stopped"]

NUMBERS = (signal.SIGINT, signal.SIGTERM)
POLL_SECONDS = 0.1
#: For the clean-up of what is cancelled. A broker that is gone may never answer its good-byes.
CANCEL_SECONDS = 0.5
#: For what that has left behind.
LEFTOVERS_SECONDS = 0.1

T = TypeVar("T")


class Stopped(BaseException):
    """A signal came."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        #: What a shell shows for a program that the signal ended.
        self.exit_code = 128 + number


class Signals:
    """The signals that have come since the command began."""

    def __init__(self) -> None:
        #: How many.
        self.count = 0
        self._first = 0
        self._raises = False

    def receive(self, number: int, _frame: FrameType | None) -> None:
        """Handle a signal: count it, and raise it if that was asked for."""
        self.count += 1
        self._first = self._first or number
        if self._raises:
            self._raises = False  # the next one shall not interrupt what this one cleans up
            raise Stopped(self._first)

    def check(self, most: int = 0) -> None:
        """Raise ``Stopped`` if more than ``most`` signals have come."""
        if self.count > most:
            raise Stopped(self._first)

    def pause(self) -> None:
        """Sleep for a moment. Raises ``Stopped``."""
        self.check()
        time.sleep(POLL_SECONDS)
        self.check()

    @contextmanager
    def interrupting(self) -> Iterator[None]:
        """Raise ``Stopped`` in the midst of a block that runs no event loop."""
        self._raises = True
        try:
            self.check()
            yield
        finally:
            self._raises = False
        self.check()

    def run(self, work: Coroutine[Any, Any, T], *, most: int = 0) -> T:
        """Run ``work`` in a loop of its own; cancel it when more than ``most`` signals have come.

        Not in ``asyncio.run``, which waits for its threads: one asks for the address of a host.
        """
        loop = asyncio.SelectorEventLoop()
        try:
            return loop.run_until_complete(self._watched(work, most))
        finally:
            loop.set_exception_handler(lambda _loop, _context: None)  # of what is left behind
            loop.run_until_complete(_clear())
            loop.close()

    async def _watched(self, work: Coroutine[Any, Any, T], most: int) -> T:
        task = asyncio.ensure_future(work)
        while not task.done() and self.count <= most:
            await asyncio.wait({task}, timeout=POLL_SECONDS)
        if not task.done():
            await cancel({task})
            self.check(most)
        return task.result()


async def _clear() -> None:
    """End what is left behind in the loop: tasks, and generators that nobody has closed."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await cancel(others, LEFTOVERS_SECONDS)
    closing = asyncio.ensure_future(asyncio.get_running_loop().shutdown_asyncgens())
    await asyncio.wait({closing}, timeout=CANCEL_SECONDS)
    await cancel({closing}, LEFTOVERS_SECONDS)


async def cancel(tasks: set[asyncio.Task[Any]], seconds: float = CANCEL_SECONDS) -> None:
    """Cancel ``tasks``; those that have not ended after ``seconds`` are left behind."""
    for _ in range(2):  # libraries lose the first one, or wait in their clean-up
        going = {task for task in tasks if not task.done()}
        for task in going:
            task.cancel()
        if going:
            await asyncio.wait(going, timeout=seconds / 2)
    for task in tasks:
        if task.done() and not task.cancelled():
            task.exception()  # it has been looked at: asyncio need not tell of it


@contextmanager
def until_stopped() -> Iterator[Signals]:
    """Run the block until it ends, or until SIGINT or SIGTERM ends it quietly.

    After a signal, others are ignored for good: the program ends, and its status is settled.
    """
    signals = Signals()
    before = {number: signal.signal(number, signals.receive) for number in NUMBERS}
    try:
        yield signals
    except Stopped:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if signals.count else handler)
