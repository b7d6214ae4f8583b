"""Does the worker get on? Pure bookkeeping with an injectable clock."""

import time
from collections.abc import Callable

__all__ = ["ProgressWatch"]


class ProgressWatch:
    """Notices when work waits and nothing of it gets done.

    Args:
        patience: seconds without progress, while work waits, that are still all right.
        clock: seconds that only ever grow.
    """

    def __init__(self, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._clock = clock
        self._done = -1
        self._since = clock()

    def observe(self, done: int, *, waiting: bool) -> None:
        """Say how much has been done so far, and whether work waits now."""
        if done != self._done or not waiting:
            self._done = done
            self._since = self._clock()

    @property
    def stalled_seconds(self) -> float:
        """How long work has waited in vain; 0.0 while that is within ``patience``."""
        waited = self._clock() - self._since
        return waited if waited > self._patience else 0.0
