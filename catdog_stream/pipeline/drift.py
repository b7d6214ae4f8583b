"""Whether a stack still says what it said when it was measured.

The last verdicts are held against the reference in the manifest: how often each class was said,
how sure it was, and how familiar the pictures looked. How far two such histograms lie apart is told
by the population stability index (PSI), the sum of ``(p - q) * ln(p / q)`` over their bins: below
0.1 they are alike, above 0.25 they are not, as those who watch credit scores have long held.

A few verdicts differ from any reference by chance. If nothing has changed, the PSI of n verdicts
against m is distributed as chi-squared with one degree of freedom less than there are bins, times
``1 / n + 1 / m`` (Yurdakul, "Statistical Properties of Population Stability Index", 2018). So there
is drift where the PSI is above 0.1 *and* above what chance exceeds once in a million looks. With
100 verdicts of ten bins that is 0.5; with 1,000 the 0.1 decides.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt
from statistics import NormalDist
from typing import Literal

from catdog_stream.models.stacks.reference import Histogram, Reference
from catdog_stream.models.verdict import Verdict

__all__ = ["Drift", "Finding", "Quantity", "chance_limit", "stability_index"]

Quantity = Literal["verdicts", "confidence", "familiarity"]

#: The last so many verdicts are compared.
WINDOW = 1000
#: Fewer are not compared.
FEWEST = 100
#: Verdicts from one look at them to the next.
LOOK_EVERY = 50
#: PSI of a drift that matters.
MATTERS = 0.1
#: How often chance alone may look like drift, in looks.
FALSE_ALARMS = 1e-6


@dataclass(frozen=True, slots=True)
class Finding:
    """One quantity of the last verdicts, beside the reference."""

    quantity: Quantity
    index: float
    """PSI, 0 or more."""
    limit: float
    """Above it, it is drift."""
    since: float | None
    """When it was first seen to be drift, in seconds since the epoch; ``None`` if it is none."""
    now: Mapping[str, float]
    """The share of each verdict; or ``mean``, of the confidence or the familiarity."""
    before: Mapping[str, float]
    """The same of the reference."""


@dataclass(slots=True)
class _Counts:
    """A window's histogram of one quantity."""

    expected: Sequence[int]
    counts: list[int]
    total: float = 0.0
    since: float | None = None


class Drift:
    """Watches the verdicts of one stack. Keeps the last ``WINDOW`` of them, as numbers.

    Args:
        stack: its name and version; verdicts of others are left out.
        reference: what it is compared with.
        clock: seconds since the epoch.
    """

    def __init__(self, stack: str, reference: Reference, clock: Callable[[], float]) -> None:
        self.stack = stack
        self.reference = reference
        self._clock = clock
        self._bins = {name: number for number, name in enumerate(reference.verdicts)}
        self._verdicts = _counts(tuple(reference.verdicts.values()))
        self._confidence = _counts(reference.confidence.counts)
        self._familiarity: _Counts | None = None
        if reference.familiarity is not None:
            self._familiarity = _counts(reference.familiarity.counts)
        self._window: deque[tuple[int, int, float, int, float]] = deque()
        self._seen = 0
        #: What was found at the last look; nothing before ``FEWEST`` verdicts.
        self.findings: Sequence[Finding] = ()

    def __len__(self) -> int:
        return len(self._window)

    def observe(self, verdict: Verdict) -> bool:
        """Take a verdict into account; whether there are new findings."""
        if verdict.stack != self.stack or verdict.label not in self._bins:
            return False
        confidence, familiarity = max(verdict.scores.values()), verdict.familiarity or 0.0
        entry = (
            self._bins[verdict.label],
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

    def _count(self, entry: tuple[int, int, float, int, float], by: int) -> None:
        label, sure, confidence, familiar, familiarity = entry
        self._verdicts.counts[label] += by
        self._confidence.counts[sure] += by
        self._confidence.total += by * confidence
        if self._familiarity is not None:
            self._familiarity.counts[familiar] += by
            self._familiarity.total += by * familiarity

    def _look(self) -> list[Finding]:
        shares = dict(zip(self._bins, _shares(self._verdicts.counts), strict=True))
        expected = dict(zip(self._bins, _shares(self._verdicts.expected), strict=True))
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
        limit = max(MATTERS, chance_limit(counts.counts, counts.expected))
        if index <= limit:
            counts.since = None
        elif counts.since is None:
            counts.since = self._clock()
        return Finding(quantity, index, limit, counts.since, now, before)


def stability_index(seen: Sequence[int], expected: Sequence[int]) -> float:
    """The PSI of two histograms with the same bins.

    Half a count more in each bin keeps it finite where one of them is empty.
    """
    pairs = zip(_shares(seen, 0.5), _shares(expected, 0.5), strict=True)
    return sum((p - q) * log(p / q) for p, q in pairs)


def chance_limit(seen: Sequence[int], expected: Sequence[int]) -> float:
    """The PSI that is exceeded by ``FALSE_ALARMS`` of looks where nothing has changed.

    The quantile of chi-squared is Wilson and Hilferty's (1931): so far out it is too large, which
    is the safe side, by 3 % for nine degrees of freedom and by 10 % for two.
    """
    freedom = len(seen) - 1
    if freedom < 1:
        return 0.0
    normal = NormalDist().inv_cdf(1 - FALSE_ALARMS)
    spread = 2 / (9 * freedom)
    quantile = freedom * (1 - spread + normal * sqrt(spread)) ** 3
    return float(quantile) * (1 / sum(seen) + 1 / sum(expected))


def _counts(expected: Sequence[int]) -> _Counts:
    return _Counts(expected, [0] * len(expected))


def _shares(counts: Sequence[int], more: float = 0.0) -> list[float]:
    total = sum(counts) + more * len(counts)
    return [(count + more) / total for count in counts]
