"""Counts that follow from the answers in the topics."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from catdog_stream.delivery.answer_choice import Answer, chosen
from catdog_stream.delivery.counting import Shard

__all__ = ["NOTHING", "true_counts"]

#: Counts of a worker that has counted nothing, as its ``/labels/`` shows them.
NOTHING: Mapping[str, Any] = {"total": 0, "rejected": 0, "labels": {}}


def true_counts(
    verdicts: Mapping[str, Collection[str]],
    reasons: Mapping[str, Collection[str]],
    shown: Mapping[str, Any],
) -> Mapping[str, Any]:
    """Return the counts that a worker must show: each request counts once, by its committed answer.

    A worker that is killed between publishing a label and its commit leaves a label that is not
    counted, and the next worker may reject the request unread: docs/guarantee.md. Only the counts
    show which answer was committed, so the counts may choose among the answers to a request.

    Args:
        verdicts: source to the verdicts of its labels.
        reasons: source to the reasons of its rejections.
        shown: counts that a worker shows.
    """
    answers = {
        number: [
            *(Answer(0, "labels", verdict) for verdict in verdicts.get(source, ())),
            *(Answer(0, "rejections", "rejected") for _ in reasons.get(source, ())),
        ]
        for number, source in enumerate(sorted({*verdicts, *reasons}))
    }
    committed: Shard = {
        "labels": dict(shown["labels"]),
        "rejections": {"rejected": shown["rejected"]},
        "offset": 0,
    }
    counted = chosen(answers, committed).values()
    labels = Counter(answer.name for answer in counted if answer.kind == "labels")
    return {
        "total": labels.total(),
        "rejected": len(counted) - labels.total(),
        "labels": dict(labels),
    }
