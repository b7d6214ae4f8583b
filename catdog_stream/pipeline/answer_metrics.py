"""Observers that count answers in the metrics: labels and rejections, or a voter's votes."""

from catdog_stream import metrics
from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.pipeline.observing import Answered, Observer

__all__ = ["AnswerMetrics", "VoteMetrics"]

for _reason in Reason:
    metrics.REJECTIONS.labels(_reason)  # a rate needs the value before the first rejection


class AnswerMetrics(Observer):
    """Counter of the labels and the rejections of this worker."""

    def answered(self, answer: Answered) -> None:
        """Count an answer."""
        outcome = answer.outcome
        if isinstance(outcome, RejectedRequest):
            metrics.REJECTIONS.labels(outcome.reason).inc()
        else:
            metrics.labels_of(outcome.verdict.label, outcome.verdict.stack).inc()


class VoteMetrics(Observer):
    """Counter of the votes of this worker, which is a voter."""

    def answered(self, answer: Answered) -> None:
        """Count a vote."""
        outcome = answer.outcome
        vote = outcome.reason if isinstance(outcome, RejectedRequest) else outcome.verdict.label
        metrics.votes_cast_of(vote).inc()
