"""Observers that count answers in the metrics: labels and rejections, or a voter's votes."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from heapq import nlargest

from catdog_stream import metrics
from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.models.verdict import UNKNOWN, Verdict
from catdog_stream.pipeline.observing import Answered, Observer

__all__ = ["AnswerMetrics", "VoteMetrics"]

for _reason in Reason:
    metrics.REJECTIONS.labels(_reason)  # a rate needs the value before the first rejection


class AnswerMetrics(Observer):
    """Counter of the labels and the rejections of this worker.

    A label that has a counter keeps it, since counters must not decrease. So the labels that were
    the most frequent before the first answer of a stack are the first that get one.

    Args:
        most_labels: maximum number of classes of a stack with a counter of their own.
        counts: returns the counts of the labels so far, of each partition.
    """

    def __init__(
        self, most_labels: int = 50, counts: Callable[[], Iterable[Mapping[str, int]]] = tuple
    ) -> None:
        self._most = most_labels
        self._counts = counts
        self._labels: dict[str, metrics.Values] = {}

    def answered(self, answer: Answered) -> None:
        """Count an answer."""
        outcome = answer.outcome
        if isinstance(outcome, RejectedRequest):
            metrics.REJECTIONS.labels(outcome.reason).inc()
        else:
            metrics.labels_of(*self._values(outcome.verdict)).inc()

    def _values(self, verdict: Verdict) -> tuple[str, str]:
        """Return the values of the labels of the metric."""
        stack = metrics.stack_value(verdict.stack)
        if stack not in self._labels:
            counts: Counter[str] = Counter()
            for each in self._counts():
                counts.update(each)
            # In the order of the classes, so that workers choose the same of equal counts.
            known = [name for name in verdict.scores if counts[name]]
            first = nlargest(self._most, known, key=counts.__getitem__)
            self._labels[stack] = metrics.Values(self._most + 1, {UNKNOWN, *first})
        return self._labels[stack](verdict.label), stack


class VoteMetrics(Observer):
    """Counter of the votes of this worker, which is a voter."""

    def answered(self, answer: Answered) -> None:
        """Count a vote."""
        outcome = answer.outcome
        vote = outcome.reason if isinstance(outcome, RejectedRequest) else outcome.verdict.label
        metrics.votes_cast_of(vote).inc()
