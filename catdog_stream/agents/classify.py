"""``catdogimage`` to ``catdoglabel``: hands each request to the pipeline, which answers it."""

from functools import partial
from typing import Literal, cast

from faust.types import EventT, StreamT

from catdog_stream.agents.messages import headers_of, source_of
from catdog_stream.app import app, label_counts, topics
from catdog_stream.delivery.consumer import Consumer
from catdog_stream.delivery.counting import counted
from catdog_stream.delivery.settled import settled_events
from catdog_stream.errors import RejectedRequest
from catdog_stream.pipeline.pipeline import Outcome
from catdog_stream.wire import Incoming


@app.agent(topics.requests, name="classify")
async def classify(stream: StreamT[bytes]) -> None:
    """Submit requests; the pipeline settles each once its answer is in Kafka."""
    async for event in settled_events(stream):
        await app.classifying.pipeline.submit(incoming(event), partial(settle, stream, event))


async def settle(stream: StreamT[bytes], event: EventT[bytes], outcome: Outcome) -> None:
    """Count the answer and acknowledge its request, in one step: no commit comes between.

    What belongs to nobody any more is not counted here: whoever answers it again counts it.
    """
    message = event.message
    if cast(Consumer, app.consumer).is_current(message):
        kind, name = tally(outcome)
        shard = counted(label_counts.get(message.partition), kind, name, message.offset)
        if shard is not None:
            label_counts[message.partition] = shard
    if not isinstance(outcome, RejectedRequest):
        app.classifying.drifting.observe(outcome.verdict)
    await stream.ack(event)


def tally(outcome: Outcome) -> tuple[Literal["labels", "rejections"], str]:
    """What an answer is counted as."""
    if isinstance(outcome, RejectedRequest):
        return "rejections", outcome.reason.value
    return "labels", outcome.verdict.label


def incoming(event: EventT[bytes]) -> Incoming:
    """The request as the pipeline knows it."""
    message = event.message
    has_time = message.timestamp is not None and message.timestamp >= 0
    return Incoming(
        source=source_of(message),
        key=message.key,
        value=message.value,
        headers=headers_of(message),
        timestamp_ms=round(message.timestamp * 1000) if has_time else None,
    )
