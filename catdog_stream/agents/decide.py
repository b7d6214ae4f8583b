"""Agent from ``catdogvote`` to ``catdoglabel``: submits votes to the jury, which decides."""

from functools import partial
from typing import cast

from faust.types import EventT, Message, StreamT

from catdog_stream.agents.answered import count
from catdog_stream.app import app, topics
from catdog_stream.delivery.consumer import Consumer
from catdog_stream.delivery.manual_ack import acknowledge_through, settled_events
from catdog_stream.pipeline.voting.partition_state import VoteRecord


@app.agent(topics.votes, name="decide")
async def decide(stream: StreamT[bytes]) -> None:
    """Submit votes; the jury acknowledges each when its request needs no more work."""
    async for event in settled_events(stream):
        await app.aggregation.jury.submit(vote_record(stream, event))


def vote_record(stream: StreamT[bytes], event: EventT[bytes]) -> VoteRecord:
    """Return the vote in the form that the jury takes."""
    message = event.message
    return VoteRecord(
        message.partition,
        message.value,
        is_current=partial(is_current, message),
        count=partial(count, message),
        acknowledge=partial(acknowledge_through, stream, event),
    )


def is_current(message: Message) -> bool:
    """Return true if this worker may begin decisions with this vote.

    During a rebalance, only decisions that have begun are finished.
    """
    if app.rebalancing or app.should_stop:
        return False
    return cast(Consumer, app.consumer).is_current(message)
