"""What a batch of n costs, learned from batches that were measured: ``a + b * n`` seconds.

``a`` is what a call of the model costs however little is in it, ``b`` what each picture adds. On
a CPU ``a`` is about 0; on a GPU it is nearly everything.
"""

from typing import NamedTuple

__all__ = ["BatchCost", "Line"]

#: What a measurement still counts when the next one comes: about the last 20 make the line.
_MEMORY = 0.95
#: Before so many measurements, nothing is known.
_FEWEST = 5
#: Variance of n below which ``a`` and ``b`` cannot be told apart.
_LEAST_VARIANCE = 0.1
#: A batch counts as at most so many times what was expected: a machine that hiccups.
_LARGEST_SURPRISE = 3.0


class Line(NamedTuple):
    """A batch of n costs ``a + b * n`` seconds; neither is negative."""

    a: float
    b: float

    def __call__(self, size: int) -> float:
        """Seconds for a batch of ``size``."""
        return self.a + self.b * size


class BatchCost:
    """Fits the line by least squares; each measurement counts 5 % less than the one after it."""

    def __init__(self) -> None:
        self._measurements = 0
        # Weighted sums over the measurements: of 1, n, n * n, t and n * t.
        self._weight = self._n = self._nn = self._t = self._nt = 0.0

    def observe(self, size: int, seconds: float) -> None:
        """Learn from a batch of ``size`` that took ``seconds``."""
        if (line := self.line()) is not None:
            seconds = min(seconds, _LARGEST_SURPRISE * line(size))
        self._measurements += 1
        self._weight = _MEMORY * self._weight + 1
        self._n = _MEMORY * self._n + size
        self._nn = _MEMORY * self._nn + size * size
        self._t = _MEMORY * self._t + seconds
        self._nt = _MEMORY * self._nt + size * seconds

    def line(self) -> Line | None:
        """The line, or ``None`` while too little, or too much of the same, was measured."""
        if self._measurements < _FEWEST:
            return None
        mean_n, mean_t = self._n / self._weight, self._t / self._weight
        variance = self._nn / self._weight - mean_n**2
        if variance < _LEAST_VARIANCE:
            return None
        b = (self._nt / self._weight - mean_n * mean_t) / variance
        a = mean_t - b * mean_n
        # The best line with both at least 0, where noise says otherwise.
        if b < 0:
            return Line(mean_t, 0.0)
        if a < 0:
            return Line(0.0, self._nt / self._nn)
        return Line(a, b)
