"""Keeps a repeated message of a library from drowning the log.

Without a broker aiokafka says so some thirty times a second.
"""

import logging
import time
from collections.abc import Callable

__all__ = ["RepeatFilter"]


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
