"""What waits for the shadow: a few pictures. What there is no room for is not waited for."""

from collections import deque
from dataclasses import dataclass
from threading import Condition

from catdog_stream.models.verdict import Verdict
from catdog_stream.wire import Source

__all__ = ["Seen", "Waiting"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture and what was answered."""

    source: Source
    picture: bytes
    """The file, as it came."""
    verdict: Verdict


class Waiting:
    """Pictures in the order in which they came; many threads may put them in and take them out.

    Args:
        most: pictures at a time.
        most_bytes: of all of them together.
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._items: deque[Seen] = deque()
        self._bytes = 0
        self._closed = False
        self._changed = Condition()

    def put(self, item: Seen) -> bool:
        """Let it wait, if there is room: returns whether there was."""
        with self._changed:
            size = self._bytes + len(item.picture)
            if self._closed or len(self._items) >= self._most or size > self._most_bytes:
                return False
            self._bytes = size
            self._items.append(item)
            self._changed.notify()
            return True

    def take(self) -> Seen | None:
        """The one that came first, once there is one; ``None`` at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed)
            if self._closed:
                return None
            item = self._items.popleft()
            self._bytes -= len(item.picture)
            return item

    def close(self) -> None:
        """Have ``take`` return, and let nothing wait any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
