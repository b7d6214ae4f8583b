"""Latency histogram with bins that can be summed over workers, and its percentiles."""

from bisect import bisect_left
from collections.abc import Mapping

__all__ = ["BINS", "bin_of", "percentile"]

#: Upper ends of the bins, in seconds, each a tenth larger than the previous: 1 ms to 84 s.
_ENDS = tuple(0.001 * 1.1**number for number in range(120))
#: Number of bins; the last one contains all longer times, too.
BINS = len(_ENDS)


def bin_of(seconds: float) -> int:
    """Return the number of the bin of a time."""
    return min(bisect_left(_ENDS, seconds), BINS - 1)


def percentile(bins: Mapping[int, int], share: float) -> float | None:
    """Return the seconds within which ``share`` of the answers (0 to 1) came; ``None`` if empty.

    Times are assumed to be evenly distributed within a bin: from 1 ms on, the error is at most a
    tenth.
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
