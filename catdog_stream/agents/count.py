"""Counts the labels that other programs write into ``catdoglabel``.

Those of this application are counted when they are acknowledged (see ``classify``); here they are
passed over. A hand-written loop beside it, say, writes no ``source`` header, or one that cannot be
right.
"""

from typing import cast

from faust.types import EventT, Message, StreamT
from faust.types.tables import TableT

from catdog_stream.agents.messages import headers_of, mark, source_of
from catdog_stream.app import app, tables, topics
from catdog_stream.delivery.consumer import Consumer
from catdog_stream.delivery.counting import Shard, counted, counting_source, label_of, marked
from catdog_stream.delivery.manual_ack import settled_events
from catdog_stream.topics import LABELS, REQUESTS

#: Requests that may stand behind the end that this worker knows. Its last look may be older than
#: the label, and the new leader of a partition tells for a moment of an end that was passed before:
#: 27 of a worker's own labels were counted as foreign ones. More do not come in that time, and what
#: is made up is far beyond it.
UNSEEN_REQUESTS = 1_000_000


@app.agent(topics.labels, name="count_labels")
async def count_labels(stream: StreamT[bytes]) -> None:
    """Count each foreign label once."""
    async for event in settled_events(stream):
        count_foreign(event, tables["foreign_counts"])
        await stream.ack(event)


def count_foreign(event: EventT[bytes], table: TableT[int, Shard]) -> None:
    """Count the label."""
    message = event.message
    label = label_of(message.value, headers_of(message))
    shard = counted(table.get(message.partition), "labels", label, message.offset)
    if shard is not None:
        table[message.partition] = marked(shard, mark(message))
        app.heard(label, message.value, source_of(message))


def answers_a_request(message: Message) -> bool:
    """Whether a label is one of ours, which the stream need not bring here."""
    own = source_of(message)
    source = counting_source(
        headers_of(message),
        own,
        requests_topic=REQUESTS,
        partitions=app.cluster_readiness.partitions[LABELS],
    )
    if source is own:
        return False
    # A request that is not there yet was answered by nobody. Where its partition is another
    # worker's, only that one could tell.
    end = cast(Consumer, app.consumer).end_of(source.topic, source.partition)
    return source.offset < end + UNSEEN_REQUESTS


app.passes_over[LABELS] = answers_a_request
