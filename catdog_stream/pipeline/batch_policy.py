"""When to stop waiting for a batch to grow. Time comes in as numbers: no clock, no event loop.

Say n items are queued, a batch of k costs ``a + b * k``, and the next item comes after a gap g.

- Go now: the n are done at ``a + b * n``, the next one, in a batch of its own after them, at
  ``(a + b * n) + (a + b)``.
- Wait for it: all n + 1 are done at ``g + a + b * (n + 1)``.

Waiting makes the sum of these times smaller by ``(n + 1) * (patience - g)`` with ``patience =
(a - b * n) / (n + 1)``: it can pay only if the next item comes within that time. So it never pays
where ``a`` is about 0, as on a CPU, and ever less the more are queued. Who waits for h and in vain
loses up to ``(n + 1) * h``. Therefore: wait, for the patience at most, if that would have paid on
average after the latest arrivals. If arrivals are independent of each other, this is so when the
mean gap is shorter than the patience; if they come in bursts, it is so within a burst.
"""

from collections import deque

from catdog_stream.pipeline.batch_cost import BatchCost

__all__ = ["BatchPolicy"]

#: Gaps between arrivals that are remembered.
_GAPS = 50


class BatchPolicy:
    """Decides when a batch goes. Times are seconds of any clock that never goes back.

    Args:
        max_batch: most items in one batch.
        max_wait: longest that an item may wait for others, in seconds; 0 never waits.
    """

    def __init__(self, *, max_batch: int, max_wait: float) -> None:
        self.max_batch = max_batch
        self._max_wait = max_wait
        self._cost = BatchCost()
        self._latest: float | None = None
        self._gaps: deque[float] = deque(maxlen=_GAPS)

    def arrived(self, now: float) -> None:
        """Take note that an item came."""
        if self._latest is not None:
            self._gaps.append(now - self._latest)
        self._latest = now

    def served(self, size: int, seconds: float) -> None:
        """Take note that a batch of ``size`` took ``seconds``."""
        self._cost.observe(size, seconds)

    def go_at(self, queued: int, oldest: float) -> float:
        """When to go with ``queued`` items, if none comes before; a time in the past means now.

        ``oldest`` is when the first of them came. Ask again when another one comes.
        """
        line = self._cost.line()
        if line is None or self._latest is None or queued >= self.max_batch:
            return oldest
        patience = (line.a - line.b * queued) / (queued + 1)
        go_at = min(self._latest + patience, oldest + self._max_wait)
        horizon = go_at - self._latest
        gains = (patience - gap if gap <= horizon else -horizon for gap in self._gaps)
        return go_at if horizon > 0 and sum(gains) > 0 else oldest
