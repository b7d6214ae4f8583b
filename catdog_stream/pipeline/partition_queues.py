"""Answer in order: per partition, no request is answered before the one in front of it.

Counting relies on it. The table remembers the last counted offset of each partition and skips
older ones, so an answer that overtook another would make the other look like a repetition.
Committing relies on it too: Faust commits past a request that is still in work if a later one
was acknowledged first (faust-streaming #606).
"""

from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["PartitionQueues"]

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class PartitionQueues(Generic[K, T]):
    """One queue for each key; whoever takes from a lane owns it until it is empty."""

    def __init__(self) -> None:
        self._lanes: dict[K, deque[T]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._lanes.values()))

    def append(self, key: K, item: T) -> bool:
        """Queue ``item``; true if the lane was idle and needs somebody to serve it."""
        lane = self._lanes.get(key)
        if lane is None:
            self._lanes[key] = deque([item])
            return True
        lane.append(item)
        return False

    def head(self, key: K) -> T | None:
        """The first item of the lane; ``None`` ends the lane's service."""
        lane = self._lanes.get(key)
        if not lane:
            self._lanes.pop(key, None)
            return None
        return lane[0]

    def waiting(self, key: K) -> tuple[T, ...]:
        """Everything in the lane, in order."""
        return tuple(self._lanes.get(key, ()))

    def remove_head(self, key: K) -> None:
        """Drop the first item, which has been answered."""
        self._lanes[key].popleft()

    def clear(self) -> list[T]:
        """Drop everything; what was dropped."""
        dropped = [item for lane in self._lanes.values() for item in lane]
        self._lanes.clear()
        return dropped
