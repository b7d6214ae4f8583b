"""Latest known counts of each partition, whose sum is the count of the cluster.

Partitions move from worker to worker, and for some seconds no worker may report a partition, or its
new owner may be behind. Counts only grow, so a known count stays until a newer report.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from catdog_stream.web.cluster.counts import MAX_SHARDS, Shards

__all__ = ["HAND_OVER", "Ledger"]

#: Seconds for which a worker with a lower count of a partition than another counts as behind.
#: Afterwards its count is accepted: a recount has corrected it.
HAND_OVER = 30.0
#: Maximum number of partitions whose counts are known, from all workers.
MAX_PLACES = 4 * MAX_SHARDS
#: Maximum number of names of all partitions together: about 150 MB.
MAX_COUNTS = 1_000_000


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
        self._totals: defaultdict[str, Counter[str]] = defaultdict(Counter)
        #: Number of names of all partitions.
        self._number = 0

    def note(self, worker: str, shards: Shards | None, *, partial: bool = False) -> bool:
        """Record the counts of a worker; ``None`` while it cannot report.

        Return ``False`` if its next report must have all counts, because some were not recorded.

        Args:
            worker: address of the worker.
            shards: its counts.
            partial: ``True`` if only the counts that have changed are among them.
        """
        now, complete = self._clock(), True
        for table, places in (shards or {}).items():
            for place, counts in places.items():
                known = self._known.get((table, place))
                before = {} if known is None else known.counts
                if partial:
                    counts = {**before, **counts} if counts else before
                fits = self._number + len(counts) - len(before) <= MAX_COUNTS
                if fits and self._is_right(counts, worker, known, now, partial):
                    self._add(table, before, counts)
                    self._known[table, place] = _Counted(counts, worker, now)
                else:
                    complete = False
        return complete

    def _is_right(
        self,
        counts: Mapping[str, int],
        worker: str,
        known: _Counted | None,
        now: float,
        partial: bool,
    ) -> bool:
        if known is None:
            return not partial and len(self._known) < MAX_PLACES
        if partial or worker == known.worker:
            return worker == known.worker
        return sum(counts.values()) >= sum(known.counts.values()) or now - known.at >= HAND_OVER

    def _add(self, table: str, before: Mapping[str, int], counts: Mapping[str, int]) -> None:
        """Update the sums by the counts of a partition that have changed."""
        if counts is before:
            return
        total = self._totals[table]
        self._number += len(counts) - len(before)
        for name in {name for name, _ in counts.items() ^ before.items()}:
            total[name] += counts.get(name, 0) - before.get(name, 0)
            if not total[name]:
                del total[name]

    def total(self, table: str) -> Mapping[str, int]:
        """Return the sum of the ``labels``, or of the ``rejections``, by name."""
        return dict(self._totals[table])
