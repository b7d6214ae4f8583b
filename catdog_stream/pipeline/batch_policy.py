"""Policy for how long a batch waits to grow. Uses no clock or event loop: times are inputs.

Assume that n items are queued, a batch of k costs ``a + b * k``, and the next item arrives after a
gap g.

- Start now: the n items are done at ``a + b * n``, the next item, in a batch of its own after them,
  at ``(a + b * n) + (a + b)``.
- Wait for the next item: all n + 1 are done at ``g + a + b * (n + 1)``.

Waiting makes the sum of these times smaller by ``(n + 1) * (patience - g)`` with ``patience =
(a - b * n) / (n + 1)``: it can pay only if the next item arrives within that time. So it never pays
if ``a`` is about 0, as on a CPU, and pays less the more items are queued. A wait of h in vain costs
up to ``(n + 1) * h``. Therefore: wait, for at most the patience, if that would have paid on average
after the latest arrivals. For independent arrivals, this holds if the mean gap is shorter than the
patience; for arrivals in bursts, it holds within a burst.
"""

from collections import deque

from catdog_stream.pipeline.batch_cost import BatchCost

__all__ = ["BatchPolicy"]

#: Number of remembered gaps between arrivals.
_GAPS = 50


class BatchPolicy:
    """Policy for the start of a batch. Times are seconds of any monotonic clock.

    Args:
        max_batch: most items in one batch.
        max_wait: longest wait of an item for others, in seconds; 0 never waits.
    """

    def __init__(self, *, max_batch: int, max_wait: float) -> None:
        self.max_batch = max_batch
        self._max_wait = max_wait
        self._cost = BatchCost()
        self._latest: float | None = None
        self._gaps: deque[float] = deque(maxlen=_GAPS)

    def arrived(self, now: float) -> None:
        """Record the arrival of an item."""
        if self._latest is not None:
            self._gaps.append(now - self._latest)
        self._latest = now

    def served(self, size: int, seconds: float) -> None:
        """Record that a batch of ``size`` took ``seconds``."""
        self._cost.observe(size, seconds)

    def go_at(self, queued: int, oldest: float) -> float:
        """Return when to start with ``queued`` items if no other arrives; a past time means now.

        Call again when another item arrives.

        Args:
            queued: number of queued items.
            oldest: time at which the first of them arrived.
        """
        line = self._cost.line()
        if line is None or self._latest is None or queued >= self.max_batch:
            return oldest
        patience = (line.a - line.b * queued) / (queued + 1)
        go_at = min(self._latest + patience, oldest + self._max_wait)
        horizon = go_at - self._latest
        gains = (patience - gap if gap <= horizon else -horizon for gap in self._gaps)
        return go_at if horizon > 0 and sum(gains) > 0 else oldest
