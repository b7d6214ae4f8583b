"""Detection of a stall of the worker, as pure bookkeeping with an injectable clock."""

import time
from collections.abc import Callable

__all__ = ["ProgressWatch"]


class ProgressWatch:
    """Detector of work that waits while none gets done.

    Args:
        patience: seconds without progress, while work waits, that are allowed.
        clock: monotonic clock, in seconds.
    """

    def __init__(self, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._clock = clock
        self._done = -1
        self._since = clock()

    def observe(self, done: int, *, waiting: bool) -> None:
        """Record the amount of work done so far, and if work waits now."""
        if done != self._done or not waiting:
            self._done = done
            self._since = self._clock()

    @property
    def stalled_seconds(self) -> float:
        """Seconds that work has waited without progress; 0.0 while within ``patience``."""
        waited = self._clock() - self._since
        return waited if waited > self._patience else 0.0
