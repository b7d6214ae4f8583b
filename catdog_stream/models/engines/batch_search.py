"""Find the number of pictures in one call at which a device is busy."""

from collections.abc import Callable

__all__ = ["best_batch"]

#: The most that is tried: each picture of a batch takes memory, and is answered with the last one.
LARGEST = 64
#: The search ends where doubling the batch gains less than this: what still larger ones could add
#: is then within the tolerance.
_LEAST_GAIN = 0.05
#: A smaller batch is worth this much of the best throughput, for it answers sooner.
_TOLERANCE = 0.1


def best_batch(seconds: Callable[[int], float], *, largest: int = LARGEST) -> int:
    """The smallest of 1, 2, 4, ... that gives, within 10 %, the most pictures per second.

    ``seconds`` runs a batch of the given size and tells how long it took, or raises
    ``MemoryError`` if it does not fit; larger ones are not tried then. The size returned has been
    run. Raises ``MemoryError`` if not even one picture fits.
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
