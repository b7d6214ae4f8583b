"""Budget that leaves something to every user: one that takes much cannot use up all of it."""

import asyncio
from collections import Counter, deque
from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["FairBudget"]

K = TypeVar("K", bound=Hashable)


class FairBudget(Generic[K]):
    """Budget of an event loop in any unit, shared by keys such as partitions.

    A key may hold at most as much as stays free, so alone it gets half of the budget. A key that
    holds nothing gets up to all that is free, and one that is alone may exceed the budget. While a
    key waits that holds nothing, no other key gets more than it holds.

    Args:
        most: the budget.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._total = 0
        self._held: Counter[K] = Counter()
        self._queues: dict[K, deque[tuple[int, asyncio.Future[None]]]] = {}

    @property
    def held(self) -> int:
        """Sum of what is held now."""
        return self._total

    async def acquire(self, key: K, size: int) -> None:
        """Wait until ``key`` may hold ``size`` more. A key's calls are served in their order."""
        if not (key in self._queues or self._is_overdue()) and self._has_room(key, size):
            self._take(key, size)
            return
        turn = asyncio.get_running_loop().create_future()
        self._queues.setdefault(key, deque()).append((size, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release(key, size)
            else:
                turn.cancel()
                self._serve()  # it may have been the one that the next ones wait for
            raise

    def release(self, key: K, size: int) -> None:
        """Release ``size`` of what ``key`` holds."""
        self._total -= size
        self._held[key] -= size
        if not self._held[key]:
            del self._held[key]
        self._serve()

    def _serve(self) -> None:
        for key, queue in tuple(self._queues.items()):
            while queue and (queue[0][1].done() or self._has_room(key, queue[0][0])):
                size, turn = queue.popleft()
                if not turn.done():
                    self._take(key, size)
                    turn.set_result(None)
                    self._queues[key] = self._queues.pop(key)  # behind the others that wait
            if not queue:
                del self._queues[key]
            elif key not in self._held:
                break  # or smaller ones would overtake it for ever

    def _is_overdue(self) -> bool:
        """Return true if a key waits that holds nothing."""
        return any(key not in self._held for key in self._queues)

    def _has_room(self, key: K, size: int) -> bool:
        free = self._most - self._total - size
        held = self._held[key]
        return not self._total or free >= (held + size if held else 0)

    def _take(self, key: K, size: int) -> None:
        self._total += size
        self._held[key] += size
