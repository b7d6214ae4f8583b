"""Search for the smallest number of pictures in one call that fully uses a device."""

import time
from collections.abc import Callable

__all__ = ["best_batch", "fastest"]

#: Largest batch of the search. Each picture of a batch takes memory and waits for the whole batch.
LARGEST = 64
#: The search ends if doubling the batch gains less throughput than this share. What larger batches
#: could still gain is within the tolerance.
_LEAST_GAIN = 0.05
#: Share of the best throughput that is given up for a smaller batch, which has a shorter latency.
_TOLERANCE = 0.1


#: Timed calls for each batch size, after a first one that prepares it.
_TIMED_CALLS = 2


def fastest(run: Callable[[], object]) -> float:
    """Return the seconds of the fastest of several calls of ``run``, without the first call."""
    times = []
    for _ in range(1 + _TIMED_CALLS):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return min(times[1:])


def best_batch(seconds: Callable[[int], float], *, largest: int = LARGEST) -> int:
    """Return the smallest of 1, 2, 4, ... within 10 % of the best throughput.

    The device has run a batch of the returned size.

    Args:
        seconds: runs a batch of the given size and returns the seconds that it took. Raises
            ``MemoryError`` if the batch does not fit; larger batches are then not tried.
        largest: largest batch of the search.

    Raises:
        MemoryError: not even one picture fits.
    """
    rates = {1: 1 / seconds(1)}
    size, gain = 2, 1.0
    while size <= largest and gain >= _LEAST_GAIN:
        try:
            rates[size] = size / seconds(size)
        except MemoryError:
            break
        gain = rates[size] / rates[size // 2] - 1
        size *= 2
    enough = (1 - _TOLERANCE) * max(rates.values())
    return next(size for size, rate in rates.items() if rate >= enough)
