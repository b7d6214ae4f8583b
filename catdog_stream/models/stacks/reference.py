"""The object ``reference`` of a manifest: statistics of a stack's verdicts on held-out pictures.

Drift detection compares the verdicts in production with them (``pipeline/drift.py``).
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from catdog_stream.models.verdict import UNKNOWN, Verdict

__all__ = ["Histogram", "Reference"]

#: Number of bins; they hold numbers of pictures that are as equal as possible.
BINS = 10
MAX_BINS = 100


@dataclass(frozen=True, slots=True)
class Histogram:
    """Histogram of numbers in 0 to 1, with their mean."""

    mean: float
    edges: tuple[float, ...]
    """Boundaries between the bins, ascending; the first and the last bin are open."""
    counts: tuple[int, ...]
    """Count of each bin, one more than edges; their sum is at least 1."""

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

    def as_json(self) -> dict[str, Any]:
        """Return the histogram as an object for a manifest."""
        return {"mean": self.mean, "edges": list(self.edges), "counts": list(self.counts)}

    @classmethod
    def parse(cls, name: str, document: Any) -> "Histogram":
        """Read a histogram. Raises ``ValueError``, ``TypeError``; texts begin with ``name``."""
        if not isinstance(document, dict) or document.keys() != {"mean", "edges", "counts"}:
            raise TypeError(f"{name} must be an object of mean, edges and counts")
        mean, edges, counts = document["mean"], document["edges"], document["counts"]
        if not isinstance(edges, list) or not all(map(_is_share, (mean, *edges))):
            raise ValueError(f"{name}.mean and the numbers of {name}.edges must be in 0 to 1")
        if any(low >= high for low, high in pairwise(edges)):
            raise ValueError(f"{name}.edges must ascend")
        if len(edges) >= MAX_BINS:
            raise ValueError(f"{name} must have {MAX_BINS} bins at most")
        if not isinstance(counts, list) or not all(map(_is_count, counts)) or not any(counts):
            raise ValueError(f"{name}.counts must be whole numbers, and one of them above 0")
        if len(counts) != len(edges) + 1:
            raise ValueError(f"{name} must have one more count than edges")
        return cls(float(mean), tuple(map(float, edges)), tuple(counts))


@dataclass(frozen=True, slots=True)
class Reference:
    """Statistics of the verdicts on held-out pictures."""

    verdicts: dict[str, int]
    """Class to its number of pictures; with ``unknown`` if the stack has an OOD score."""
    confidence: Histogram
    """Histogram of the probability of the likeliest class."""
    familiarity: Histogram | None = None
    """Histogram of the OOD score; ``None`` if the stack has none."""

    @classmethod
    def of(cls, verdicts: Iterable[Verdict]) -> "Reference":
        """Create the statistics of one verdict or more, of one stack, on held-out pictures."""
        said = list(verdicts)
        counts = Counter(verdict.label for verdict in said)
        familiar = [each.familiarity for each in said if each.familiarity is not None]
        names = [*said[0].scores, *([UNKNOWN] if familiar else [])]
        return cls(
            {name: counts[name] for name in names},
            Histogram.of([max(verdict.scores.values()) for verdict in said]),
            Histogram.of(familiar) if familiar else None,
        )

    def as_json(self) -> dict[str, Any]:
        """Return the object ``reference`` of a manifest."""
        document: dict[str, Any] = {
            "verdicts": self.verdicts,
            "confidence": self.confidence.as_json(),
        }
        if self.familiarity is not None:
            document["familiarity"] = self.familiarity.as_json()
        return document

    @classmethod
    def parse(cls, document: Any, classes: Sequence[str]) -> "Reference":
        """Read the object ``reference`` of a stack with ``classes``.

        Raises ``ValueError``, ``TypeError``, ``KeyError``.
        """
        if not isinstance(document, dict):
            raise TypeError("reference must be an object")
        if unknown := document.keys() - {"verdicts", "confidence", "familiarity"}:
            raise ValueError(f"reference has the unknown {sorted(unknown)}")
        verdicts = document["verdicts"]
        if not isinstance(verdicts, dict) or not all(map(_is_count, verdicts.values())):
            raise TypeError("reference.verdicts must be an object of whole numbers")
        if verdicts.keys() - {UNKNOWN} != set(classes) or not any(verdicts.values()):
            raise ValueError("reference.verdicts must have each class, and count a picture")
        return cls(
            verdicts,
            Histogram.parse("reference.confidence", document["confidence"]),
            Histogram.parse("reference.familiarity", document["familiarity"])
            if "familiarity" in document
            else None,
        )


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
