"""Agent from ``catdogimage`` to answers: submits each request to the pipeline."""

from functools import partial
from typing import cast

import faust
from faust.types import EventT, StreamT

from catdog_stream.agents.answer_counter import AnswerCounter
from catdog_stream.agents.messages import headers_of, source_of
from catdog_stream.delivery.consumer import Consumer
from catdog_stream.delivery.manual_ack import settled_events
from catdog_stream.messages.wire import Incoming
from catdog_stream.pipeline.pipeline import Outcome
from catdog_stream.worker.inference import Inference

__all__ = ["add_classify"]


def add_classify(
    app: faust.App, requests: faust.TopicT, inference: Inference, counter: AnswerCounter
) -> None:
    """Register the agent with ``app``."""

    @app.agent(requests, name="classify")
    async def classify(stream: StreamT[bytes]) -> None:
        """Submit requests; the pipeline settles each once its answer is in Kafka."""
        consumer = cast(Consumer, stream.app.consumer)
        async for event in settled_events(stream):
            pipeline = inference.pipeline
            is_current = partial(consumer.is_current, event.message)
            rejected = await consumer.suspects.examine(
                event.message,
                commit=consumer.commit,
                is_current=is_current,
                in_flight=lambda: inference.in_flight,
                most_in_flight=pipeline.max_in_flight,
            )
            if is_current():
                answered = partial(settle, stream, event)
                await pipeline.submit(incoming(event), answered, rejected=rejected)
            else:
                consumer.forget(event.message)

    async def settle(stream: StreamT[bytes], event: EventT[bytes], outcome: Outcome) -> None:
        """Count the answer and acknowledge its request in one step, without a commit between."""
        counter.count(event.message, event.message.offset, outcome)
        await stream.ack(event)


def incoming(event: EventT[bytes]) -> Incoming:
    """Return the request in the form that the pipeline takes."""
    message = event.message
    has_time = message.timestamp is not None and message.timestamp >= 0
    return Incoming(
        source=source_of(message),
        key=message.key,
        value=message.value,
        headers=headers_of(message),
        timestamp_ms=round(message.timestamp * 1000) if has_time else None,
    )
