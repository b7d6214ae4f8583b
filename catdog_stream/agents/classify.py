"""``catdogimage`` to ``catdoglabel``: hands each request to the pipeline, which answers it."""

from functools import partial

from faust.types import EventT, StreamT

from catdog_stream.agents.messages import headers_of, source_of
from catdog_stream.agents.settled import settled_events
from catdog_stream.app import app, topics
from catdog_stream.records import Incoming


@app.agent(topics.requests, name="classify")
async def classify(stream: StreamT[bytes]) -> None:
    """Submit requests; the pipeline acknowledges each once its answer is in Kafka."""
    async for event in settled_events(stream):
        await app.classifying.pipeline.submit(incoming(event), partial(stream.ack, event))


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
