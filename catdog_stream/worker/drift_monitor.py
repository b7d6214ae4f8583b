"""Drift of the verdicts of the worker's stack, for the page and the metrics."""

import time
from collections.abc import Callable, Collection, Mapping
from heapq import nlargest

from catdog_stream import metrics
from catdog_stream.errors import RejectedRequest
from catdog_stream.models.classifier import Classifier
from catdog_stream.models.stacks.reference import Reference
from catdog_stream.models.verdict import UNKNOWN
from catdog_stream.pipeline.drift import Drift
from catdog_stream.pipeline.observing import Answered, Observer

__all__ = ["DriftMonitor"]


class DriftMonitor(Observer):
    """Comparison of the verdicts of the serving stack with its own reference.

    A classifier without ``reference`` is not monitored.

    Args:
        clock: seconds since the epoch.
        most_labels: maximum number of verdicts with metrics of their own: those that are the most
            frequent in the reference. The others are summed.
    """

    def __init__(self, clock: Callable[[], float] = time.time, *, most_labels: int = 50) -> None:
        self._clock = clock
        self._most = most_labels
        self._named: Collection[str] = ()
        #: Drift of the serving stack; ``None`` if it has no reference.
        self.drift: Drift | None = None

    def follow(self, classifier: Classifier) -> None:
        """Start again with ``classifier``, which answers from now on."""
        reference: Reference | None = getattr(classifier, "reference", None)
        stack = f"{classifier.name} {classifier.version}"
        self.drift = None if reference is None else Drift(stack, reference, self._clock)
        if reference is not None:
            counts = reference.verdicts
            self._named = {"mean", UNKNOWN, *nlargest(self._most, counts, key=counts.__getitem__)}
        for metric in (
            metrics.DRIFT_INDEX,
            metrics.DRIFT_FOUND,
            metrics.DRIFT_NOW,
            metrics.DRIFT_REFERENCE,
        ):
            metric.clear()

    def answered(self, answer: Answered) -> None:
        """Include the verdict of an answer in the drift. Takes a few microseconds."""
        outcome = answer.outcome
        if self.drift is None or isinstance(outcome, RejectedRequest):
            return
        if not self.drift.observe(outcome.verdict):
            return
        for finding in self.drift.findings:
            metrics.DRIFT_INDEX.labels(finding.quantity).set(finding.index)
            metrics.DRIFT_FOUND.labels(finding.quantity).set(finding.since is not None)
            for metric, shares in (
                (metrics.DRIFT_NOW, finding.now),
                (metrics.DRIFT_REFERENCE, finding.before),
            ):
                for name, share in self._limited(shares).items():
                    metric.labels(finding.quantity, name).set(share)

    def _limited(self, shares: Mapping[str, float]) -> Mapping[str, float]:
        """Return the shares of the verdicts with metrics of their own, and the sum of the others.

        They stay the same, because a gauge that comes and goes cannot be followed.
        """
        named = {name: share for name, share in shares.items() if name in self._named}
        if len(named) < len(shares):
            rest = sum(shares.values()) - sum(named.values())
            named[metrics.OTHER] = named.get(metrics.OTHER, 0.0) + rest
        return named
