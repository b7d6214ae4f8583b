"""Queues that keep the order of answers: a request is answered only after those in front of it.

Counting relies on this. The table stores the last counted offset of each partition and skips older
ones, so an answer that overtook another would make the other look like a repetition. Committing
relies on this, too: Faust commits past a request in progress if a later one was acknowledged first
(faust-streaming #606).
"""

from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["PartitionQueues"]

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class PartitionQueues(Generic[K, T]):
    """One queue for each key. The task that takes from a queue owns it until it is empty."""

    def __init__(self) -> None:
        self._lanes: dict[K, deque[T]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._lanes.values()))

    def length(self, key: K) -> int:
        """Return the number of items of the queue."""
        return len(self._lanes.get(key, ()))

    def append(self, key: K, item: T) -> bool:
        """Queue ``item``; return true if the queue was idle and needs a task to serve it."""
        lane = self._lanes.get(key)
        if lane is None:
            self._lanes[key] = deque([item])
            return True
        lane.append(item)
        return False

    def head(self, key: K) -> T | None:
        """Return the first item of the queue; ``None`` ends the task that serves it."""
        lane = self._lanes.get(key)
        if not lane:
            self._lanes.pop(key, None)
            return None
        return lane[0]

    def waiting(self, key: K) -> tuple[T, ...]:
        """Return all items of the queue, in order."""
        return tuple(self._lanes.get(key, ()))

    def remove_head(self, key: K) -> None:
        """Drop the first item, which has been answered."""
        self._lanes[key].popleft()

    def clear(self) -> list[T]:
        """Remove all items of all queues, and return them."""
        dropped = [item for lane in self._lanes.values() for item in lane]
        self._lanes.clear()
        return dropped
