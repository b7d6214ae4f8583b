"""Ctrl-C and SIGTERM for commands that run until they are stopped."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["until_stopped"]


class _Stopped(BaseException):
    """Raised by the signals inside ``until_stopped``."""


@contextmanager
def until_stopped() -> Iterator[None]:
    """Run the block until it ends, or until SIGINT or SIGTERM ends it quietly.

    A second signal does not interrupt the clean-up that the first one started.
    """

    def stop(number: int, _frame: FrameType | None) -> None:
        for handled in (signal.SIGINT, signal.SIGTERM):
            signal.signal(handled, signal.SIG_IGN)
        raise _Stopped(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except _Stopped:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
