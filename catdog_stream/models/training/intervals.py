"""Intervals of 95 % around figures that were measured on a number of pictures."""

from math import sqrt

import numpy as np
import numpy.typing as npt

__all__ = ["Interval", "as_text", "mean_interval", "share_interval"]

Interval = tuple[float, float]

#: Standard deviations of a normal distribution for an interval of 95 %.
_DEVIATIONS = 1.96


def share_interval(count: int, total: int) -> Interval:
    """Return the interval of the share ``count`` of ``total`` pictures (Wilson, 1927)."""
    n, share, z = total, count / total, _DEVIATIONS
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def mean_interval(values: npt.NDArray[np.float64]) -> Interval:
    """Return the interval of a mean: 1.96 standard errors on each side."""
    mean, half = float(values.mean()), _DEVIATIONS * float(values.std()) / sqrt(len(values))
    return mean - half, mean + half


def as_text(interval: Interval) -> str:
    """Return an interval of a share for people."""
    return f"{interval[0]:.1%} to {interval[1]:.1%}"
