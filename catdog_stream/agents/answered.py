"""Counting of answers when agents acknowledge their requests."""

from typing import Literal, cast

from faust.types import Message

from catdog_stream.agents.messages import mark
from catdog_stream.app import app, label_counts
from catdog_stream.delivery.consumer import Consumer
from catdog_stream.delivery.counting import counted, marked
from catdog_stream.errors import RejectedRequest
from catdog_stream.pipeline.ordered_publisher import Outcome

__all__ = ["count"]


def count(message: Message, offset: int, outcome: Outcome) -> None:
    """Count the answer to the request at ``offset`` in the partition of ``message``.

    If the partition was revoked, nothing is counted: the worker that answers again counts.
    """
    if cast(Consumer, app.consumer).is_current(message):
        kind, name = tally(outcome)
        shard = counted(label_counts.get(message.partition), kind, name, offset)
        if shard is not None:
            label_counts[message.partition] = marked(shard, mark(message))


def tally(outcome: Outcome) -> tuple[Literal["labels", "rejections"], str]:
    """Return the kind and the name under which an answer is counted."""
    if isinstance(outcome, RejectedRequest):
        return "rejections", outcome.reason.value
    return "labels", outcome.verdict.label
