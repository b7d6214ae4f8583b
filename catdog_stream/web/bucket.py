"""A token bucket: how often something may happen."""

import time
from collections.abc import Callable

__all__ = ["Bucket"]


class Bucket:
    """Lets ``most`` pass at once and then ``rate`` a second, however many want to.

    Args:
        clock: seconds that only ever grow.
    """

    def __init__(
        self, rate: float, most: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._most, self._clock = rate, float(most), clock
        self._left, self._then = self._most, clock()

    @property
    def left(self) -> float:
        """How many may pass now; below 0 after more were charged than there were."""
        return min(self._most, self._left + self._rate * (self._clock() - self._then))

    def charge(self, count: int) -> None:
        """So many pass, whatever is left."""
        self._left, self._then = self.left - count, self._clock()

    def take(self) -> bool:
        """Whether one more may pass, which then has."""
        if self.left < 1:
            return False
        self.charge(1)
        return True
