"""Publisher of answers whose labels have the form that the settings ask for."""

from typing import Any

from catdog_stream.delivery.publishing import KafkaPublisher
from catdog_stream.errors import RejectedRequest
from catdog_stream.messages.scores import ScoreLimits
from catdog_stream.messages.wire import Answer, Incoming, verdict_label
from catdog_stream.pipeline.ordered_publisher import Outcome

__all__ = ["LabelPublisher"]


class LabelPublisher(KafkaPublisher):
    """Publisher of labels and rejections, with limits of the scores in a label.

    Args:
        arguments: those of ``KafkaPublisher``.
        limits: limits of the scores.
        named: further arguments of ``KafkaPublisher``.
    """

    def __init__(self, *arguments: Any, limits: ScoreLimits, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._limits = limits

    def _answer(self, incoming: Incoming, outcome: Outcome) -> tuple[str, Answer]:
        if isinstance(outcome, RejectedRequest):
            return super()._answer(incoming, outcome)
        verdict = outcome.verdict
        return self._cluster.names.labels, verdict_label(
            incoming,
            text=self._limits.text(verdict),
            url=outcome.url,
            verdict=verdict.label,
            scores=verdict.scores,
            stack=verdict.stack,
            familiarity=verdict.familiarity,
            notes=verdict.notes,
            fields=outcome.fields,
            limits=self._limits,
        )
