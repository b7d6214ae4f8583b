"""Counts labels and rejections into their tables."""

import faust
from faust.types import EventT, StreamT

from catdog_stream.agents.settled import settled_events
from catdog_stream.app import app, label_counts, rejection_counts, topics
from catdog_stream.counting import counted, counting_source, label_of, reason_of
from catdog_stream.records import Source
from catdog_stream.topics import REQUESTS


@app.agent(topics.labels, name="count_labels")
async def count_labels(stream: StreamT[bytes]) -> None:
    """Count each label once."""
    async for event in settled_events(stream):
        message = event.message
        count(event, label_of(message.value, tuple(message.headers or ())), label_counts)
        await stream.ack(event)


@app.agent(topics.rejected, name="count_rejections")
async def count_rejections(stream: StreamT[bytes]) -> None:
    """Count each rejection once."""
    async for event in settled_events(stream):
        count(event, reason_of(tuple(event.message.headers or ())), rejection_counts)
        await stream.ack(event)


def count(event: EventT[bytes], name: str, table: faust.Table) -> None:
    """Count ``name`` in the shard of the request that ``event`` answers."""
    message = event.message
    source = counting_source(
        tuple(message.headers or ()),
        Source(message.topic, message.partition, message.offset),
        requests_topic=REQUESTS,
        partitions=table.changelog_topic.partitions,
    )
    shard = counted(table.get(source.partition), name, source)
    if shard is not None:
        table[source.partition] = shard
