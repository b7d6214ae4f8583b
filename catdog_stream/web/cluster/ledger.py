"""Latest known counts of each partition, whose sum is the count of the cluster.

Partitions move from worker to worker, and for some seconds no worker may report a partition, or its
new owner may be behind. Counts only grow, so a known count stays until a newer report.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from catdog_stream.web.cluster.counts import MAX_SHARDS, Shards

__all__ = ["HAND_OVER", "Ledger"]

#: Seconds for which a worker with a lower count of a partition than another counts as behind.
#: Afterwards its count is accepted: a recount has corrected it.
HAND_OVER = 30.0
#: Maximum number of partitions whose counts are known, from all workers.
MAX_PLACES = 4 * MAX_SHARDS


@dataclass(frozen=True, slots=True)
class _Counted:
    counts: Mapping[str, int]
    worker: str
    at: float


class Ledger:
    """Counts of the cluster.

    Args:
        clock: monotonic clock, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str], _Counted] = {}

    def note(self, worker: str, shards: Shards | None) -> None:
        """Record the counts of a worker; ``None`` while it cannot report."""
        now = self._clock()
        for table, places in (shards or {}).items():
            for place, counts in places.items():
                known = self._known.get((table, place))
                if known is None and len(self._known) >= MAX_PLACES:
                    continue
                if known is None or self._is_right(counts, worker, known, now):
                    self._known[table, place] = _Counted(counts, worker, now)

    @staticmethod
    def _is_right(counts: Mapping[str, int], worker: str, known: _Counted, now: float) -> bool:
        return (
            worker == known.worker
            or sum(counts.values()) >= sum(known.counts.values())
            or now - known.at >= HAND_OVER
        )

    def total(self, table: str) -> Mapping[str, int]:
        """Return the sum of the ``labels``, or of the ``rejections``, by name."""
        total: Counter[str] = Counter()
        for (of, _), counted in self._known.items():
            if of == table:
                total.update(counted.counts)
        return total
