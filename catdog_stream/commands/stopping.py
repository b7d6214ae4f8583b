"""Ctrl-C and SIGTERM for the commands.

A signal is only counted, and the commands poll the count ten times a second. An exception from a
signal handler would be raised wherever Python is, and might be lost there: in a callback of the
event loop, in a destructor. Code that cannot poll, such as the start of a server, gets the
exception anyway; if the exception is lost, the end of the block raises it again.
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
#: For the clean-up of cancelled tasks. A dead broker may never answer their last requests.
CANCEL_SECONDS = 0.5
#: For the tasks that remain after that.
LEFTOVERS_SECONDS = 0.1

T = TypeVar("T")


class Stopped(BaseException):
    """Signal that stops the command."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        #: Exit code of a program that the signal ended, as in a shell.
        self.exit_code = 128 + number


class Signals:
    """Signals that have arrived since the command began."""

    def __init__(self) -> None:
        #: Number of signals.
        self.count = 0
        self._first = 0
        self._raises = False

    def receive(self, number: int, _frame: FrameType | None) -> None:
        """Handle a signal: count it, and raise ``Stopped`` within ``interrupting``."""
        self.count += 1
        self._first = self._first or number
        if self._raises:
            self._raises = False  # a further signal must not interrupt the clean-up
            raise Stopped(self._first)

    def check(self, most: int = 0) -> None:
        """Raise ``Stopped`` if more than ``most`` signals have arrived."""
        if self.count > most:
            raise Stopped(self._first)

    def pause(self) -> None:
        """Sleep for ``POLL_SECONDS``. Raise ``Stopped``."""
        self.check()
        time.sleep(POLL_SECONDS)
        self.check()

    @contextmanager
    def interrupting(self) -> Iterator[None]:
        """Raise ``Stopped`` immediately inside a block that runs no event loop."""
        self._raises = True
        try:
            self.check()
            yield
        finally:
            self._raises = False
        self.check()

    def run(self, work: Coroutine[Any, Any, T], *, most: int = 0) -> T:
        """Run ``work`` in its own event loop; cancel it after more than ``most`` signals.

        Not in ``asyncio.run``, which waits for its threads: one of them resolves a host name.
        """
        loop = asyncio.SelectorEventLoop()
        try:
            return loop.run_until_complete(self._watched(work, most))
        finally:
            loop.set_exception_handler(lambda _loop, _context: None)  # for abandoned tasks
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
    """End the tasks and the unclosed generators that remain in the loop."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await cancel(others, LEFTOVERS_SECONDS)
    closing = asyncio.ensure_future(asyncio.get_running_loop().shutdown_asyncgens())
    await asyncio.wait({closing}, timeout=CANCEL_SECONDS)
    await cancel({closing}, LEFTOVERS_SECONDS)


async def cancel(tasks: set[asyncio.Task[Any]], seconds: float = CANCEL_SECONDS) -> None:
    """Cancel ``tasks``; those that have not ended after ``seconds`` are abandoned."""
    for _ in range(2):  # libraries lose the first cancellation, or wait in their clean-up
        going = {task for task in tasks if not task.done()}
        for task in going:
            task.cancel()
        if going:
            await asyncio.wait(going, timeout=seconds / 2)
    for task in tasks:
        if task.done() and not task.cancelled():
            task.exception()  # mark as retrieved, so that asyncio does not report it


@contextmanager
def until_stopped() -> Iterator[Signals]:
    """Run the block until it ends, or until SIGINT or SIGTERM ends it quietly.

    After a signal, all further signals are ignored: the program ends with a fixed status.
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
