"""Drift of the verdicts of the worker's stack, for the page and the metrics."""

import time
from collections.abc import Callable

from catdog_stream import metrics
from catdog_stream.errors import RejectedRequest
from catdog_stream.models.classifier import Classifier
from catdog_stream.models.stacks.reference import Reference
from catdog_stream.pipeline.drift import Drift
from catdog_stream.pipeline.observing import Answered, Observer

__all__ = ["DriftMonitor"]


class DriftMonitor(Observer):
    """Comparison of the verdicts of the serving stack with its own reference.

    A classifier without ``reference`` is not monitored.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        #: Drift of the serving stack; ``None`` if it has no reference.
        self.drift: Drift | None = None

    def follow(self, classifier: Classifier) -> None:
        """Start again with ``classifier``, which answers from now on."""
        reference: Reference | None = getattr(classifier, "reference", None)
        stack = f"{classifier.name} {classifier.version}"
        self.drift = None if reference is None else Drift(stack, reference, self._clock)
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
            for name, value in finding.now.items():
                metrics.DRIFT_NOW.labels(finding.quantity, name).set(value)
                metrics.DRIFT_REFERENCE.labels(finding.quantity, name).set(finding.before[name])
