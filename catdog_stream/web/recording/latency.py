"""Times in bins, which can be added up over workers, and their percentiles."""

from bisect import bisect_left
from collections.abc import Mapping

__all__ = ["BINS", "bin_of", "percentile"]

#: Upper ends, in seconds, each a tenth larger than the one before: from 1 ms to 84 s.
_ENDS = tuple(0.001 * 1.1**number for number in range(120))
#: How many bins there are; what is longer than all of them is in the last one.
BINS = len(_ENDS)


def bin_of(seconds: float) -> int:
    """The number of the bin that a time belongs to."""
    return min(bisect_left(_ENDS, seconds), BINS - 1)


def percentile(bins: Mapping[int, int], share: float) -> float | None:
    """The time, in seconds, that ``share`` of all (0 to 1) took at most; ``None`` of nothing.

    Within a bin times are taken as evenly spread: from a millisecond on the answer is off by a
    tenth at most.
    """
    total = sum(bins.values())
    if not total:
        return None
    wanted, below = share * total, 0
    for number in sorted(bins):
        count = bins[number]
        if count and below + count >= wanted:
            start = _ENDS[number - 1] if number else 0.0
            return start + (_ENDS[number] - start) * (wanted - below) / count
        below += count
    return _ENDS[max(bins)]
