"""Filters that keep repeated messages of libraries out of the log.

Without a broker, aiokafka logs about 30 messages per second.
"""

import logging
import time
from collections.abc import Callable

__all__ = ["RepeatFilter", "StartFilter"]


class RepeatFilter(logging.Filter):
    """Filter that limits how often a message of some loggers is written.

    Args:
        prefix: the filter applies to loggers whose name starts with it.
        seconds: for this long after a message, the same message with any values is dropped.
        clock: monotonic clock, in seconds.
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
        """Return true if the record is to be written."""
        if not record.name.startswith(self._prefix):
            return True
        place, now = (record.pathname, record.lineno), self._clock()
        if now - self._let_through_at.get(place, -self._seconds) < self._seconds:
            return False
        self._let_through_at[place] = now
        return True


class StartFilter(logging.Filter):
    """Filter for errors that aiokafka logs while the topics of a new cluster are created.

    They would alarm a first-time user. Later records pass, because they show a fault.

    Args:
        seconds: duration after the creation of the filter.
        clock: monotonic clock, in seconds.
    """

    _EXPECTED = ("Topic %s not found in cluster metadata", "Group Coordinator Request failed: %s")

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._end = clock() + seconds

    def filter(self, record: logging.LogRecord) -> bool:
        """Return true if the record is to be written."""
        if not record.name.startswith("aiokafka") or self._clock() >= self._end:
            return True
        return record.msg not in self._EXPECTED
