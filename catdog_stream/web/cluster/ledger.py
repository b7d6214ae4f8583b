"""What was counted of each partition, as it was told last: the sum of it is the cluster's.

Partitions move from worker to worker, and for some seconds nobody may show one, or a successor may
be behind. Counts only grow, so what is known stays until it is told anew.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from catdog_stream.web.cluster.counts import MAX_SHARDS, Shards

__all__ = ["HAND_OVER", "Ledger"]

#: Seconds for which a worker that has counted less of a partition than another is taken to be
#: behind. After that it is right: a recount has corrected it.
HAND_OVER = 30.0
#: Partitions whose counts are known, by whoever told them.
MAX_PLACES = 4 * MAX_SHARDS


@dataclass(frozen=True, slots=True)
class _Told:
    counts: Mapping[str, int]
    teller: str
    at: float


class Ledger:
    """The counts of the cluster.

    Args:
        clock: seconds that only ever grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: dict[tuple[str, str], _Told] = {}

    def note(self, teller: str, shards: Shards | None) -> None:
        """Take what a worker has counted; ``None`` where it cannot tell now."""
        now = self._clock()
        for table, places in (shards or {}).items():
            for place, counts in places.items():
                known = self._told.get((table, place))
                if known is None and len(self._told) >= MAX_PLACES:
                    continue
                if known is None or self._is_right(counts, teller, known, now):
                    self._told[table, place] = _Told(counts, teller, now)

    @staticmethod
    def _is_right(counts: Mapping[str, int], teller: str, known: _Told, now: float) -> bool:
        return (
            teller == known.teller
            or sum(counts.values()) >= sum(known.counts.values())
            or now - known.at >= HAND_OVER
        )

    def total(self, table: str) -> Mapping[str, int]:
        """The sum of the ``labels``, or of the ``rejections``, by their names."""
        total: Counter[str] = Counter()
        for (of, _), told in self._told.items():
            if of == table:
                total.update(told.counts)
        return total
