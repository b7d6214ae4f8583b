"""Cost model of batches, learned from measured batches: ``a + b * n`` seconds for n items.

``a`` is the fixed cost of a call of the model, ``b`` the additional cost of each picture. On a CPU
``a`` is about 0; on a GPU ``a`` is nearly the whole cost.
"""

from typing import NamedTuple

__all__ = ["BatchCost", "Line"]

#: Decay of the weights with each new measurement: about the last 20 determine the line.
_MEMORY = 0.95
#: Number of measurements below which no line is computed.
_FEWEST = 5
#: Variance of n below which ``a`` and ``b`` cannot be told apart.
_LEAST_VARIANCE = 0.1
#: Largest ratio of a measurement to its expected value; an outlier is cut to this.
_LARGEST_SURPRISE = 3.0


class Line(NamedTuple):
    """Cost of a batch of n items, ``a + b * n`` seconds; neither is negative."""

    a: float
    b: float

    def __call__(self, size: int) -> float:
        """Return the seconds for a batch of ``size``."""
        return self.a + self.b * size


class BatchCost:
    """Fit of the line by weighted least squares. A measurement weighs 5 % less than the next."""

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
        """Return the line; ``None`` while there are too few measurements, or too similar sizes."""
        if self._measurements < _FEWEST:
            return None
        mean_n, mean_t = self._n / self._weight, self._t / self._weight
        variance = self._nn / self._weight - mean_n**2
        if variance < _LEAST_VARIANCE:
            return None
        b = (self._nt / self._weight - mean_n * mean_t) / variance
        a = mean_t - b * mean_n
        # If noise makes one coefficient negative, use the best line with both at least 0.
        if b < 0:
            return Line(mean_t, 0.0)
        if a < 0:
            return Line(0.0, self._nt / self._nn)
        return Line(a, b)
