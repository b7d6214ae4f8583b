"""Agent from ``catdogvote`` to ``catdoglabel``: submits votes to the jury, which decides."""

from functools import partial
from typing import cast

import faust
from faust.types import EventT, StreamT

from catdog_stream.agents.answer_counter import AnswerCounter
from catdog_stream.delivery.consumer import Consumer
from catdog_stream.delivery.manual_ack import acknowledge_through, settled_events
from catdog_stream.pipeline.voting.partition_state import VoteRecord
from catdog_stream.worker.aggregation import Aggregation

__all__ = ["add_decide"]


def add_decide(
    app: faust.App, votes: faust.TopicT, aggregation: Aggregation, counter: AnswerCounter
) -> None:
    """Register the agent with ``app``."""

    @app.agent(votes, name="decide")
    async def decide(stream: StreamT[bytes]) -> None:
        """Submit votes; the jury acknowledges each when its request needs no more work."""
        async for event in settled_events(stream):
            await aggregation.jury.submit(vote_record(stream, event))

    def vote_record(stream: StreamT[bytes], event: EventT[bytes]) -> VoteRecord:
        message = event.message
        return VoteRecord(
            message.partition,
            message.value,
            is_current=partial(may_begin, stream, event),
            count=partial(counter.count, message),
            acknowledge=partial(acknowledge_through, stream, event),
        )


def may_begin(stream: StreamT[bytes], event: EventT[bytes]) -> bool:
    """Return true if this worker may begin decisions with this vote.

    During a rebalance, only decisions that have begun are finished.
    """
    if stream.app.rebalancing or stream.app.should_stop:
        return False
    return cast(Consumer, stream.app.consumer).is_current(event.message)
