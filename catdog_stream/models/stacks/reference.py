"""The object ``reference`` of a manifest: statistics of a stack's verdicts on held-out pictures.

Drift detection compares the verdicts in production with them (``pipeline/drift.py``).
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from catdog_stream.models.verdict import UNKNOWN, Verdict

__all__ = ["Histogram", "Reference"]

#: Number of bins; they hold numbers of pictures that are as equal as possible.
BINS = 10
MAX_BINS = 100

Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0, lt=2**53)]


class Histogram(Struct, frozen=True, forbid_unknown_fields=True):
    """Histogram of numbers in 0 to 1, with their mean."""

    mean: Share
    edges: Annotated[tuple[Share, ...], Meta(max_length=MAX_BINS - 1)]
    """Boundaries between the bins, ascending; the first and the last bin are open."""
    counts: tuple[Count, ...]
    """Count of each bin, one more than edges; their sum is at least 1."""

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for edges and counts that make no histogram."""
        if any(low >= high for low, high in pairwise(self.edges)):
            raise ValueError("edges must ascend")
        if not any(self.counts):
            raise ValueError("counts must have a number above 0")
        if len(self.counts) != len(self.edges) + 1:
            raise ValueError("counts must have one number more than edges")

    @classmethod
    def of(cls, values: Sequence[float]) -> "Histogram":
        """Create the histogram of one number or more.

        It has fewer bins than ``BINS`` if many numbers are equal.
        """
        inner = np.linspace(0, 1, BINS + 1)[1:-1]
        edges = tuple(np.unique(np.quantile(values, inner)).tolist())
        counts = [0] * (len(edges) + 1)
        for value in values:
            counts[bisect_right(edges, value)] += 1
        return cls(float(np.mean(values)), edges, tuple(counts))

    def bin_of(self, value: float) -> int:
        """Return the index of the bin of ``value``."""
        return bisect_right(self.edges, value)


class Reference(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Statistics of the verdicts on held-out pictures."""

    verdicts: dict[str, Count]
    """Class to its number of pictures; with ``unknown`` if the stack has an OOD score."""
    confidence: Histogram
    """Histogram of the probability of the likeliest class."""
    familiarity: Histogram | None = None
    """Histogram of the OOD score; ``None`` if the stack has none."""

    @classmethod
    def of(cls, verdicts: Iterable[Verdict]) -> "Reference":
        """Create the statistics of one verdict or more, of one stack, on held-out pictures."""
        every = list(verdicts)
        counts = Counter(verdict.label for verdict in every)
        familiar = [each.familiarity for each in every if each.familiarity is not None]
        names = [*every[0].scores, *([UNKNOWN] if familiar else [])]
        return cls(
            {name: counts[name] for name in names},
            Histogram.of([max(verdict.scores.values()) for verdict in every]),
            Histogram.of(familiar) if familiar else None,
        )

    def check(self, classes: Sequence[str]) -> None:
        """Raise ``ValueError`` if these are not statistics of a stack with ``classes``."""
        if self.verdicts.keys() - {UNKNOWN} != set(classes) or not any(self.verdicts.values()):
            raise ValueError("reference.verdicts must have each class, and count a picture")
