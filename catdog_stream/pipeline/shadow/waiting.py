"""Bounded queue of pictures for the shadow. What does not fit is dropped, without waiting."""

from collections import deque
from dataclasses import dataclass
from threading import Condition

from catdog_stream.messages.wire import Source
from catdog_stream.models.verdict import Verdict

__all__ = ["Seen", "Waiting"]


@dataclass(frozen=True, slots=True)
class Seen:
    """Picture with its answer."""

    source: Source
    picture: bytes
    """The file as received."""
    verdict: Verdict


class Waiting:
    """Queue of pictures in the order of their arrival, for any number of threads.

    Args:
        most: largest number of pictures.
        most_bytes: largest size of all of them together.
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._items: deque[Seen] = deque()
        self._bytes = 0
        self._closed = False
        self._changed = Condition()

    def put(self, item: Seen) -> bool:
        """Queue an item; return false if it does not fit."""
        with self._changed:
            size = self._bytes + len(item.picture)
            if self._closed or len(self._items) >= self._most or size > self._most_bytes:
                return False
            self._bytes = size
            self._items.append(item)
            self._changed.notify()
            return True

    def take(self) -> Seen | None:
        """Wait for the oldest item and remove it; return ``None`` once the queue is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed)
            if self._closed:
                return None
            item = self._items.popleft()
            self._bytes -= len(item.picture)
            return item

    def close(self) -> None:
        """Make ``take`` return, and accept no more items."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
