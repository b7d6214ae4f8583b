"""Token bucket for rate limits."""

import time
from collections.abc import Callable

__all__ = ["Bucket"]


class Bucket:
    """Rate limiter that allows ``most`` events at once and then ``rate`` per second.

    Args:
        rate: events per second.
        most: capacity of the bucket.
        clock: monotonic clock, in seconds.
    """

    def __init__(
        self, rate: float, most: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._most, self._clock = rate, float(most), clock
        self._left, self._then = self._most, clock()

    @property
    def left(self) -> float:
        """Number of events allowed now; below 0 after a charge beyond the capacity."""
        return min(self._most, self._left + self._rate * (self._clock() - self._then))

    def charge(self, count: int) -> None:
        """Charge ``count`` events, even beyond the number left."""
        self._left, self._then = self.left - count, self._clock()

    def take(self) -> bool:
        """Charge one event and return true, or return false if none is left."""
        if self.left < 1:
            return False
        self.charge(1)
        return True
