"""Counts labels and rejections into their tables."""

from faust.types import EventT, StreamT
from faust.types.tables import TableT

from catdog_stream.agents.messages import headers_of, source_of
from catdog_stream.agents.settled import settled_events
from catdog_stream.app import app, label_counts, rejection_counts, topics
from catdog_stream.counting import Shard, counted, counting_source, label_of, reason_of
from catdog_stream.topics import COUNTED, REQUESTS


@app.agent(topics.labels, name="count_labels")
async def count_labels(stream: StreamT[bytes]) -> None:
    """Count each label once."""
    async for event in settled_events(stream):
        message = event.message
        count(event, label_of(message.value, headers_of(message)), label_counts)
        await stream.ack(event)


@app.agent(topics.rejected, name="count_rejections")
async def count_rejections(stream: StreamT[bytes]) -> None:
    """Count each rejection once."""
    async for event in settled_events(stream):
        count(event, reason_of(headers_of(event.message)), rejection_counts)
        await stream.ack(event)


def count(event: EventT[bytes], name: str, table: TableT[int, Shard]) -> None:
    """Count ``name`` in the shard of the request that ``event`` answers."""
    source = counting_source(
        headers_of(event.message),
        source_of(event.message),
        requests_topic=REQUESTS,
        partitions=app.gate.partitions[COUNTED[table.name]],
    )
    shard = counted(table.get(source.partition), name, source)
    if shard is not None:
        table[source.partition] = shard
