"""Acknowledgements of one partition, and the offset that they allow to commit.

Agents may acknowledge in any order: with ``concurrency=2`` the second record is often done first.
A committed offset stands for all records in front of it, so it must never pass one that is still in
progress (faust-streaming #606 does).
"""

from collections import deque

__all__ = ["AckTracker"]


class AckTracker:
    """Offsets of one partition that were delivered to agents and are not all acknowledged.

    It keeps the records in progress and nothing else: offsets behind them, such as the markers of
    transactions, are no gap.
    """

    __slots__ = ("_acknowledged", "_end", "_in_progress")

    def __init__(self) -> None:
        self._in_progress: deque[int] = deque()
        self._acknowledged: set[int] = set()
        self._end = 0

    def deliver(self, offset: int) -> None:
        """Note that the record at ``offset`` goes to its agents; offsets only grow."""
        self._in_progress.append(offset)

    def acknowledge(self, offset: int) -> None:
        """Note that the agents are done with the record at ``offset``."""
        waiting = self._in_progress
        if not waiting or offset != waiting[0]:
            self._acknowledged.add(offset)
            return
        self._end = waiting.popleft() + 1
        while waiting and waiting[0] in self._acknowledged:
            self._acknowledged.remove(waiting[0])
            self._end = waiting.popleft() + 1

    def acknowledge_before(self, offset: int) -> None:
        """Note that the agents are done with every record in front of ``offset``."""
        waiting = self._in_progress
        while waiting and waiting[0] < offset:
            self._acknowledged.discard(waiting[0])
            self._end = waiting.popleft() + 1

    @property
    def is_idle(self) -> bool:
        """``True`` if every delivered record is acknowledged."""
        return not self._in_progress

    @property
    def committable(self) -> int:
        """The offset in front of which every record is acknowledged; 0 before the first one."""
        return self._in_progress[0] if self._in_progress else self._end
