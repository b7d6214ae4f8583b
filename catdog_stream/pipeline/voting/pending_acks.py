"""The records of the votes that are not acknowledged, in the order of the log.

To acknowledge a record is to acknowledge all before it. So each stays until its request, and those
of all in front of it, are settled. Of records that wait for the same, the last is kept alone, and
what comes to nothing costs nothing.
"""

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["NOTHING", "PendingAcks"]

T = TypeVar("T")

#: In the place of a request: it waits for none.
NOTHING = -1
LEAST_TIDIED = 1000


@dataclass(slots=True)
class _Entry(Generic[T]):
    """The last of some records of the log that stand together and wait for the same."""

    #: The request that they wait for.
    request: int
    token: T
    bytes: int


class PendingAcks(Generic[T]):
    """The records of one partition.

    Args:
        first: the first request that is not decided; ``None`` where none ever was.
    """

    def __init__(self, first: int | None) -> None:
        #: The last request that is decided.
        self._decided = NOTHING if first is None else first - 1
        #: The last request that is answered and counted.
        self._settled = self._decided
        self._log: deque[_Entry[T]] = deque()
        #: Of so many entries, those in the middle of the log on which nothing waits are removed.
        self._most = LEAST_TIDIED
        #: What the records take.
        self.bytes = 0

    def append(self, request: int, token: T, size: int) -> None:
        """Take the next record of the log, which waits for a request, or for ``NOTHING``.

        ``free`` gives ``token`` back, or that of a later record.
        """
        if len(self._log) >= self._most:
            self._tidy()
        self._join(_Entry(request, token, size))

    def _join(self, entry: _Entry[T]) -> None:
        """Put an entry behind the log, or in the place of the last one, which waits as long."""
        self.bytes += entry.bytes
        if self._log:
            last = self._log[-1]
            if entry.request == last.request or entry.request <= self._decided:
                entry.request = max(entry.request, last.request)
                self.bytes -= self._log.pop().bytes
        self._log.append(entry)

    def _tidy(self) -> None:
        """Join what waited for requests that were decided since to what stands in front of it."""
        entries, self._log = self._log, deque()
        for entry in entries:
            self.bytes -= entry.bytes
            self._join(entry)
        self._most = max(LEAST_TIDIED, 2 * len(self._log))

    def decide(self, request: int) -> None:
        """This request, and all before it, are decided."""
        self._decided = request

    def drop(self, request: int) -> None:
        """There is no such request: nothing waits for it any more."""
        for entry in self._log:
            if entry.request == request:
                # What was joined to it may wait for any request that was decided by now.
                entry.request = self._decided

    def settle(self, request: int) -> None:
        """This request, and all before it, are answered and counted."""
        self._settled = max(self._settled, request)

    def free(self) -> list[T]:
        """What can be acknowledged now, in the order of the log: each stands for all before it."""
        found = []
        while self._log and self._log[0].request <= self._settled:
            entry = self._log.popleft()
            self.bytes -= entry.bytes
            found.append(entry.token)
        return found
