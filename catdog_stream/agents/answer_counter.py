"""Counting of answers when agents acknowledge their requests."""

from typing import Literal

from faust.types import Message

from catdog_stream.agents.messages import mark
from catdog_stream.delivery.committed_table import CommittedTable
from catdog_stream.delivery.counting import counted, marked
from catdog_stream.delivery.group_member import GroupMember
from catdog_stream.errors import RejectedRequest
from catdog_stream.pipeline.ordered_publisher import Outcome

__all__ = ["AnswerCounter"]


class AnswerCounter:
    """Counter of the answers of this worker.

    Args:
        counts: partition to the counts of its answers.
        member: this worker in its group.
    """

    def __init__(self, counts: CommittedTable, member: GroupMember) -> None:
        self._counts = counts
        self._member = member

    def count(self, message: Message, offset: int, outcome: Outcome) -> None:
        """Count the answer to the request at ``offset`` in the partition of ``message``.

        If the partition was revoked, nothing is counted: the worker that answers again counts.
        """
        if self._member.consumer.is_current(message):
            kind, name = tally(outcome)
            shard = counted(self._counts.get(message.partition), kind, name, offset)
            if shard is not None:
                self._counts[message.partition] = marked(shard, mark(message))


def tally(outcome: Outcome) -> tuple[Literal["labels", "rejections"], str]:
    """Return the kind and the name under which an answer is counted."""
    if isinstance(outcome, RejectedRequest):
        return "rejections", outcome.reason.value
    return "labels", outcome.verdict.label
