"""Agent that counts the labels that other programs write to ``catdoglabel``.

Labels of this application are counted when they are acknowledged (see ``classify``) and skipped
here. Another program, such as a hand-written loop beside this application, writes no ``source``
header, or a wrong one.
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

#: Maximum offset of a request beyond the end of its partition that this worker knows. That end may
#: be older than the label, and for a moment the new leader of a partition reports an earlier end:
#: 27 of a worker's own labels were counted as foreign. Fewer requests than this arrive in that
#: time, and invented offsets are far beyond it.
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
        app.observers.foreign_label(label, message.value, source_of(message))


def answers_a_request(message: Message) -> bool:
    """Return true if the label is this application's own, so the stream can skip it."""
    own = source_of(message)
    source = counting_source(
        headers_of(message),
        own,
        requests_topic=REQUESTS,
        partitions=app.cluster_readiness.partitions[LABELS],
    )
    if source is own:
        return False
    # A request that does not exist yet has no answer. If another worker has its partition, only
    # that worker knows the end.
    end = cast(Consumer, app.consumer).end_of(source.topic, source.partition)
    return source.offset < end + UNSEEN_REQUESTS


app.passes_over[LABELS] = answers_a_request
