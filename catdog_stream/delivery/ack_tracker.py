"""Acknowledgements of one partition, and the offset that they allow to commit.

Agents may acknowledge in any order: with ``concurrency=2`` the second record is often done first.
A committed offset covers all records in front of it, so it must never pass a record that is still
in progress (as in faust-streaming #606).
"""

from collections import deque

__all__ = ["AckTracker"]


class AckTracker:
    """Delivered records of one partition that are not all acknowledged, by offset.

    It keeps only the records in progress. Offsets without a record, such as transaction markers,
    are no gap.
    """

    __slots__ = ("_acknowledged", "_end", "_in_progress")

    def __init__(self) -> None:
        self._in_progress: deque[int] = deque()
        self._acknowledged: set[int] = set()
        self._end = 0

    def deliver(self, offset: int) -> None:
        """Record the delivery of the record at ``offset`` to its agents; offsets only grow."""
        self._in_progress.append(offset)

    def acknowledge(self, offset: int) -> None:
        """Record that the agents have finished with the record at ``offset``."""
        waiting = self._in_progress
        if not waiting or offset != waiting[0]:
            self._acknowledged.add(offset)
            return
        self._end = waiting.popleft() + 1
        while waiting and waiting[0] in self._acknowledged:
            self._acknowledged.remove(waiting[0])
            self._end = waiting.popleft() + 1

    def acknowledge_before(self, offset: int) -> None:
        """Record that the agents have finished with every record in front of ``offset``."""
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
