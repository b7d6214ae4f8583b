"""Unacknowledged vote records, in the order of the log.

Acknowledging a record acknowledges all before it. So each record stays until its request, and the
requests of all records in front of it, are settled. Of consecutive records that wait for the same
request, only the last is kept, and records that wait for no request cost nothing.
"""

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["NOTHING", "PendingAcks"]

T = TypeVar("T")

#: Offset of a record that waits for no request.
NOTHING = -1
LEAST_TIDIED = 1000


@dataclass(slots=True)
class _Entry(Generic[T]):
    """Last of some consecutive records of the log that wait for the same request."""

    #: The request that they wait for.
    request: int
    token: T
    bytes: int


class PendingAcks(Generic[T]):
    """Unacknowledged records of one partition.

    Args:
        first: offset of the first undecided request; ``None`` if none was ever decided.
    """

    def __init__(self, first: int | None) -> None:
        #: The last decided request.
        self._decided = NOTHING if first is None else first - 1
        #: The last request that is answered and counted.
        self._settled = self._decided
        self._log: deque[_Entry[T]] = deque()
        #: Number of entries at which those in the middle that nothing waits on are removed.
        self._most = LEAST_TIDIED
        #: Memory of the records, in bytes.
        self.bytes = 0

    def append(self, request: int, token: T, size: int) -> None:
        """Add the next record of the log, which waits for a request, or for ``NOTHING``.

        ``free`` returns ``token`` later, or the token of a later record.
        """
        if len(self._log) >= self._most:
            self._tidy()
        self._join(_Entry(request, token, size))

    def _join(self, entry: _Entry[T]) -> None:
        """Append an entry, or replace the last one if that waits as long."""
        self.bytes += entry.bytes
        if self._log:
            last = self._log[-1]
            if entry.request == last.request or entry.request <= self._decided:
                entry.request = max(entry.request, last.request)
                self.bytes -= self._log.pop().bytes
        self._log.append(entry)

    def _tidy(self) -> None:
        """Merge entries of meanwhile decided requests into the entries in front of them."""
        entries, self._log = self._log, deque()
        for entry in entries:
            self.bytes -= entry.bytes
            self._join(entry)
        self._most = max(LEAST_TIDIED, 2 * len(self._log))

    def decide(self, request: int) -> None:
        """Record that this request and all before it are decided."""
        self._decided = request

    def drop(self, request: int) -> None:
        """Make no record wait for this request, which does not exist."""
        for entry in self._log:
            if entry.request == request:
                # Records that were merged into it may wait for any request decided by now.
                entry.request = self._decided

    def settle(self, request: int) -> None:
        """Record that this request and all before it are answered and counted."""
        self._settled = max(self._settled, request)

    def free(self) -> list[T]:
        """Return the tokens to acknowledge now, in log order; each covers all before it."""
        found = []
        while self._log and self._log[0].request <= self._settled:
            entry = self._log.popleft()
            self.bytes -= entry.bytes
            found.append(entry.token)
        return found
