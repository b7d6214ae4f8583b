"""Keeps a repeated message of a library from drowning the log.

Without a broker aiokafka says so some thirty times a second.
"""

import logging
import time
from collections.abc import Callable

__all__ = ["RepeatFilter", "StartFilter"]


class RepeatFilter(logging.Filter):
    """Lets a message of one logger through once in a while.

    Args:
        prefix: loggers whose name starts with it are held to this; others are not touched.
        seconds: for so long after a message the same one, whatever its values, is left out.
        clock: seconds that only ever grow.
    """

    def __init__(
        self, prefix: str, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._prefix = prefix
        self._seconds = seconds
        self._clock = clock
        self._let_through_at: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is to be written."""
        if not record.name.startswith(self._prefix):
            return True
        place, now = (record.pathname, record.lineno), self._clock()
        if now - self._let_through_at.get(place, -self._seconds) < self._seconds:
            return False
        self._let_through_at[place] = now
        return True


class StartFilter(logging.Filter):
    """Holds back what aiokafka logs as errors while a new cluster's topics are being created.

    Whoever starts for the first time would look for a fault. What lasts longer is a fault, and
    passes.

    Args:
        seconds: for this long after the filter was made.
        clock: seconds that only ever grow.
    """

    _EXPECTED = ("Topic %s not found in cluster metadata", "Group Coordinator Request failed: %s")

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._end = clock() + seconds

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is to be written."""
        if not record.name.startswith("aiokafka") or self._clock() >= self._end:
            return True
        return record.msg not in self._EXPECTED
