"""Drift detection: the latest verdicts of a stack against those when it was measured.

The latest verdicts are compared with the reference in the manifest by three histograms: frequency
of each class (of many, of groups), confidence, and OOD score. The distance of two histograms is the
population stability index (PSI), the sum of ``(p - q) * ln(p / q)`` over their bins. By the usual
rule of credit scoring, a PSI below 0.1 means no change, and above 0.25 a significant change.

A few verdicts differ from any reference at random. If nothing has changed, the PSI of n verdicts
against m is distributed as chi-squared with one degree of freedom less than there are bins, times
``1 / n + 1 / m`` (Yurdakul, "Statistical Properties of Population Stability Index", 2018). So drift
is a PSI above 0.1 *and* above the value that random variation exceeds once in a million checks.
With 100 verdicts and ten bins that value is 0.5; with 1,000 verdicts the 0.1 decides.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt
from statistics import NormalDist
from typing import Literal

from catdog_stream.models.stacks.reference import Histogram, Reference
from catdog_stream.models.verdict import Verdict

__all__ = ["Drift", "Finding", "Quantity", "random_limit", "stability_index"]

Quantity = Literal["verdicts", "confidence", "familiarity"]

#: Number of latest verdicts that are compared.
WINDOW = 1000
#: Number of verdicts below which nothing is compared.
FEWEST = 100
#: Number of verdicts between two comparisons.
LOOK_EVERY = 50
#: Maximum number of bins of the frequencies of classes.
MAX_BINS = 50
#: Smallest PSI of a relevant drift.
MATTERS = 0.1
#: False alarms per comparison, as a probability.
FALSE_ALARMS = 1e-6


@dataclass(frozen=True, slots=True)
class Finding:
    """Comparison of one quantity of the latest verdicts with the reference."""

    quantity: Quantity
    index: float
    """PSI, 0 or more."""
    limit: float
    """A PSI above this limit is drift."""
    since: float | None
    """Time since which there is drift, in seconds since the epoch; ``None`` if there is none."""
    now: Mapping[str, float]
    """The share of each verdict; or ``mean``, of the confidence or the OOD score."""
    before: Mapping[str, float]
    """The same for the reference."""


@dataclass(slots=True)
class _Counts:
    """Histogram of one quantity in the window of the latest verdicts."""

    expected: Sequence[int]
    counts: list[int]
    total: float = 0.0
    since: float | None = None


class Drift:
    """Drift monitor of one stack. Keeps the last ``WINDOW`` verdicts, as numbers.

    Args:
        stack: name and version of the stack; verdicts of other stacks are ignored.
        reference: histograms to compare with.
        clock: seconds since the epoch.
    """

    def __init__(self, stack: str, reference: Reference, clock: Callable[[], float]) -> None:
        self.stack = stack
        self.reference = reference
        self._clock = clock
        self._labels = dict.fromkeys(reference.verdicts, 0)
        self._bins = _bins(reference.verdicts)
        expected = [0] * (1 + max(self._bins.values()))
        for name, count in reference.verdicts.items():
            expected[self._bins[name]] += count
        self._verdicts = _counts(expected)
        self._confidence = _counts(reference.confidence.counts)
        self._familiarity: _Counts | None = None
        if reference.familiarity is not None:
            self._familiarity = _counts(reference.familiarity.counts)
        self._window: deque[tuple[str, int, float, int, float]] = deque()
        self._seen = 0
        #: Findings of the last comparison; empty before ``FEWEST`` verdicts.
        self.findings: Sequence[Finding] = ()

    def __len__(self) -> int:
        return len(self._window)

    def observe(self, verdict: Verdict) -> bool:
        """Add a verdict; return whether there are new findings."""
        if verdict.stack != self.stack or verdict.label not in self._bins:
            return False
        confidence, familiarity = max(verdict.scores.values()), verdict.familiarity or 0.0
        entry = (
            verdict.label,
            self.reference.confidence.bin_of(confidence),
            confidence,
            self.reference.familiarity.bin_of(familiarity) if self.reference.familiarity else 0,
            familiarity,
        )
        if len(self._window) == WINDOW:
            self._count(self._window.popleft(), -1)
        self._window.append(entry)
        self._count(entry, 1)
        self._seen += 1
        if self._seen < FEWEST or self._seen % LOOK_EVERY:
            return False
        self.findings = tuple(self._look())
        return True

    def _count(self, entry: tuple[str, int, float, int, float], by: int) -> None:
        label, sure, confidence, familiar, familiarity = entry
        self._labels[label] += by
        self._verdicts.counts[self._bins[label]] += by
        self._confidence.counts[sure] += by
        self._confidence.total += by * confidence
        if self._familiarity is not None:
            self._familiarity.counts[familiar] += by
            self._familiarity.total += by * familiarity

    def _look(self) -> list[Finding]:
        labels, measured = self._labels, self.reference.verdicts
        shares = dict(zip(labels, _shares([*labels.values()]), strict=True))
        expected = dict(zip(measured, _shares([*measured.values()]), strict=True))
        found = [
            self._found("verdicts", self._verdicts, shares, expected),
            self._mean("confidence", self._confidence, self.reference.confidence),
        ]
        if self._familiarity is not None and self.reference.familiarity is not None:
            found.append(self._mean("familiarity", self._familiarity, self.reference.familiarity))
        return found

    def _mean(self, quantity: Quantity, counts: _Counts, before: Histogram) -> Finding:
        mean = counts.total / len(self._window)
        return self._found(quantity, counts, {"mean": mean}, {"mean": before.mean})

    def _found(
        self,
        quantity: Quantity,
        counts: _Counts,
        now: Mapping[str, float],
        before: Mapping[str, float],
    ) -> Finding:
        index = stability_index(counts.counts, counts.expected)
        limit = max(MATTERS, random_limit(counts.counts, counts.expected))
        if index <= limit:
            counts.since = None
        elif counts.since is None:
            counts.since = self._clock()
        return Finding(quantity, index, limit, counts.since, now, before)


def stability_index(seen: Sequence[int], expected: Sequence[int]) -> float:
    """Return the PSI of two histograms with the same bins.

    Half a count is added to each bin, so that the PSI is finite if a bin is empty.
    """
    pairs = zip(_shares(seen, 0.5), _shares(expected, 0.5), strict=True)
    return sum((p - q) * log(p / q) for p, q in pairs)


def random_limit(seen: Sequence[int], expected: Sequence[int]) -> float:
    """Return the PSI that ``FALSE_ALARMS`` of all comparisons exceed if nothing has changed.

    The quantile of chi-squared is Wilson and Hilferty's approximation (1931). So far out it is
    too large, which is safe: by 3 % for nine degrees of freedom and by 10 % for two.
    """
    freedom = len(seen) - 1
    if freedom < 1:
        return 0.0
    normal = NormalDist().inv_cdf(1 - FALSE_ALARMS)
    spread = 2 / (9 * freedom)
    quantile = freedom * (1 - spread + normal * sqrt(spread)) ** 3
    return float(quantile) * (1 / sum(seen) + 1 / sum(expected))


def _bins(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the bin of each verdict: its own; of many, bins of as equal counts as possible.

    Bins in which single verdicts are expected would hide any change in their random variation.
    """
    if len(counts) <= MAX_BINS:
        return {name: number for number, name in enumerate(counts)}
    bins: dict[str, int] = {}
    numbers: dict[int, int] = {}
    before, total = 0, sum(counts.values())
    for name, count in counts.items():  # sorting by count would group what was random
        share = min(MAX_BINS * before // total, MAX_BINS - 1)
        bins[name] = numbers.setdefault(share, len(numbers))
        before += count
    return bins


def _counts(expected: Sequence[int]) -> _Counts:
    return _Counts(expected, [0] * len(expected))


def _shares(counts: Sequence[int], more: float = 0.0) -> list[float]:
    total = sum(counts) + more * len(counts)
    return [(count + more) / total for count in counts]
